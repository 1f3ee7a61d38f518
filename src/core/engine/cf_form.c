/*
 * cf_form.c
 *		The ways to look at values as a regime.
 */
#include <math.h>

#include "core/engine/cf_form.h"
#include "core/models/cf_index.h"
#include "core/numerics/cf_num.h"
#include "core/numerics/cf_running.h"

#define STOCK_SHAPE 1.5			/* of the prior of the noise's variance */
#define LEVEL_SHAPE 3.0
#define LINE_SIDE 6
#define N_MEMORIES 3
#define LOOK_MEMORY 0.5

static const double memories[N_MEMORIES] = {0.0, 0.5, 0.9};

size_t
cf_form_worksize(int n, int period, int ahead)
{
	return (2 * N_MEMORIES * 6 + 12) * ((size_t) n + 2) + 2 * (size_t) ahead + 2 * (size_t) period + cf_index_worksize(n, period);
}

static double *
prefix_sums(CfForm *form, double *work)
{
	int			n = form->n;

	form->sum_z = work;
	form->sum_tz = work + n + 1;
	form->sum_zz = work + 2 * (n + 1);
	form->sum_z[0] = form->sum_tz[0] = form->sum_zz[0] = 0.0;
	for (int t = 0; t < n; t++)
	{
		double		z = t < 1 ? 0.0 : form->z[t];

		form->sum_z[t + 1] = form->sum_z[t] + z;
		form->sum_tz[t + 1] = form->sum_tz[t] + t * z;
		form->sum_zz[t + 1] = form->sum_zz[t] + z * z;
	}
	return work + 3 * (n + 1);
}

static double
square(double a)
{
	return a * a;
}

void
cf_form_stock(const CfIncrements *inc, double *work, CfFamily *family)
{
	CfForm	   *form = &family->form[0];
	double		noise = inc->noise_size > 0.0 ? inc->noise_size : 1e-9 * (inc->pace_size > 0.0 ? inc->pace_size : 1.0);
	double		pace = inc->pace_size > noise ? inc->pace_size : noise;

	*family = (CfFamily) {.n_forms = 1, .is_stock = true, .period = 1};
	*form = (CfForm) {.first = 1, .n = inc->n, .memory = 1.0, .noise_size = noise, .z = inc->pace,
		.noise = inc->noise, .noise_from = 1};
	work = prefix_sums(form, work);
	if (inc->is_rare)
	{
		form->dispersion = inc->dispersion;
		form->prior = (CfPrior) {.shape = 1.0, .rate = (inc->n - 1) / inc->total};
		form->prior.log_rate = cf_num_log(form->prior.rate);
		return;
	}
	cf_evidence_prior(1.0, square(noise / pace), STOCK_SHAPE, noise, inc->n, work, &form->prior);
}

/* Takes the season of a period out of x, and gives its index by phase; none is NULL.  *fitted: how many parameters that is worth. */
static double *
take_out_season(double *x, int n, int period, double *work, double *index, double *fitted)
{
	CfIndex		info;

	*fitted = 0.0;
	if (period < 2)
		return NULL;
	cf_index_estimate(x, NULL, n, period, false, 1.0, NULL, work, index, &info);
	if (info.period < 2)
		return NULL;
	for (int t = 0; t < n; t++)
		x[t] -= index[t % period];
	*fitted = info.shrink * (period - 1);
	return index;
}

/* x without its mean; returns its standard deviation. */
static double
centre(double *x, int n, double *mean)
{
	double		sum = 0.0;

	*mean = cf_num_sum(x, n) / n;
	for (int t = 0; t < n; t++)
	{
		x[t] -= *mean;
		sum += x[t] * x[t];
	}
	return sqrt(sum / n);
}

