/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_TRANSFER_H
#define DB_REC_TRANSFER_H

/*
 * The record of a transfer: one movement of one file by one client, up or
 * down.  Live progress is the engine's; rows are written at the start (for
 * those that take a while), at the end, and read for everything else.
 *
 * For each file name the newest upload and the newest download are kept
 * findable in constant time, however long the history is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "db/db.h"

enum rec_direction { REC_UPLOAD, REC_DOWNLOAD };

enum rec_status {
	REC_QUEUED,
	REC_UPLOADING,
	REC_DOWNLOADING,
	REC_COMPLETED,
	REC_FAILED,
	REC_CANCELLED,
	REC_INTERRUPTED,
	REC_STATUS_COUNT
};
const char *rec_status_name(enum rec_status s); /* "queued" ... */
bool rec_status_of_name(const char *name, enum rec_status *ret);
bool rec_status_is_ended(enum rec_status s); /* interrupted counts */

#define REC_SIZE_UNKNOWN UINT64_MAX

struct rec_transfer {
	char id[ID_SIZE];
	enum rec_direction direction;
	enum rec_status status;
	char *filename;  /* owned, as are all pointers */
	char sha256[65]; /* "" while unknown */
	bool encryption;
	int priority;
	uint64_t transferred;
	uint64_t total;     /* REC_SIZE_UNKNOWN */
	uint64_t speed_bps; /* mean, once ended */
	char *client_ip;
	char *client_id;  /* NULL: none */
	char *user_agent; /* NULL: none */
	unsigned retry_count;
	int64_t created_ms;
	int64_t updated_ms;
	char *error;      /* a sentence; NULL: none */
	char *error_code; /* NULL: none */
};

void rec_transfer_fini(struct rec_transfer *t);
/* A deep copy. */
void rec_transfer_copy(struct rec_transfer *ret, const struct rec_transfer *t);

/* Inserts or replaces by id (a start and an end may merge). */
int rec_transfer_put(
    struct db_tx *tx, const struct rec_transfer *t, struct err *err);
int rec_transfer_get(struct db_tx *tx, const char *id, struct rec_transfer *ret,
    struct err *err); /* ERR_TRANSFER_NOT_FOUND */
/* The newest upload of the name, or its newest download when no upload is on
 * record. ERR_TRANSFER_NOT_FOUND. */
int rec_transfer_newest(struct db_tx *tx, const char *prefix,
    const char *filename, struct rec_transfer *ret, struct err *err);

typedef int (*rec_transfer_fn)(
    void *arg, const struct rec_transfer *t, struct err *err);
struct rec_transfer_query {
	const char *prefix;    /* "" for all */
	const char *before_id; /* "" from the newest */
	int64_t since_ms;
	unsigned limit;
};
/* The newest upload of each file, newest first, with ids before before_id. */
int rec_transfer_each_newest(struct db_tx *tx,
    const struct rec_transfer_query *q, rec_transfer_fn fn, void *arg,
    struct err *err);
/* Those that ended at since_ms or later, newest first (the queue view). */
int rec_transfer_each_ended(struct db_tx *tx,
    const struct rec_transfer_query *q, rec_transfer_fn fn, void *arg,
    struct err *err);
/* The number of all transfers on record, constant time. */
int rec_transfer_count(struct db_tx *tx, uint64_t *ret, struct err *err);
/*
 * Removes the oldest that ended more than ${keep_ms} ago, ${limit} at most; the
 * sums keep them.  The first call only notes when it came, and nothing goes
 * earlier than ${keep_ms} after it: what was taken over from elsewhere is kept
 * as long as what is new.
 */
struct rec_transfer_pruning {
	int64_t now_ms;
	int64_t keep_ms;
	unsigned limit;
	unsigned
	    count; /* out: so many went; less than limit: no more are left */
};
int rec_transfer_prune(
    struct db_tx *tx, struct rec_transfer_pruning *p, struct err *err);
/* At the start: rows that a dead run left running become interrupted, their
 * error says why. */
int rec_transfer_interrupt_all(
    struct db_tx *tx, int64_t now_ms, uint64_t *ret_count, struct err *err);

#endif
