/*
 * host_limits.h
 *		Pieces of statements that say what a subscription allows.
 */
#ifndef CAPFORECAST_HOST_LIMITS_H
#define CAPFORECAST_HOST_LIMITS_H

/*
 * A tier's row, at most one however the codes are kept.  Codes are equal when their
 * bytes are: the two columns may have different collations.
 */
#define TIER_OF(tier) \
	"LEFT JOIN LATERAL (SELECT true AS found, {t:subscription_tiers.products_limit} AS products_limit, " \
	"         {t:subscription_tiers.orders_per_month} AS orders_limit, " \
	"         {t:subscription_tiers.team_members} AS team_limit " \
	"    FROM {subscription_tiers} t WHERE {t:subscription_tiers.code} COLLATE \"C\" = " tier " LIMIT 1) t ON true "

/* The limit of one subscription: NULL where it is unlimited. */
#define LIMIT_OF(own, tier_limit) \
	"CASE WHEN " own " = -1 THEN NULL WHEN " own " IS NOT NULL THEN " own " ELSE t." tier_limit " END"

#endif							/* CAPFORECAST_HOST_LIMITS_H */