/* One memory of the errors; off: x less its running line. */
static double *
add_memory(const CfForm *like, double memory, const double *off, double spread, double *work, CfFamily *family)
{
	CfForm	   *form = &family->form[family->n_forms++];
	int			n = like->n;
	double	   *z = work;
	double	   *noise = work + n;
	double		sum = 0.0;

	*form = *like;
	form->memory = memory;
	form->log_first = 0.5 * cf_num_log(1.0 - memory * memory);
	form->z = z;
	form->noise = noise;
	form->noise_from = 1;
	form->last_off = off[n - 1];
	z[0] = noise[0] = 0.0;
	for (int t = 1; t < n; t++)
	{
		z[t] = form->x[t] - memory * form->x[t - 1];
		noise[t] = off[t] - memory * off[t - 1];
		sum += noise[t] * noise[t];
	}
	form->noise_size = sqrt(sum / (n - 1));
	if (!(form->noise_size > 1e-6 * spread))
		form->noise_size = spread > 0.0 ? 1e-6 * spread : 1e-9;
	for (int t = 1; t < n; t++)
		noise[t] /= form->noise_size;
	form->range = spread > 2.0 * form->noise_size ? spread : 2.0 * form->noise_size;
	work = prefix_sums(form, work + 2 * n);
	cf_evidence_prior(square(form->noise_size / form->range), square(form->noise_size * n / (4.0 * form->range)),
					  LEVEL_SHAPE, form->noise_size, n, work, &form->prior);
	return work + n + 1;
}

/* All memories of x, whose season is taken out here. */
static double *
add_scale(double *x, int n, bool is_log, const CfLevelTask *task, double *work, double *season, CfFamily *family)
{
	CfForm		like = {.first = 0, .n = n, .is_log = is_log, .x = x};
	double	   *off;
	double		fitted;
	double		spread;

	if (is_log)
	{
		like.sum_x = work;
		like.sum_x[0] = 0.0;
		for (int t = 0; t < n; t++)
			like.sum_x[t + 1] = like.sum_x[t] + x[t];
		work += n + 1;
	}
	off = work;
	family->season[is_log] = take_out_season(x, n, task->period, work + n, season, &fitted);
	fitted = fitted < n / 2.0 ? fitted : n / 2.0;
	like.widen = task->widen * sqrt(n / (n - fitted));
	spread = centre(x, n, &like.mean);
	cf_running_line(x, n, LINE_SIDE, off);
	for (int t = 0; t < n; t++)
		off[t] = x[t] - off[t];
	work += n;
	if (task->is_look)
		return add_memory(&like, LOOK_MEMORY, off, spread, work, family);
	for (int i = 0; i < N_MEMORIES; i++)
		work = add_memory(&like, memories[i], off, spread, work, family);
	return work;
}

static double
shift_of(const double *y, int n, double *work)
{
	double		least = y[0];
	double		sum = 0.0;

	for (int t = 0; t < n; t++)
	{
		work[t] = y[t];
		sum += y[t];
		least = y[t] < least ? y[t] : least;
	}
	return least < 0.15 * cf_num_median(work, n) || !(least > 0.0) ? 0.3 * sum / n : 0.0;
}

void
cf_form_level(const double *y, int n, const CfLevelTask *task, double *work, CfFamily *family)
{
	double	   *plain = work;
	double	   *logs = work + n;
	double	   *season = work + 2 * n;
	double	   *rest = season + 2 * task->period;

	*family = (CfFamily) {.period = task->period};
	for (int t = 0; t < n; t++)
		plain[t] = y[t];
	rest = add_scale(plain, n, false, task, rest, season, family);
	if (!task->allow_log)
		return;
	family->shift = shift_of(y, n, logs);
	for (int t = 0; t < n; t++)
	{
		if (!(y[t] + family->shift > 0.0))
			return;
		logs[t] = cf_num_log(y[t] + family->shift);
	}
	(void) add_scale(logs, n, true, task, rest, season + task->period, family);
}

/* A level may move as far within a short regime as within a long one; of that, half: steep slopes are still rare. */
static double
ease_of(const CfForm *form, int length)
{
	return form->x == NULL ? 1.0 : sqrt((double) length / form->n);
}

