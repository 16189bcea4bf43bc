/* SPDX-License-Identifier: MIT */
#ifndef API_QUALITY_H
#define API_QUALITY_H

/* How good the connection is that a request came on. */

#include "api/call.h"
#include "engine/health.h"

/* What the system knows of it; the rate is not filled in. */
void quality_evidence(const struct call *c, struct health_evidence *ret);

/* Logs when it turns unstable, and when it recovers (engine/wary.h): for
 * requests that moved something, and on /ping. */
void quality_note(const struct call *c, enum health_quality quality,
    const struct health_evidence *e);

#endif
