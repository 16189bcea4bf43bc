/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

/*
 * What people see of transfers: the live ones laid over the records.  Any
 * thread; each call waits for one read of the database.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/engine.h"

struct status_list {
	struct transfer_view *views;
	size_t count;
	/* Of the key's prefix, as all the rest. */
	uint64_t total;       /* transfers on record */
	int64_t last_updated; /* unix ms, 0: never */
	char next[ID_SIZE];   /* cursor of the next page, "" at the end */
};
void status_list_fini(struct status_list *l);

/* The newest upload of ${filename}, or its newest download when no upload is
 * on record. ERR_TRANSFER_NOT_FOUND. */
int status_of(struct engine *e, const struct principal *who,
    const char *filename, struct transfer_view *ret, struct err *err);

/* A page of the newest uploads of each file, newest first. */
struct status_page {
	const char *cursor; /* older than this id; "" from the newest */
	unsigned limit;
};
int status_newest(struct engine *e, const struct principal *who,
    const struct status_page *page, struct status_list *ret, struct err *err);

/* Transfers waiting or running, and those that ended lately, highest priority
 * first, then first come. */
int status_queue(struct engine *e, const struct principal *who,
    struct status_list *ret, struct err *err);

#endif
