/*
 * host_schema.c
 *		The host application's tables: logical names, kinds of columns, and what
 *		can stand for a column that a table does not have.
 *
 * This is the only list of them.  Statements name tables and columns through it
 * (host_template.h), bind() and doctor() check against it.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "host/host_schema.h"

#define CREATED_AT {"created_at", HOST_TIME, NULL, "created inserted_at date_created date_joined started started_at"}
#define KEY {"id", HOST_ANY, NULL, "uuid"}
#define VENDOR_KEY {"vendor_id", HOST_ANY, NULL, "tenant_id account_id merchant_id shop_id"}
#define IS_ACTIVE {"is_active", HOST_BOOL, "?true", "active enabled is_enabled"}

static const HostColumn vendors[] = {
	KEY,
	{"name", HOST_TEXT, "NULL::text", "title company_name"},
	IS_ACTIVE,
	CREATED_AT,
};

static const HostColumn subscription_tiers[] = {
	{"code", HOST_TEXT, NULL, "id slug key"},
	{"name", HOST_TEXT, "NULL::text", "title nickname"},
	{"products_limit", HOST_LIMIT, "?NULL::bigint",
	"max_products product_limit max_projects projects_limit max_items max_listings products projects items"},
	{"orders_per_month", HOST_LIMIT, "?NULL::bigint",
	"max_orders orders_limit order_limit monthly_orders max_orders_per_month orders"},
	{"team_members", HOST_LIMIT, "?NULL::bigint",
	"max_users team_limit seats max_seats user_limit users_limit max_members max_team_members users members"},
	{"price_monthly_cents", HOST_NUMBER, "?NULL::bigint",
	"price_cents monthly_price_cents amount unit_amount price monthly_price price_monthly"},
	{"price_annual_cents", HOST_NUMBER, "NULL::bigint",
	"price_yearly_cents yearly_price annual_price price_annual price_yearly"},
	{"currency", HOST_TEXT, "'EUR'::text", NULL},
	{"features", HOST_JSON, "'[]'::jsonb", NULL},
	{"display_order", HOST_NUMBER, "0", "position sort_order"},
	IS_ACTIVE,
	{"stripe_price_monthly_id", HOST_TEXT, "NULL::text", NULL},
	{"stripe_price_annual_id", HOST_TEXT, "NULL::text", NULL},
};

static const HostColumn vendor_subscriptions[] = {
	KEY,
	VENDOR_KEY,
	{"tier", HOST_TEXT, NULL,
	"tier_id plan_id subscription_plan_id plan plan_code stripe_price processor_plan price_id"},
	{"status", HOST_TEXT, NULL, "state stripe_status"},
	{"is_annual", HOST_BOOL, "false", NULL},
	{"period_start", HOST_TIME, "?NULL::timestamptz", "current_period_start start_date started_at"},
	{"period_end", HOST_TIME, "?NULL::timestamptz", "current_period_end next_billing_date expires_at"},
	{"trial_ends_at", HOST_TIME, "NULL::timestamptz", "trial_end trial_end_date"},
	{"orders_this_period", HOST_NUMBER, "?NULL::bigint", "orders_count order_count"},
	{"orders_limit_reached_at", HOST_TIME, "NULL::timestamptz", NULL},
	{"custom_orders_limit", HOST_NUMBER, "NULL::bigint", NULL},
	{"custom_products_limit", HOST_NUMBER, "NULL::bigint", NULL},
	{"custom_team_limit", HOST_NUMBER, "NULL::bigint", NULL},
	{"cancelled_at", HOST_TIME, "NULL::timestamptz", "canceled_at ended_at ends_at end_date"},
	{"cancel_at_period_end", HOST_BOOL, "false", NULL},
	{"cancellation_reason", HOST_TEXT, "NULL::text", NULL},
	{"stripe_customer_id", HOST_TEXT, "NULL::text", NULL},
	{"stripe_subscription_id", HOST_TEXT, "NULL::text", "stripe_id processor_id"},
	{"stripe_price_id", HOST_TEXT, "NULL::text", "stripe_price"},
	CREATED_AT,
	{"updated_at", HOST_TIME, "NULL::timestamptz", NULL},
};

static const HostColumn products[] = {
	KEY,
	VENDOR_KEY,
	IS_ACTIVE,
	CREATED_AT,
};

static const HostColumn vendor_users[] = {
	KEY,
	VENDOR_KEY,
	IS_ACTIVE,
	{"created_at", HOST_TIME, "NULL::timestamptz", "created inserted_at joined_at"},
};

static const HostColumn orders[] = {
	KEY,
	VENDOR_KEY,
	{"status", HOST_TEXT, "NULL::text", "state"},
	CREATED_AT,
};

static const HostColumn addon_products[] = {
	KEY,
	{"code", HOST_TEXT, NULL, "slug"},
	{"name", HOST_TEXT, "NULL::text", "title"},
	{"price_cents", HOST_NUMBER, NULL, "amount"},
	{"currency", HOST_TEXT, "'EUR'::text", NULL},
	{"billing_period", HOST_TEXT, "'monthly'::text", "interval"},
	{"max_quantity", HOST_NUMBER, "NULL::integer", NULL},
	{"grants_resource", HOST_TEXT, "NULL::text", NULL},
	{"grants_per_unit", HOST_NUMBER, "0", NULL},
	{"stripe_price_id", HOST_TEXT, "NULL::text", NULL},
	IS_ACTIVE,
};

static const HostColumn vendor_addons[] = {
	KEY,
	VENDOR_KEY,
	{"addon_product_id", HOST_ANY, NULL, "addon_id product_id"},
	{"status", HOST_TEXT, NULL, "state"},
	{"quantity", HOST_NUMBER, "1", NULL},
	{"unit_price_cents", HOST_NUMBER, "NULL::bigint", NULL},
	{"period_start", HOST_TIME, "NULL::timestamptz", "current_period_start"},
	{"period_end", HOST_TIME, "NULL::timestamptz", "current_period_end"},
	{"stripe_subscription_item_id", HOST_TEXT, "NULL::text", NULL},
	{"cancelled_at", HOST_TIME, "NULL::timestamptz", "canceled_at"},
	{"updated_at", HOST_TIME, "NULL::timestamptz", NULL},
};

static const HostColumn billing_history[] = {
	KEY,
	VENDOR_KEY,
	{"stripe_invoice_id", HOST_TEXT, "NULL::text", NULL},
	{"invoice_number", HOST_TEXT, "NULL::text", NULL},
	{"invoice_date", HOST_TIME, NULL, "issued_at"},
	{"due_date", HOST_TIME, "NULL::timestamptz", NULL},
	{"period_start", HOST_TIME, "NULL::timestamptz", NULL},
	{"period_end", HOST_TIME, "NULL::timestamptz", NULL},
	{"subtotal_cents", HOST_NUMBER, "NULL::bigint", NULL},
	{"total_cents", HOST_NUMBER, NULL, "amount_cents"},
	{"amount_paid_cents", HOST_NUMBER, "NULL::bigint", NULL},
	{"currency", HOST_TEXT, "'EUR'::text", NULL},
	{"status", HOST_TEXT, NULL, "state"},
	{"description", HOST_TEXT, "NULL::text", NULL},
	{"line_items", HOST_JSON, "'[]'::jsonb", NULL},
};

#define ENTITY(table, feeds, other_names, words) {#table, feeds, other_names, table, lengthof(table), words}

static const HostEntity entities[] = {
	ENTITY(vendors, "vendor counts",
	"tenants shops merchants stores sellers teams organizations organisations companies workspaces accounts", NULL),
	ENTITY(subscription_tiers, "theoretical limits", "tiers plans subscription_plans pricing_plans", NULL),
	ENTITY(vendor_subscriptions, "subscription counts, orders and limits",
	"subscriptions tenant_subscriptions shop_subscriptions account_subscriptions",
	"trial active past_due cancelled expired"),
	ENTITY(products, "product counts", "listings items projects sites", NULL),
	ENTITY(vendor_users, "team member counts",
	"team_members memberships members shop_users tenant_users account_users", NULL),
	ENTITY(orders, "order counts per period", "sales purchases bookings runs", NULL),
	ENTITY(addon_products, "add-on prices and grants", "addons add_ons", NULL),
	ENTITY(vendor_addons, "add-ons of a vendor",
	"subscription_addons tenant_addons shop_addons", "pending active cancelling cancelled"),
	ENTITY(billing_history, "invoices", "invoices", "draft open paid void uncollectible"),
};

StaticAssertDecl(lengthof(entities) <= HOST_MAX_ENTITIES, "HOST_MAX_ENTITIES is too small");

const HostEntity *
host_schema_entities(int *n_entities)
{
	*n_entities = lengthof(entities);
	return entities;
}

const HostEntity *
host_schema_entity(const char *name)
{
	for (int i = 0; i < lengthof(entities); i++)
		if (strcmp(entities[i].name, name) == 0)
			return &entities[i];
	return NULL;
}

const HostColumn *
host_schema_column(const HostEntity *entity, const char *name)
{
	for (int i = 0; i < entity->n_columns; i++)
		if (strcmp(entity->columns[i].name, name) == 0)
			return &entity->columns[i];
	return NULL;
}

/* "a, b, c": the names for a hint, in the current memory context. */
static char *
entity_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < lengthof(entities); i++)
		appendStringInfo(&names, "%s%s", i ? ", " : "", entities[i].name);
	return names.data;
}

static char *
column_names(const HostEntity *entity)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < entity->n_columns; i++)
		appendStringInfo(&names, "%s%s", i ? ", " : "", entity->columns[i].name);
	return names.data;
}

const HostEntity *
host_schema_entity_named(const char *name)
{
	const HostEntity *entity = host_schema_entity(name);

	if (entity == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("entity \"%s\" does not exist", name),
				 errhint("The entities are %s.", entity_names())));
	return entity;
}

const HostColumn *
host_schema_column_named(const HostEntity *entity, const char *name)
{
	const HostColumn *column = host_schema_column(entity, name);

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("entity \"%s\" has no column \"%s\"", entity->name, name),
				 errhint("Its columns are %s.", column_names(entity))));
	return column;
}
