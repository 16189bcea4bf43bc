/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STATS_NEWS_H
#define ENGINE_STATS_NEWS_H

/*
 * The statistics as events: read when somebody may be told of them, and told
 * to each listener at once when it comes, then when they changed and a second
 * after what it was told last (BUS_STATS_MS).  Each has a second of its own;
 * so that many do not ask the database all the time, what becomes due within
 * STATS_NEWS_READ_MS of a read waits for the next.
 *
 * The feed's thread owns it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/engine.h"

#define STATS_NEWS_READ_MS 100

struct stats_news {
	struct engine *engine;
	int64_t began_ms;  /* monotonic, as the next two */
	int64_t read_ms;   /* when they were read last */
	int64_t next_ms;   /* nobody who is there may be told before */
	bool is_late;      /* somebody was told others, a moment ago */
	uint64_t number;   /* of the newest: another one when they differ */
	struct buf newest; /* without the uptime */
};
void stats_news_init(struct stats_news *n, struct engine *e);
void stats_news_fini(struct stats_news *n);

/* Reads them, and tells those who are due.  Cannot be read: nobody. */
void stats_news_publish(struct stats_news *n, int64_t now_ms);
/* When that is to be done, if they have changed or not; 0: not until then. */
int64_t stats_news_due_ms(const struct stats_news *n, bool have_changed);

#endif