void
cf_form_sums(const CfForm *form, int s, int e, CfSums *sums)
{
	double		a = form->memory;
	double		b = 1.0 - a;
	double		last = e - 1;
	int			from = form->x == NULL ? s : s + 1;
	double		n = e - from;
	double		z = form->sum_z[e] - form->sum_z[from];

	sums->n = e - s;
	sums->zz = form->sum_zz[e] - form->sum_zz[from];
	sums->log_scale = 0.0;
	sums->ease = ease_of(form, e - s);
	if (form->x == NULL)
	{
		sums->z1 = sums->r11 = sums->r12 = 0.0;
		sums->z2 = z;
		sums->r22 = n;
		return;
	}
	{
		double		t1 = -(n - 1.0) * n / 2.0;
		double		t2 = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
		double		tz = form->sum_tz[e] - form->sum_tz[from] - last * z;
		double		gg = 1.0 - a * a;
		double		x = form->x[s];
		double		u = s - last;

		sums->z1 = b * z + gg * x;
		sums->z2 = b * tz + a * z + gg * u * x;
		sums->zz += gg * x * x;
		sums->r11 = n * b * b + gg;
		sums->r12 = b * (b * t1 + a * n) + gg * u;
		sums->r22 = b * b * t2 + 2.0 * a * b * t1 + a * a * n + gg * u * u;
		sums->log_scale = form->log_first;
	}
	if (form->sum_x != NULL)
		sums->log_scale -= form->sum_x[e] - form->sum_x[s];
}

double
cf_form_evidence(const CfForm *form, int s, int e, CfTerms terms)
{
	CfSums		sums;

	if (form->dispersion > 0.0)
		return cf_evidence_log_counts(&form->prior, form->dispersion, form->sum_z[e] - form->sum_z[s], e - s);
	cf_form_sums(form, s, e, &sums);
	return cf_evidence_log(&form->prior, &sums, terms);
}

void
cf_form_posterior(const CfForm *form, int s, int e, CfTerms terms, CfPosterior *posterior)
{
	CfSums		sums;

	if (form->dispersion > 0.0)
	{
		cf_evidence_posterior_counts(&form->prior, form->dispersion, form->sum_z[e] - form->sum_z[s], e - s, posterior);
		return;
	}
	cf_form_sums(form, s, e, &sums);
	cf_evidence_posterior(&form->prior, &sums, terms, posterior);
}

void
cf_form_bend_start(const CfForm *form, double bend, CfBend *b)
{
	*b = (CfBend) {.bend = bend, .factor = cf_num_exp(-bend), .growth = 1.0, .from = form->n};
}

/* Adds step t = b->from - 1. */
static void
add_step_back(const CfForm *form, CfBend *b)
{
	int			t = --b->from;
	double		a = form->memory;
	double		z = form->z[t];
	double		r2 = ((b->growth - 1.0) - a * (b->growth * b->factor - 1.0)) / b->bend;
	CfSums	   *r = &b->added;

	if (form->x == NULL && b->bend > 0.0)
	{
		z /= b->growth;
		r2 /= b->growth;
		r->log_scale -= b->bend * (t - form->n + 1);
	}
	r->n++;
	r->zz += z * z;
	r->z1 += (1.0 - a) * z;
	r->z2 += r2 * z;
	r->r11 += (1.0 - a) * (1.0 - a);
	r->r12 += (1.0 - a) * r2;
	r->r22 += r2 * r2;
	b->growth *= b->factor;
}

void
cf_form_bend(const CfForm *form, int s, CfBend *b, CfSums *sums)
{
	double		gg = 1.0 - form->memory * form->memory;
	int			to = form->x == NULL ? s : s + 1;
	double		r2;
	double		x;

	while (b->from > to)
		add_step_back(form, b);
	*sums = b->added;
	sums->ease = ease_of(form, form->n - s);
	if (form->x == NULL)
		return;
	r2 = (b->growth - 1.0) / b->bend;
	x = form->x[s];
	sums->n++;
	sums->zz += gg * x * x;
	sums->z1 += gg * x;
	sums->z2 += gg * r2 * x;
	sums->r11 += gg;
	sums->r12 += gg * r2;
	sums->r22 += gg * r2 * r2;
	sums->log_scale += form->log_first;
	if (form->sum_x != NULL)
		sums->log_scale -= form->sum_x[form->n] - form->sum_x[s];
}
