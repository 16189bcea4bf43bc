/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TRANSFER_H
#define ENGINE_TRANSFER_H

/*
 * Transfers: one movement of one file by one client, up or down, live.
 *
 * A live transfer is in the registry (struct transfers, its own lock) from
 * transfer_begin() to transfer_end(); its record is in the database.  The
 * thread that moves its bytes owns it and calls transfer_moved(); anybody else
 * sees it through snapshots (struct rec_transfer plus a speed).
 *
 * The start is recorded when the transfer is expected to last (its total is
 * unknown or above 64 KiB), without waiting; so a crash leaves a row
 * that the next start marks as interrupted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "db/rec_transfer.h"
#include "engine/auth.h"
#include "engine/sched.h"

#define TRANSFER_SPEED_WINDOW_MS 3000

struct transfers;
struct transfer;
struct transfer_view;

/*
 * Somebody who moves bytes of a transfer and can be told to stop: an exchange,
 * mostly.  One transfer can have several.  It lies with its owner; where the
 * transfer may live longer, mover_fini() takes it out.
 */
struct mover {
	struct list link;
	struct transfers *transfers; /* NULL: it never moved anything */
	void (*interrupt)(void *arg, enum err_code code); /* must not block */
	void *arg;
};
void mover_init(struct mover *m,
    void (*interrupt)(void *arg, enum err_code code), void *arg);
void mover_fini(struct mover *m);

int transfers_new(struct db *db, const struct clock *clock,
    struct transfers **ret_ts, struct err *err);
void transfers_free(struct transfers *ts); /* after the database's end */

/*
 * Is told of every change of a transfer that people can see: under the
 * registry's lock, so in their order; must not block.
 */
struct transfer_observer {
	/* Cheap: called for every slice or so. */
	bool (*wants)(void *arg);
	/* Takes *v over.  NULL: one, or its end, is on record now. */
	void (*changed)(void *arg, struct transfer_view *v);
	void *arg;
};
/* NULL: nobody any more. */
void transfers_observe(struct transfers *ts, const struct transfer_observer *o);
/* One that nobody moves changed on record. */
void transfers_tell(struct transfers *ts, const struct rec_transfer *row);

struct transfer_start {
	enum rec_direction direction;
	const char *filename;
	uint64_t total; /* REC_SIZE_UNKNOWN */
	bool encryption;
	int priority;
	const struct client *client;
	struct mover *mover; /* NULL: none */
	struct lane *lane;   /* that it moves on, or waits on; NULL: it needs
	                      * no place */
	bool is_resumable;   /* its start is recorded, however small it is */
	bool is_brief;       /* it is not, until transfer_lasts() */
	/* Shown while it waits, on record only when it ends meanwhile: another
	 * begins in its place. */
	bool is_provisional;
};
struct transfer *transfer_begin(
    struct transfers *ts, const struct transfer_start *start);
/* One on record that is gone on with; ${is_retry}: which counts as one. */
struct transfer *transfer_resume(
    struct transfers *ts, const struct rec_transfer *row, bool is_retry);
/* It moves on ${lane} from now on, whose priority becomes its own. */
void transfer_set_lane(struct transfer *t, struct lane *lane);
/* It has waited for its turn, which has come. */
void transfer_go(struct transfer *t);
/* It takes longer than it seemed: its start is recorded, without waiting. */
void transfer_lasts(struct transfer *t);
/* Something of it was sent again. */
void transfer_retried(struct transfer *t);

const char *transfer_id(const struct transfer *t);

/* The owner, or one of several at once: ${bytes} in all have moved.  Cheap:
 * called for every slice. */
void transfer_moved(struct transfer *t, uint64_t bytes);
/* What turned out later; NULL and REC_SIZE_UNKNOWN leave things as they are. */
void transfer_set_filename(struct transfer *t, const char *filename);
void transfer_set_client_id(struct transfer *t, const char *client_id);
/* The priority stays when somebody has changed it meanwhile. */
void transfer_set_options(struct transfer *t, bool encryption, int priority);
void transfer_set_total(struct transfer *t, uint64_t total);

/*
 * The row of how it ended, for the caller to write in the transaction that
 * makes the end true (an upload's file) or by transfer_end().  ${why} NULL
 * for completed.  ${ret} is for rec_transfer_fini().
 */
void transfer_final(struct transfer *t, enum rec_status status,
    const struct err *why, struct rec_transfer *ret);

/* The owner lets go.  ${row} is recorded without waiting; until it is, the
 * registry shows it. */
void transfer_end(struct transfer *t, const struct rec_transfer *row);
/* The same, ${row} having been recorded already. */
void transfer_ended(struct transfer *t, const struct rec_transfer *row);
/* A provisional one, in whose place another begins; nothing is recorded. */
void transfer_drop(struct transfer *t);

/* ${m} moves its bytes, too, until mover_fini(); it is told at once when that
 * was cancelled. */
void transfer_attach(struct transfer *t, struct mover *m);
/* All its movers are told. */
void transfer_interrupt(struct transfer *t, enum err_code code);
/* Was it cancelled, and what is to be said then? */
bool transfer_is_cancelled(struct transfer *t, struct err *err);

/* How ${why} ends a transfer: interrupted when the connection or the server
 * went, cancelled, else failed. */
enum rec_status transfer_status_of(const struct err *why);

/* --- for everybody ------------------------------------------------- */

/* What people see of a transfer, live or ended. */
struct transfer_view {
	struct rec_transfer rec;
	uint64_t speed_bps; /* over the last seconds; the mean once ended */
	int64_t eta_s;      /* -1: unknown */
	int progress;       /* 0-100 */
	unsigned position;  /* of one that waits for its turn, from 1; else 0 */
	bool is_progress;   /* told because bytes moved, not of a new state */
};
void transfer_view_fini(struct transfer_view *v);
/* From a row of the database. */
void transfer_view_of(struct transfer_view *ret, const struct rec_transfer *t);

/* The newest live upload (else download) of ${filename}; false: none. */
bool transfers_find(struct transfers *ts, const char *filename,
    enum rec_direction direction, struct transfer_view *ret);

/*
 * Cancels the live transfers of ${filename} and waits for their ends, for
 * TRANSFER_CANCEL_MS at most: how many were cancelled.  What is complete by
 * then is not.
 */
#define TRANSFER_CANCEL_MS 5000
unsigned transfers_cancel(struct transfers *ts, const char *filename);

/* The priority of all live transfers of ${filename}: how many there are. */
unsigned transfers_set_priority(
    struct transfers *ts, const char *filename, int priority);

/* Calls ${fn} with a snapshot of each transfer in the registry whose name
 * begins with
 * ${prefix}, in no order, outside the lock; ${fn} may keep it (by copying and
 * zeroing *v) or leave it to be freed. */
typedef void (*transfer_view_fn)(void *arg, struct transfer_view *v);
void transfers_each(
    struct transfers *ts, const char *prefix, transfer_view_fn fn, void *arg);

size_t transfers_live(struct transfers *ts);
/* Grows with every change worth writing down (begin, end). */
uint64_t transfers_changes(struct transfers *ts);
/* When something last changed, unix ms; 0: never in this run. */
int64_t transfers_last_change(struct transfers *ts);

#endif
