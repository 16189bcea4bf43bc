/* SPDX-License-Identifier: MIT */
#ifndef UNIT_ENGINE_FIXTURE_H
#define UNIT_ENGINE_FIXTURE_H

/*
 * An engine for tests: storage and database in memory, a clock that stands.
 * One at a time.
 */

#include "engine/bus.h"
#include "engine/download.h"
#include "engine/engine.h"
#include "engine/upload.h"

struct fixture {
	struct engine *engine;
	struct settings settings;
	struct clock_manual clock;
	struct principal who; /* without a key, all names */
	struct client client;
};

/* ${url}: of the storage, "mem:" when NULL. */
void fixture_init(struct fixture *f, const char *url);
void fixture_fini(struct fixture *f);

/* download_open() without a key. */
int fixture_open(struct fixture *f, const char *filename,
    struct download **ret_d, struct err *err);
/* download_start() by the fixture's client. */
int fixture_start(struct fixture *f, struct download *d,
    struct storage_range range, struct source **ret_src, struct err *err);
/* Options for ${filename}: plain, may replace. */
struct upload_options fixture_options(const char *filename);
/* Uploads ${text} as ${filename}; fails the test when that fails. */
void fixture_put(struct fixture *f, const char *filename, const char *text);
/* The content of ${filename} for the caller to free(); NULL: no such file. */
char *fixture_get(struct fixture *f, const char *filename);
/* Subscribes with the fixture's key; bus_leave() is the caller's. */
void fixture_listen(
    struct fixture *f, struct bus_subscriber *s, const struct bus_place *place);
/* Returns when all is done that was queued for the database. */
void fixture_settle(struct fixture *f);
/* The number of published blobs. */
size_t fixture_blobs(struct fixture *f);

#endif
