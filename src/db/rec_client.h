/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_CLIENT_H
#define DB_REC_CLIENT_H

/*
 * The record of a client, which is an address and a client_id (or none): what
 * its transfers add up to.  It is kept with each change of a transfer, so that
 * nobody counts history.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "db/rec_transfer.h"

struct rec_client {
	char *ip;    /* owned, as are all pointers */
	char *id;    /* NULL: none */
	char *agent; /* the newest; NULL: none was given */
	uint64_t uploads;
	uint64_t downloads;
	uint64_t bytes; /* that completed ones moved, both ways */
	int64_t last_ms;
};
void rec_client_fini(struct rec_client *c);

/* In a job of the writer: the row ${t} has come, in the place of ${old} (NULL:
 * it is new).  Those without an address belong to nobody. */
int rec_client_note(struct db_tx *tx, const struct rec_transfer *t,
    const struct rec_transfer *old, struct err *err);

/* Most recent first. */
typedef int (*rec_client_fn)(
    void *arg, const struct rec_client *c, struct err *err);
int rec_client_each(struct db_tx *tx, unsigned limit, rec_client_fn fn,
    void *arg, struct err *err);
/* How many there are; constant time. */
int rec_client_count(struct db_tx *tx, uint64_t *ret, struct err *err);

/* The names of its transfers, newest first, a name as often as it occurs; of
 * the REC_CLIENT_LOOK newest of its address. */
#define REC_CLIENT_LOOK 2000u
typedef int (*rec_client_file_fn)(
    void *arg, const char *filename, struct err *err);
int rec_client_each_file(struct db_tx *tx, const struct rec_client *c,
    rec_client_file_fn fn, void *arg, struct err *err);

#endif
