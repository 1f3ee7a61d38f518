/*
 * plan_recommend.c
 *		scaling_recommendations(): what to do about it.
 *
 * Use, infrastructure tier and image storage are read live, only growth comes from the
 * snapshots.  The rules without extended are a contract: their texts are shown by the
 * web application as they are.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "utils/builtins.h"

#include "common/clock.h"
#include "common/row.h"
#include "common/scope.h"
#include "plan/plan_health.h"
#include "plan/plan_trends.h"

#define PRODUCTS_WARNING_PERCENT	80.0
#define HIGH_GROWTH_PERCENT			20.0
#define STORAGE_WARNING_GB			800.0

/* In the order in which they are shown. */
typedef enum Severity
{
	SEVERITY_CRITICAL,
	SEVERITY_WARNING,
	SEVERITY_INFO,
	N_SEVERITIES
} Severity;

static const char *const severity_names[N_SEVERITIES] = {"critical", "warning", "info"};

typedef struct Recommendation
{
	const char *category;
	Severity	severity;
	const char *title;
	const char *description;
	const char *action;
	const char *rule;			/* stable id */
	const char *metric;
} Recommendation;

#define MAX_RECOMMENDATIONS	4

/* Columns of recommendation. */
#define N_COLUMNS	12

typedef struct Recommendations
{
	int			n;
	Recommendation rows[MAX_RECOMMENDATIONS];
} Recommendations;

static void
product_capacity(const Health *health, Recommendations *list)
{
	double		percent = health->capacity[RESOURCE_PRODUCTS].utilization_percent;

	if (percent > PRODUCTS_WARNING_PERCENT)
		list->rows[list->n++] = (Recommendation) {
			"capacity", SEVERITY_WARNING, "Product capacity approaching limit",
				psprintf("Currently at %.0f%% of theoretical product capacity", percent),
				"Consider upgrading vendor tiers or adding capacity", "product_capacity", "products"
		};
}

static void
next_tier(const Health *health, Recommendations *list)
{
	if (health->tier.next_trigger != NULL)
		list->rows[list->n++] = (Recommendation) {
			"infrastructure", SEVERITY_INFO, psprintf("Current tier: %s", health->tier.name),
				psprintf("Next upgrade trigger: %s", health->tier.next_trigger),
				"Monitor growth and plan for infrastructure scaling", "next_tier", NULL
		};
}

static void
vendor_growth(const Trends *trends, Recommendations *list)
{
	const CfGrowth *growth = &trends->metrics[TREND_VENDORS].growth;

	if (trends->known && growth->monthly_projection > 0.0 && growth->rate_percent > HIGH_GROWTH_PERCENT)
		list->rows[list->n++] = (Recommendation) {
			"growth", SEVERITY_INFO, "High vendor growth rate",
				psprintf("Vendor base growing at %.1f%% over last 30 days", growth->rate_percent),
				"Ensure infrastructure can scale to meet demand", "vendor_growth", "vendors"
		};
}

static void
image_storage(const Health *health, Recommendations *list)
{
	if (health->storage_gb > STORAGE_WARNING_GB)
		list->rows[list->n++] = (Recommendation) {
			"storage", SEVERITY_WARNING, "Storage usage high",
				psprintf("Image storage at %.1f GB", health->storage_gb),
				"Plan for storage expansion or implement cleanup policies", "image_storage", "storage_gb"
		};
}

static void
put_text(Datum *values, bool *nulls, int at, const char *text)
{
	nulls[at] = text == NULL;
	values[at] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

/* By severity, otherwise in the order of the rules. */
static void
put_sorted(ReturnSetInfo *rsinfo, const Recommendations *list)
{
	for (int severity = 0; severity < N_SEVERITIES; severity++)
	{
		for (int i = 0; i < list->n; i++)
		{
			const Recommendation *row = &list->rows[i];
			Datum		values[N_COLUMNS] = {0};
			bool		nulls[N_COLUMNS];

			if (row->severity != severity)
				continue;
			memset(nulls, true, sizeof(nulls));
			put_text(values, nulls, 0, row->category);
			put_text(values, nulls, 1, severity_names[severity]);
			put_text(values, nulls, 2, row->title);
			put_text(values, nulls, 3, row->description);
			put_text(values, nulls, 4, row->action);
			put_text(values, nulls, 5, row->rule);
			put_text(values, nulls, 6, row->metric);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
}

/*
 * capforecast._scaling_rules(as_of): the rows of scaling_recommendations() without extended.
 */
PG_FUNCTION_INFO_V1(capforecast_scaling_rules);
Datum
capforecast_scaling_rules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		bounded = !PG_ARGISNULL(0);
	TimestampTz as_of = clock_as_of(fcinfo, 0, GetCurrentTimestamp());
	Recommendations list = {0};
	Health		health;
	Trends		trends;
	Scope		scope;

	row_set(fcinfo, N_COLUMNS);
	scope_enter(&scope);
	health = health_read(as_of);
	trends = trends_read(30, as_of, bounded);
	product_capacity(&health, &list);
	next_tier(&health, &list);
	vendor_growth(&trends, &list);
	image_storage(&health, &list);
	put_sorted(rsinfo, &list);
	scope_leave(&scope);
	return (Datum) 0;
}
