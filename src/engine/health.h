/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_HEALTH_H
#define ENGINE_HEALTH_H

/*
 * How good a client's network is, and how it had best send: docs/adr/0012.
 */

#include <stdint.h>

#include "base/err.h"
#include "engine/engine.h"

/* Advice without evidence, and its bounds. */
#define HEALTH_CHUNK_DEFAULT ((uint64_t)1024 * 1024)
#define HEALTH_CHUNK_MIN ((uint64_t)256 * 1024)
#define HEALTH_CHUNK_MAX ((uint64_t)64 * 1024 * 1024)
#define HEALTH_PARALLEL_MAX 8u
/* A chunk is to take so long. */
#define HEALTH_CHUNK_S 2

enum health_quality { HEALTH_EXCELLENT, HEALTH_GOOD, HEALTH_FAIR, HEALTH_POOR };
const char *health_quality_name(enum health_quality q);

/* What is known of a client's way to us. */
struct health_evidence {
	uint32_t rtt_us; /* smoothed; 0: unknown, and so are the next three */
	uint32_t rttvar_us;
	uint32_t retransmits; /* of segments */
	uint32_t segments;
	uint64_t rate_bps; /* of its recent transfers; 0: there are none */
};

struct health_advice {
	enum health_quality quality;
	uint64_t chunk_size;
	unsigned parallel;
};
/* Pure. */
struct health_advice health_judge(const struct health_evidence *e);

/* The rate of the fastest of the client's transfers that ended in the last
 * HEALTH_RECENT_MS and had some bytes to move; 0: there is none. */
#define HEALTH_RECENT_MS (10 * 60 * 1000)
int health_rate(struct engine *e, const struct client *client,
    uint64_t *ret_bps, struct err *err);

#endif
