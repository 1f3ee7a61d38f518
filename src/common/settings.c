/*
 * settings.c
 *		The settings, in alphabetical order.
 *
 * All are for superusers: they decide who is charged, when, and by whose word.  What
 * is written in SQL reads them with capforecast._setting(), which loads the library
 * first: before that, a setting of our prefix is a placeholder that anyone can set.
 */
#include "postgres.h"

#include "fmgr.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "common/settings.h"

bool		setting_allow_time_travel = false;
int			setting_stripe_tolerance = 300;

static char *billing_timezone;
static bool manage_subscriptions = false;
static char *stripe_account;
static bool stripe_livemode = true;
static int	stripe_mirror_max_age = 360;
static char *stripe_schema;
static char *trial_action;

static bool
check_timezone(char **value, void **extra, GucSource source)
{
	if (pg_tzset(*value) != NULL)
		return true;
	GUC_check_errdetail("There is no time zone of this name.");
	GUC_check_errhint("SELECT name FROM pg_timezone_names lists them.");
	return false;
}

static bool
check_trial_action(char **value, void **extra, GucSource source)
{
	const char *downgrade = "downgrade:";

	if (strcmp(*value, "expire") == 0 || strcmp(*value, "activate") == 0 ||
		(strncmp(*value, downgrade, strlen(downgrade)) == 0 && strlen(*value) > strlen(downgrade)))
		return true;
	GUC_check_errhint("Use \"expire\", \"activate\", or \"downgrade:\" with the code of a tier.");
	return false;
}

void
settings_define(void)
{
	DefineCustomBoolVariable("capforecast.allow_time_travel",
							 "Lets functions that write take an as_of in the future.",
							 "For tests and rehearsals; otherwise as_of may be 5 minutes ahead of the clock at most.",
							 &setting_allow_time_travel, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("capforecast.billing_timezone",
							   "Time zone in which billing periods begin and end.",
							   "Kept with each subscription when it is first seen; a change counts for later ones only.",
							   &billing_timezone, "UTC", PGC_SUSET, 0, check_timezone, NULL, NULL);
	DefineCustomBoolVariable("capforecast.manage_subscriptions",
							 "Lets the jobs run that change the host's subscriptions.",
							 "Off: the host's application resets counters, ends trials and follows Stripe itself.",
							 &manage_subscriptions, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("capforecast.stripe_account",
							   "The Stripe account whose rows are read where a mirror holds several; empty: all.",
							   NULL, &stripe_account, "", PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("capforecast.stripe_livemode",
							 "Whether Stripe's live objects are read, or its test objects.",
							 NULL, &stripe_livemode, true, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("capforecast.stripe_mirror_max_age",
							"Age at which a mirror of Stripe is stale and only reported on.",
							NULL, &stripe_mirror_max_age, 360, 1, 43200, PGC_SUSET, GUC_UNIT_MIN, NULL, NULL, NULL);
	DefineCustomStringVariable("capforecast.stripe_schema",
							   "Schema of the mirror of Stripe's tables.",
							   "Where it has no table \"subscriptions\", the events given to ingest_stripe_event() are the source.",
							   &stripe_schema, "stripe", PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("capforecast.stripe_tolerance",
							"How far the time in a webhook's signature may be from the clock, either way.",
							NULL, &setting_stripe_tolerance, 300, 1, 86400, PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable("capforecast.trial_action",
							   "What becomes of a local subscription whose trial has ended: expire, activate or downgrade:<tier>.",
							   NULL, &trial_action, "expire", PGC_SUSET, 0, check_trial_action, NULL, NULL);
}

/*
 * capforecast._setting(name text) → text
 */
PG_FUNCTION_INFO_V1(capforecast_setting);
Datum
capforecast_setting(PG_FUNCTION_ARGS)
{
	char	   *name = psprintf("capforecast.%s", text_to_cstring(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_TEXT_P(cstring_to_text(GetConfigOptionByName(name, NULL, false)));
}
