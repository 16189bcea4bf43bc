/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECOVER_H
#define ENGINE_RECOVER_H

/*
 * Objects and records made to agree again.  Nothing is ever deleted from the
 * objects: what no record names goes to lost/ (rule 3).
 */

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

/* After a lost, restored or exchanged database, before serving: records of
 * all objects that have none, from their birth records; of several objects
 * of one name the newest, the others stay without.  *${ret_files}: how many
 * records were made. */
int recover_rebuild(struct engine *e, uint64_t *ret_files, struct err *err);
/* The same for objects of before ${before_ms}, beside a server, which may be
 * about to record those that it has just published.  ${recorded} names each
 * file. */
struct recover_older {
	int64_t before_ms;
	void (*recorded)(void *arg, const char *filename);
	void *arg;
};
int recover_rebuild_older(struct engine *e, const struct recover_older *older,
    uint64_t *ret_files, struct err *err);

struct recover_found {
	uint64_t lost;    /* objects without a record, set aside */
	uint64_t missing; /* records without their bytes, marked */
};
/* In the background while serving.  ${stop} is asked before each object and
 * each record; it may wait before it answers, which sets the pace: nothing is
 * held meanwhile but a directory.  Files found are named through ${report}. */
struct recover_check {
	bool (*stop)(void *arg);
	void (*report)(void *arg, const char *what, const char *name);
	void *arg;
};
int recover_run(struct engine *e, const struct recover_check *check,
    struct recover_found *ret, struct err *err);

#endif
