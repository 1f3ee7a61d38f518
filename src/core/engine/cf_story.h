/*
 * cf_story.h
 *		What has happened in a series, told from its regimes.
 */
#ifndef CF_STORY_H
#define CF_STORY_H

#include "core/cf_core.h"
#include "core/engine/cf_event.h"
#include "core/engine/cf_insight.h"

/* Events of p (wrong values, falls) and of its regimes; index in steps of the series as given. */
extern void cf_story_tell(const CfPrepared *p, const CfInsight *insight, CfEvents *events);

#endif							/* CF_STORY_H */
