/*
 * attempt.c
 *		Work in a subtransaction of its own, the way PL/pgSQL runs a block with an
 *		EXCEPTION clause.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "common/attempt.h"

static bool
must_be_raised(int sqlstate)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	return category == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		sqlstate == ERRCODE_LOCK_NOT_AVAILABLE;
}

bool
attempt_run(void (*work) (void *arg), void *arg, AttemptFailure *failure)
{
	if (attempt_run_catch_all(work, arg, failure))
		return true;
	if (must_be_raised(failure->error->sqlerrcode))
		ReThrowError(failure->error);
	return false;
}

bool
attempt_run_catch_all(void (*work) (void *arg), void *arg, AttemptFailure *failure)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		failure->sqlstate = pstrdup(unpack_sql_state(error->sqlerrcode));
		failure->message = error->message ? error->message : "an error without a message";
		failure->hint = error->hint;
		failure->error = error;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return done;
}

bool
attempt_was_cancelled(const AttemptFailure *failure)
{
	return ERRCODE_TO_CATEGORY(failure->error->sqlerrcode) ==
		ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION);
}
