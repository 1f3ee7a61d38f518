/*
 * host_vendor.h
 *		What each vendor uses, and what it is allowed.
 */
#ifndef CAPFORECAST_HOST_VENDOR_H
#define CAPFORECAST_HOST_VENDOR_H

/*
 * A row per vendor that exists or uses something (vendor '' is what has none): vendor
 * (text), products, orders, team_members (bigint).  Reads each table once.
 */
extern const char *const host_vendor_usage;

/* What must be there (host_template.h) for products, orders and team_members to be known. */
extern const char *const host_vendor_usage_needs[3];

/*
 * A row per active or trial subscription whose tier has a row: vendor (text), tier,
 * period_end, and for products, orders and team_members the effective limit x_limit
 * (custom or tier, plus add-ons; NULL: unlimited) and what add-ons add to it, x_extra.
 */
extern const char *const host_vendor_limits;

/* A row per active tier: code, price (monthly, minor units), currency, position, products_limit, orders_limit, team_limit. */
extern const char *const host_vendor_tiers;

/* vendor (text) and name of every vendor. */
extern const char *const host_vendor_names;

#endif							/* CAPFORECAST_HOST_VENDOR_H */
