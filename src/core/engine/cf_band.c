/*
 * cf_band.c
 *		Where simulated futures lie, by step.
 *
 * Quantiles at a thinned set of steps (nodes), straight lines between them; saw-teeth at every step, and where there
 * are more than are worth it, the last tooth again.
 */
#include "core/engine/cf_band.h"
#include "core/numerics/cf_num.h"

#define BAND_PATHS (CF_INSIGHT_PATHS / 2)	/* every second of the futures that give the chances */
#define MAX_NODES 64
#define MAX_TEETH_STEPS 1000

typedef struct Nodes
{
	int			n;
	int			at[MAX_TEETH_STEPS];
} Nodes;

static int
next_node(int k)
{
	return k < 6 ? k + 1 : k + k / 4 + 1;
}

int
cf_band_ahead(int steps)
{
	int			k = 1;

	while (k < steps)
		k = next_node(k);
	return k;
}

static void
choose_nodes(int steps, bool has_teeth, Nodes *nodes)
{
	nodes->n = 0;
	if (has_teeth)
	{
		while (nodes->n < steps && nodes->n < MAX_TEETH_STEPS)
		{
			nodes->at[nodes->n] = nodes->n + 1;
			nodes->n++;
		}
		return;
	}
	for (int k = 1; nodes->n < MAX_NODES; k = next_node(k))
	{
		nodes->at[nodes->n++] = k;
		if (k >= steps)
			return;
	}
}

static size_t
most_nodes(int steps)
{
	return (size_t) (steps < MAX_TEETH_STEPS ? steps + 1 : MAX_TEETH_STEPS);
}

size_t
cf_band_worksize(int steps)
{
	return (size_t) BAND_PATHS * (most_nodes(steps) + MAX_NODES) + (size_t) cf_band_ahead(steps)
		+ (1 + 2 * CF_MAX_LEVELS) * (size_t) steps + most_nodes(steps) + MAX_NODES;
}

/* The quantile of the futures at a node, interpolated between two of them. */
static double
quantile(double *column, double share)
{
	double		at = share * (BAND_PATHS - 1);
	int			i = (int) at;
	double		low = cf_num_select(column, BAND_PATHS, i);
	double		high;

	if (i >= BAND_PATHS - 1)
		return low;
	high = column[i + 1];
	for (int j = i + 2; j < BAND_PATHS; j++)
		high = column[j] < high ? column[j] : high;
	return low + (at - i) * (high - low);
}

/* Between the nodes; beyond the last one (of teeth) its last tooth again. */
static void
spread_out(const Nodes *nodes, const double *at_node, int period, int steps, double *row)
{
	int			i = 0;
	int			last = nodes->at[nodes->n - 1];

	for (int k = 1; k <= steps; k++)
	{
		double		share;
		int			j = k <= last ? k : last - period + 1 + (k - last - 1) % period;

		if (k > last)
			i = 0;
		while (nodes->at[i] < j)
			i++;
		if (nodes->at[i] == j || i == 0)
		{
			row[k - 1] = at_node[i];
			continue;
		}
		share = (double) (j - nodes->at[i - 1]) / (nodes->at[i] - nodes->at[i - 1]);
		row[k - 1] = at_node[i - 1] + share * (at_node[i] - at_node[i - 1]);
	}
}

static CfStatus
simulate(const CfPrepared *p, const CfInsight *insight, const Nodes *nodes, const CfStop *stop, double *value, double *futures)
{
	int			steps = nodes->at[nodes->n - 1];

	for (int i = 0; i < BAND_PATHS; i++)
	{
		if (i % 8 == 0 && cf_stop_requested(stop))
			return CF_STOPPED;
		cf_insight_values(p, insight, i * (CF_INSIGHT_PATHS / BAND_PATHS), steps, nodes->at, nodes->n, value);
		for (int j = 0; j < nodes->n; j++)
			futures[(size_t) j * BAND_PATHS + (size_t) i] = value[j];
	}
	return CF_OK;
}

CfStatus
cf_band_find(const CfPrepared *p, const CfInsight *insight, int steps, const double *levels, int n_levels,
			 const CfStop *stop, double *work, CfBand *band)
{
	Nodes		nodes;
	int			period = p->teeth.period > 0 ? p->teeth.period : 1;
	bool		has_counts = insight->is_stock && insight->inc.is_rare;	/* whose median has steps where their mean has none */
	double	   *futures;
	double	   *value;
	double	   *at_node;
	CfStatus	status;

	band->is_value = p->teeth.end != CF_TOOTH_NONE;
	choose_nodes(steps, band->is_value, &nodes);
	band->steps = steps;
	band->middle = work;
	band->lower = work + steps;
	band->upper = band->lower + CF_MAX_LEVELS * (size_t) steps;
	at_node = band->upper + CF_MAX_LEVELS * (size_t) steps;
	value = at_node + nodes.n;
	futures = value + cf_band_ahead(steps);
	status = simulate(p, insight, &nodes, stop, value, futures);
	if (status != CF_OK)
		return status;
	if (!band->is_value)
		for (size_t i = 0; i < (size_t) nodes.n * BAND_PATHS; i++)
			futures[i] = (futures[i] - p->offset) / p->scale;
	for (int row = -1; row < 2 * n_levels; row++)
	{
		double		level = row < 0 ? 0.0 : levels[row / 2];
		double		share = row < 0 ? 0.5 : 0.5 + (row % 2 == 0 ? -level : level) / 2.0;

		for (int j = 0; j < nodes.n; j++)
			at_node[j] = row < 0 && has_counts ? cf_num_sum(futures + (size_t) j * BAND_PATHS, BAND_PATHS) / BAND_PATHS
				: quantile(futures + (size_t) j * BAND_PATHS, share);
		spread_out(&nodes, at_node, period, steps, row < 0 ? band->middle
				   : (row % 2 == 0 ? band->lower : band->upper) + (size_t) (row / 2) * (size_t) steps);
	}
	return CF_OK;
}
