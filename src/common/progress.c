/*
 * progress.c
 *		How far long work has got, where another session can see it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "common/progress.h"

/* progress() in sql/common/20_progress.sql reads this form. */
#define PREFIX			"capforecast: "

static bool is_shown = false;
static char shown_what[32];
static TimestampTz started_at;

static void
at_end_of_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		progress_end();
}

void
progress_report(const char *what, int64 done, int64 total)
{
	static bool is_registered = false;
	TimestampTz now = GetCurrentTimestamp();
	char		text[NAMEDATALEN];

	if (!is_registered)
	{
		RegisterXactCallback(at_end_of_transaction, NULL);
		is_registered = true;
	}
	if (!is_shown || strncmp(what, shown_what, sizeof(shown_what) - 1) != 0)
	{
		started_at = now;
		strlcpy(shown_what, what, sizeof(shown_what));
	}
	is_shown = true;
	if (total >= 0)
		snprintf(text, sizeof(text), PREFIX "%s " INT64_FORMAT "/" INT64_FORMAT " " INT64_FORMAT,
				 shown_what, done, total, (int64) timestamptz_to_time_t(started_at));
	else
		snprintf(text, sizeof(text), PREFIX "%s " INT64_FORMAT " " INT64_FORMAT,
				 shown_what, done, (int64) timestamptz_to_time_t(started_at));
	pgstat_report_appname(text);
}

void
progress_end(void)
{
	if (!is_shown)
		return;
	is_shown = false;
	pgstat_report_appname(application_name ? application_name : "");
}

/*
 * capforecast._report_progress(what text, done bigint, total bigint)
 *		The same for work that is written in SQL; NULL for done: it is over.
 */
PG_FUNCTION_INFO_V1(capforecast_report_progress);
Datum
capforecast_report_progress(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		progress_end();
	else
		progress_report(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INT64(1), PG_ARGISNULL(2) ? -1 : PG_GETARG_INT64(2));
	PG_RETURN_VOID();
}
