/*
 * capture_statistic.h
 *		What the values of a day, or of an hour, become.
 */
#ifndef CAPFORECAST_CAPTURE_STATISTIC_H
#define CAPFORECAST_CAPTURE_STATISTIC_H

/* The SQL over the columns at and value of own_metric.statistic; what is nearest to the limit where direction is down. */
extern const char *capture_statistic(const char *statistic, const char *direction);

#endif							/* CAPFORECAST_CAPTURE_STATISTIC_H */
