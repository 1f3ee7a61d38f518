/*
 * host_template.c
 *		Statements against the host's tables, written with logical names: the one place
 *		where their text is made.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "common/scope.h"
#include "host/host_binding.h"
#include "host/host_parts.h"
#include "host/host_orders.h"
#include "host/host_template.h"

typedef struct Expansion
{
	List	   *met;			/* the bindings met so far */
	HostOrders	orders;
	bool		gathers;		/* sources are read to here before anything is done with them */
} Expansion;

static HostBinding *
binding_of(Expansion *expansion, const char *name)
{
	ListCell   *cell;
	const HostEntity *entity = host_schema_entity_named(name);
	HostBinding *binding;
	HostProblem problem;

	foreach(cell, expansion->met)
	{
		binding = lfirst(cell);
		if (binding->entity == entity)
			return binding;
	}
	binding = host_binding_find(entity);
	problem = host_binding_table_problem(binding);
	if (problem.sqlstate != 0)
		host_problem_raise(&problem);
	expansion->met = lappend(expansion->met, binding);
	return binding;
}

/* A column by its bare name: it must be one that can be written. */
static char *
bare_name(const HostBinding *binding, const HostColumn *column)
{
	char	   *name = host_binding_column_name(binding, column);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table %s has no column for \"%s\" of entity \"%s\"",
						binding->relation, column->name, binding->entity->name),
				 errhint("Bind it with SELECT capforecast.bind('%s', '%s', '{\"%s\": \"your_column\"}').",
						 binding->entity->name, binding->relation, column->name)));
	return name;
}

/* The table of orders, where it stands for the subscriptions' counter; else NULL. */
static HostBinding *
counted_orders(const HostBinding *binding, HostOrders orders)
{
	if (orders == HOST_ORDERS_NOT_COUNTED || strcmp(binding->entity->name, "vendor_subscriptions") != 0)
		return NULL;
	return host_orders_countable(binding);
}

static char *
column_value(const HostBinding *binding, const HostColumn *column, const char *prefix, HostOrders orders)
{
	char	   *expression;
	HostProblem problem;

	if (strcmp(column->name, "orders_this_period") == 0 && counted_orders(binding, orders) != NULL)
		return psprintf("%s" HOST_ORDERS_COLUMN, prefix);
	problem = host_binding_column_problem(binding, column, prefix, &expression);
	if (problem.sqlstate != 0)
		host_problem_raise(&problem);
	return expression;
}

/* Does the text end with one of the words after which a table is written to? */
static bool
is_written(const char *text, int length)
{
	static const char *const words[] = {"UPDATE ", "INTO ", "DELETE FROM "};

	for (int i = 0; i < lengthof(words); i++)
	{
		int			n = (int) strlen(words[i]);

		if (length >= n && strncmp(text + length - n, words[i], n) == 0)
			return true;
	}
	return false;
}

/* Templates have keywords in capitals: a small letter begins an alias. */
static bool
has_alias(const char *after)
{
	return after[0] == ' ' && islower((unsigned char) after[1]);
}

/* The rows of an entity, where the name of a table stands. */
static char *
expand_source(const HostBinding *binding, const Expansion *expansion, const char *before, int length, const char *after)
{
	const char *alias = has_alias(after) ? NULL : binding->entity->name;
	bool		is_locked = strstr(after, "FOR UPDATE") != NULL || strstr(after, "FOR NO KEY UPDATE") != NULL;
	bool		is_gathered = expansion->gathers && !is_locked;
	const char *inner = is_gathered ? "there" : alias;
	HostBinding *counted;
	char	   *source;

	if (is_written(before, length))
		return binding->relation;
	counted = counted_orders(binding, expansion->orders);
	if (counted != NULL)
		source = host_orders_source(binding, counted, inner, !is_locked, expansion->orders == HOST_ORDERS_LOOKED_UP);
	else
		source = host_binding_source(binding, inner, !is_locked);
	if (is_gathered)
		return psprintf("(SELECT * FROM %s OFFSET 0)%s%s", source, alias ? " AS " : "", alias ? alias : "");
	return source;
}

/* One name in braces, without them: [!|alias:|$n:]entity[.column]; between what is written and what follows. */
static char *
expand_name(Expansion *expansion, char *token, const char *before, int length, const char *after)
{
	char	   *colon = strchr(token, ':');
	char	   *entity_name = colon ? colon + 1 : token + (token[0] == '!');
	char	   *column_name = strchr(entity_name, '.');
	HostBinding *binding;
	const HostColumn *column;

	if (colon != NULL)
		*colon = '\0';
	if (column_name != NULL)
		*column_name++ = '\0';
	binding = binding_of(expansion, entity_name);
	if (column_name == NULL && colon != NULL && strcmp(token, "sample") == 0)
		return host_binding_sample(binding);
	if (column_name == NULL)
		return expand_source(binding, expansion, before, length, after);
	column = host_schema_column_named(binding->entity, column_name);
	if (token[0] == '!')
		return bare_name(binding, column);
	if (token[0] == '$')
		return host_binding_cast(binding, column, token);
	return column_value(binding, column, colon ? psprintf("%s.", token) : "", expansion->orders);
}

/* What a function of the extension returns. */
static char *
call_fragment(const char *token)
{
	scope_execute(psprintf("SELECT capforecast.%s", token), 0, NULL, NULL, NULL, true, SPI_OK_SELECT);
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* ---------- conditions ---------- */

static bool
has(const char *names, HostOrders orders)
{
	char	   *list = pstrdup(names);

	for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ","))
	{
		char	   *column_name = strchr(name, '.');
		const HostEntity *entity;
		HostBinding *binding;

		if (column_name != NULL)
			*column_name++ = '\0';
		entity = host_schema_entity_named(name);
		binding = host_binding_find(entity);
		if (!OidIsValid(binding->relid) ||
			(column_name != NULL && !host_binding_has_column(binding, host_schema_column_named(entity, column_name)) &&
			 (strcmp(column_name, "orders_this_period") != 0 || counted_orders(binding, orders) == NULL)))
			return false;
	}
	return true;
}

