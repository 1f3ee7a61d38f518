/*
 * host_problems.c
 *		The findings about bindings that doctor() shows.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/row.h"
#include "common/scope.h"
#include "host/host_binding.h"

/* The sentence of the detail becomes a part of the message. */
static char *
problem_text(const HostProblem *problem)
{
	char	   *detail;

	if (problem->detail == NULL)
		return problem->message;
	detail = pnstrdup(problem->detail, strlen(problem->detail) - 1);
	detail[0] = pg_tolower((unsigned char) detail[0]);
	return psprintf("%s: %s", problem->message, detail);
}

static void
put_problem(ReturnSetInfo *rsinfo, const char *subject, const HostProblem *problem)
{
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	values[0] = CStringGetTextDatum(subject);
	values[1] = CStringGetTextDatum(unpack_sql_state(problem->sqlstate));
	values[2] = CStringGetTextDatum(problem_text(problem));
	values[3] = CStringGetTextDatum(problem->statement ? problem->statement : problem->fix);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* A column that need not be there is not, but one of another usual name is. */
static HostProblem
lookalike(const HostBinding *binding, const HostColumn *column)
{
	HostProblem problem = {0};
	char	   *physical = binding->columns[column - binding->entity->columns].name;
	char	   *guess;

	if (physical == NULL || get_attnum(binding->relid, physical) > 0)
		return problem;
	guess = host_binding_likely_column(binding, column);
	if (guess == NULL)
		return problem;
	problem.sqlstate = ERRCODE_WARNING;
	problem.message = psprintf("column \"%s\" of table %s may be what \"%s\" stands for, and is not read",
							   guess, binding->relation, column->name);
	problem.statement = host_binding_proposal(binding);
	return problem;
}

/*
 * capforecast._host_problems() → (subject, sqlstate, problem, fix)
 */
PG_FUNCTION_INFO_V1(capforecast_host_problems);
Datum
capforecast_host_problems(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const HostEntity *entities;
	int			n_entities;
	Scope		scope;

	row_set(fcinfo, 4);
	scope_enter(&scope);
	entities = host_schema_entities(&n_entities);
	for (int i = 0; i < n_entities; i++)
	{
		HostBinding *binding = host_binding_find(&entities[i]);
		HostProblem problem = host_binding_table_problem(binding);

		if (problem.sqlstate == 0)
			problem = host_binding_trust_problem(binding);
		if (problem.sqlstate != 0)
			put_problem(rsinfo, entities[i].name, &problem);
		if (problem.sqlstate != 0 && problem.sqlstate != ERRCODE_WARNING_PRIVILEGE_NOT_GRANTED)
			continue;
		for (int c = 0; c < entities[i].n_columns; c++)
		{
			char	   *expression;

			problem = host_binding_column_problem(binding, &entities[i].columns[c], "", &expression);
			if (problem.sqlstate == 0)
				problem = lookalike(binding, &entities[i].columns[c]);
			if (problem.sqlstate != 0)
				put_problem(rsinfo, psprintf("%s.%s", entities[i].name, entities[i].columns[c].name), &problem);
		}
	}
	scope_leave(&scope);
	return (Datum) 0;
}
