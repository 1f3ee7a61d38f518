/*
 * settings.h
 *		The settings, read once here.
 */
#ifndef CAPFORECAST_SETTINGS_H
#define CAPFORECAST_SETTINGS_H

/* How far as_of may be ahead of the clock: servers and applications differ a little. */
#define CLOCK_TOLERANCE_MINUTES		5

extern bool setting_allow_time_travel;
extern int	setting_stripe_tolerance;	/* seconds */

/* Called once, when the library is loaded. */
extern void settings_define(void);

#endif							/* CAPFORECAST_SETTINGS_H */
