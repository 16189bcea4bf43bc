/* SPDX-License-Identifier: MIT */
#include "engine/health.h"

#include "db/rec_history.h"

/* One with less says more of its overhead than of the line. */
#define TELLING_BYTES ((uint64_t)256 * 1024)
#define LOOK_AT 20
/* What one connection can have under way before another helps. */
#define WINDOW ((double)512 * 1024)
/* Fewer segments say nothing about loss. */
#define TELLING_SEGMENTS 10

/* Each quality's worst: round trip, and share of segments sent again. */
static const struct {
	const char *name;
	double rtt_ms;
	double loss;
} qualities[] = {
	[HEALTH_EXCELLENT] = { "excellent", 50, 0.001 },
	[HEALTH_GOOD] = { "good", 150, 0.01 },
	[HEALTH_FAIR] = { "fair", 400, 0.05 },
	[HEALTH_POOR] = { "poor", 1e9, 1 },
};

const char *
health_quality_name(enum health_quality q)
{
	return qualities[q].name;
}

static double
loss_of(const struct health_evidence *e)
{
	if (e->segments < TELLING_SEGMENTS)
		return 0;
	return (double)e->retransmits / (double)e->segments;
}

static enum health_quality
quality_of(const struct health_evidence *e)
{
	/* What jumps about is felt as its worst. */
	double rtt_ms = ((double)e->rtt_us + 2.0 * e->rttvar_us) / 1000;
	int q = HEALTH_EXCELLENT;

	if (e->rtt_us == 0)
		return HEALTH_GOOD;
	while (q < HEALTH_POOR &&
	       (rtt_ms > qualities[q].rtt_ms || loss_of(e) > qualities[q].loss))
		q++;
	return (enum health_quality)q;
}

/* The largest power of two that is not larger: a file's chunks are then of one
 * size from one time to the next. */
static uint64_t
round_down(double bytes)
{
	uint64_t size = HEALTH_CHUNK_MIN;

	while (size < HEALTH_CHUNK_MAX && (double)(2 * size) <= bytes)
		size *= 2;
	return size;
}

/* A chunk that breaks has to be sent again, so a lossy line has smaller
 * ones: half at one per cent, a quarter at three. */
static uint64_t
chunk_of(const struct health_evidence *e)
{
	double bytes = (double)e->rate_bps * HEALTH_CHUNK_S;

	return round_down(bytes / (1.0 + 100.0 * loss_of(e)));
}

static unsigned
parallel_of(const struct health_evidence *e)
{
	double under_way = (double)e->rate_bps * (double)e->rtt_us / 1e6;
	unsigned n = 1;

	while (n < HEALTH_PARALLEL_MAX && (double)n * WINDOW < under_way)
		n++;
	return n;
}

struct health_advice
health_judge(const struct health_evidence *e)
{
	struct health_advice a = {
		.quality = quality_of(e),
		.chunk_size = HEALTH_CHUNK_DEFAULT,
		.parallel = 1,
	};

	if (e->rate_bps > 0) {
		a.chunk_size = chunk_of(e);
		a.parallel = parallel_of(e);
	}
	return a;
}

/* --- what its transfers showed -------------------------------------------- */

struct looking {
	const struct client *client;
	int64_t since_ms;
	uint64_t best_bps;
};

static int
take(void *arg, const struct rec_transfer *t, struct err *err)
{
	struct looking *l = arg;

	(void)err;
	if (t->transferred >= TELLING_BYTES && t->speed_bps > l->best_bps &&
	    t->updated_ms >= l->since_ms)
		l->best_bps = t->speed_bps;
	return 0;
}

static int
look(struct db_tx *tx, void *arg, struct err *err)
{
	struct looking *l = arg;
	const struct rec_history_query q = {
		.prefix = "",
		.client_ip = l->client->ip,
		.status = REC_COMPLETED,
		.direction = -1,
		.before_ms = INT64_MAX,
		.limit = LOOK_AT,
	};

	return rec_history_each(tx, &q, take, l, err);
}

int
health_rate(struct engine *e, const struct client *client, uint64_t *ret_bps,
    struct err *err)
{
	struct looking l = { client, clock_wall_ms(e->clock) - HEALTH_RECENT_MS,
		0 };

	if (db_read(e->db, look, &l, err) < 0)
		return -1;
	*ret_bps = l.best_bps;
	return 0;
}
