/*
 * host_limits.h
 *		Pieces of statements that say what a subscription allows.
 */
#ifndef CAPFORECAST_HOST_LIMITS_H
#define CAPFORECAST_HOST_LIMITS_H

/*
 * The limit of one subscription: NULL where it is unlimited.  A custom limit below -1
 * means nothing and is read as none.
 */
#define LIMIT_OF(own, tier_limit) \
	"CASE WHEN " own " >= 0 THEN " own " WHEN " own " = -1 THEN NULL ELSE t." tier_limit " END"

#endif							/* CAPFORECAST_HOST_LIMITS_H */
