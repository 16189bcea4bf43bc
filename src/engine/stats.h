/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

/*
 * What all transfers add up to, in both directions, and who their clients are.
 * Constant time, however long the history is: the sums are kept with each
 * change (db/rec_counter.h, db/rec_client.h).
 *
 * Sums cannot be split by a key's prefix: ERR_FORBIDDEN for such (rule 26).
 * Any thread; each call waits for one read of the database.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "db/rec_client.h"
#include "db/rec_counter.h"
#include "engine/engine.h"

struct stats_type {
	char extension[REC_COUNTER_NAME]; /* ".txt"; "" without, "*" others */
	uint64_t uploads;
};

struct stats {
	uint64_t transfers;
	uint64_t bytes; /* that completed ones moved */
	uint64_t completed;
	uint64_t failed;
	uint64_t active; /* moving now */
	uint64_t queued; /* waiting now */
	double seconds;  /* that the completed ones took */
	uint64_t clients;
	uint64_t encrypted; /* uploads */
	uint64_t uploads;
	uint64_t downloads;
	struct stats_type *types; /* owned */
	size_t type_count;
};
void stats_fini(struct stats *s);
int stats_get(struct engine *e, const struct principal *who, struct stats *ret,
    struct err *err);
/* The object of GET /stats. */
json_t *stats_json(const struct stats *s, uint64_t uptime_s);

/* --- clients -------------------------------------------------------------- */

#define STATS_CLIENTS_MAX 1000u
#define STATS_FILES_MAX 100u /* the newest of each */

struct stats_client {
	struct rec_client rec;
	char **files; /* owned, no name twice */
	size_t file_count;
};
struct stats_clients {
	struct stats_client *list; /* owned; most recent first */
	size_t count;
};
void stats_clients_fini(struct stats_clients *c);
int stats_get_clients(struct engine *e, const struct principal *who,
    struct stats_clients *ret, struct err *err);

#endif
