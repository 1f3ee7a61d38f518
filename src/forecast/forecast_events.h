/*
 * forecast_events.h
 *		What has happened in a history, in the words that every answer about it shares.
 */
#ifndef CAPFORECAST_FORECAST_EVENTS_H
#define CAPFORECAST_FORECAST_EVENTS_H

#include "postgres.h"

#include "core/cf_core.h"
#include "core/engine/cf_event.h"
#include "core/time/cf_grid.h"
#include "forecast/forecast_known_days.h"

/* "one-off +100000 on 2026-03-22; pace changed -2.5 on 2026-05-01"; NULL where nothing happened. */
extern char *forecast_events_text(const CfEvents *events, const CfGrid *grid, const NamedDays *named);

/* As in SQL: stock, flow, gauge. */
extern const char *forecast_kind_name(CfKind kind);

#endif							/* CAPFORECAST_FORECAST_EVENTS_H */