bool
host_template_has(const char *names)
{
	return has(names, HOST_ORDERS_COUNTED);
}

/* After the {else} (if one is asked for) or the {end} of the condition that the text is within. */
static const char *
after_branch(const char *at, bool or_else)
{
	int			depth = 0;

	while ((at = strchr(at, '{')) != NULL)
	{
		if (strncmp(at, "{if:", 4) == 0 || strncmp(at, "{each:", 6) == 0)
			depth++;
		else if (strncmp(at, "{end}", 5) == 0 && depth-- == 0)
			return at + 5;
		else if (strncmp(at, "{else}", 6) == 0 && depth == 0 && or_else)
			return at + 6;
		at++;
	}
	elog(ERROR, "a condition of a template has no end");
}

/* Past one of {if:...}, {else}, {end}, and the branch that is not taken; NULL: it is none of them. */
static const char *
step_over_condition(const char *open, HostOrders orders)
{
	const char *close = strchr(open, '}');

	if (strncmp(open, "{if:", 4) == 0 && close != NULL)
		return has(pnstrdup(open + 4, close - open - 4), orders) ? close + 1 : after_branch(close + 1, true);
	if (strncmp(open, "{else}", 6) == 0)
		return after_branch(open + 6, false);
	if (strncmp(open, "{end}", 5) == 0)
		return open + 5;
	return NULL;
}

/* ---------- expanding ---------- */

static void expand_into(StringInfo sql, Expansion *expansion, const char *template);

/* {each:entity} body {end}: the body for the table, or for each of its parts; returns what follows. */
static const char *
expand_each(StringInfo sql, Expansion *expansion, const char *open)
{
	const char *body = strchr(open, '}') + 1;
	const char *after = after_branch(body, false);
	char	   *text = pnstrdup(body, after - strlen("{end}") - body);
	HostBinding *binding = binding_of(expansion, pnstrdup(open + 6, body - 1 - open - 6));
	char	   *whole = binding->relation;
	List	   *parts = host_parts(binding);
	ListCell   *cell;

	if (parts == NIL)
		parts = list_make1(whole);
	foreach(cell, parts)
	{
		binding->relation = lfirst(cell);
		expand_into(sql, expansion, text);
		if (lnext(parts, cell) != NULL)
			appendStringInfoString(sql, " UNION ALL ");
	}
	binding->relation = whole;
	return after;
}

static void
expand_into(StringInfo sql, Expansion *expansion, const char *template)
{
	const char *at = template;
	const char *open;

	check_stack_depth();
	while ((open = strchr(at, '{')) != NULL)
	{
		size_t		length = strspn(open + 1, "abcdefghijklmnopqrstuvwxyz_.:!$0123456789");
		const char *end_of_call = NULL;
		const char *next;

		appendBinaryStringInfo(sql, at, open - at);
		next = step_over_condition(open, expansion->orders);
		if (next != NULL)
		{
			at = next;
			continue;
		}
		if (strncmp(open, "{each:", 6) == 0)
		{
			at = expand_each(sql, expansion, open);
			continue;
		}
		at = open + 1;
		if (length > 0 && at[0] == '_' && at[length] == '(')
			end_of_call = strstr(at, ")}");
		if (end_of_call != NULL)
		{
			expand_into(sql, expansion, call_fragment(pnstrdup(at, end_of_call + 1 - at)));
			at = end_of_call + 2;
		}
		else if (length > 0 && (isalpha((unsigned char) at[0]) || strchr("!$", at[0])) && at[length] == '}')
		{
			appendStringInfoString(sql, expand_name(expansion, pnstrdup(at, length), sql->data, sql->len, at + length + 1));
			at += length + 1;
		}
		else
			appendStringInfoChar(sql, '{');		/* of an array or JSON literal */
	}
	appendStringInfoString(sql, at);
}

/* Rows that are locked or written are the host's own: nothing can be counted beside them. */
static bool
is_of_own_rows(const char *template)
{
	static const char *const marks[] = {"FOR UPDATE", "FOR NO KEY UPDATE", "UPDATE {vendor_subscriptions}"};

	for (int i = 0; i < lengthof(marks); i++)
		if (strstr(template, marks[i]) != NULL)
			return true;
	return false;
}

/* Is a table of ours, which no node but this one has, read beside the host's? */
static bool
reads_own_table(const char *sql)
{
	const char *at = sql;

	while ((at = strstr(at, " capforecast.")) != NULL)
	{
		bool		is_source = at - sql >= 4 && (strncmp(at - 4, "FROM", 4) == 0 || strncmp(at - 4, "JOIN", 4) == 0);

		at += strlen(" capforecast.");
		at += strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
		if (is_source && *at != '(')
			return true;
	}
	return false;
}

static char *
expand(const char *template, HostOrders orders, bool gathers)
{
	StringInfoData sql;
	Expansion	expansion = {NIL, is_of_own_rows(template) ? HOST_ORDERS_NOT_COUNTED : orders, gathers};

	initStringInfo(&sql);
	expand_into(&sql, &expansion, template);
	return sql.data;
}

/*
 * Citus joins its tables with ours only after it has read them to here, which a subquery that
 * nothing can be pushed into makes it do.
 */
char *
host_template_expand(const char *template, HostOrders orders)
{
	char	   *sql = expand(template, orders, false);

	if (host_parts_by_citus() && reads_own_table(sql))
		sql = expand(template, orders, true);
	return sql;
}
