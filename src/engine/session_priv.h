/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SESSION_PRIV_H
#define ENGINE_SESSION_PRIV_H

/*
 * For src/engine/session*.c, chunk*.c and append*.c.
 *
 * Locks, in the order of taking them: the registry's, a session's, that of the
 * transfers.  A session's own is held over the disk and the database while it
 * is made and while it is read from the records, and for single rows; never
 * while a client is waited for or bytes of a file move.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "base/jobs.h"
#include "base/list.h"
#include "base/map.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "db/rec_session.h"
#include "engine/intake.h"
#include "engine/session.h"
#include "engine/session_count.h"
#include "storage/space.h"

#define SESSION_PRIORITY_UNSAID (-1)
/* Requests that may wait at once for what others do to uploads: they hold
 * threads that everybody needs, of which there are twice as many at least. */
#define SESSION_WAITERS_MAX 8

struct sessions {
	struct engine *engine;
	struct jobs *jobs;
	pthread_mutex_t lock;
	struct list list;  /* all of them */
	struct map *names; /* filename: the open one that takes chunks */
	struct map *ended; /* filename: the newest ended of that kind */
	struct map *urls;  /* url: those of tus, open and ended */
	struct session_counts *counts;
	struct map *staged; /* blobs beside their places, at the start only */
	_Atomic unsigned waiters;
	bool is_stopping;
};

/* A chunk that is being taken (rule 8: WRITING, SYNCING). */
struct claim {
	struct list link; /* in s->claims, under s->lock */
	uint64_t number;
	bool on_grid;    /* it writes at number * grid */
	bool is_evicted; /* told to make room for another */
	struct mover *mover;
	_Atomic int64_t moved_ms;
};

/*
 * Under ${lock}, except what is said to be constant or atomic, and ${rec},
 * ${seal}: their constant parts may be read without.
 */
struct session {
	struct sessions *all;  /* constant */
	struct engine *engine; /* constant */
	struct list link;      /* under all->lock */
	_Atomic unsigned refs; /* the first is the registry's */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a claim or the job ended, the state did */
	struct rec_session rec;
	struct job job;
	bool is_begun;         /* its record and its blob are there */
	bool is_loaded;        /* what follows was read from the records */
	bool is_working;       /* the job runs or waits */
	bool is_finishing;     /* somebody makes the file ... */
	int64_t newest_ms;     /* ... if none of its name is newer; 0: any */
	bool is_ending;        /* nothing more is taken */
	bool is_retired;       /* another of its name may begin */
	unsigned char *have;   /* bits: chunks that are there */
	unsigned char *staged; /* those of them that are beside their place */
	uint64_t have_count;
	uint64_t last_size; /* of the last chunk, when it is there */
	bool is_closed;     /* sealed: the file's last segment is written */
	uint64_t guess;     /* the grid as running chunks have it; 0 */
	struct list claims;
	uint64_t number; /* the front: chunks */
	uint64_t offset; /* and bytes, tail included */
	unsigned char *tail;
	size_t tail_n;
	struct digest_state cursor;
	uint64_t cursor_saved; /* its size when it was last put on record */
	struct seal *seal;     /* NULL: not sealed */
	struct space_hold hold;
	struct transfer *transfer;  /* NULL: idle */
	struct lane *lane;          /* constant: its place, while bytes move */
	struct session_count count; /* session_count.h */
	int said_priority;          /* by its client, at last; or ..._UNSAID */
	_Atomic uint64_t moved;     /* bytes that came, taken or under way */
	_Atomic int64_t moved_ms;   /* monotonic */
	/* Syncs that ride together (session_sync()). */
	uint64_t sync_wanted;
	uint64_t sync_done;
	bool is_syncing;
	bool has_sync_failed;
};

/* --- the registry (session.c) -------------------------------------------- */

/* A new one in memory, with a reference; not in any map. */
struct session *session_new(struct sessions *all);
/* By who has one, or found it under the registry's lock. */
void session_ref(struct session *s);
void session_unref(struct session *s);
/* Waits until nobody makes a file of it, and it is not about to end.  Under
 * s->lock.  ERR_SERVER_BUSY: too many requests wait. */
int session_settled(struct session *s, struct err *err);
/* Waits for a change, but not for long.  Under s->lock.  False: too many
 * requests wait, and this one should not go on to. */
bool session_wait_a_bit(struct session *s);
/* Puts an ended one where those who ask again find it, and out of the maps of
 * the open. */
void session_retire(struct session *s);
/* Into the list, and the map of its kind; the registry has the first
 * reference.  Under the registry's lock. */
void session_enlist(struct session *s);
/* Calls ${fn} for each, outside the lock. */
void session_each(
    struct sessions *all, void (*fn)(struct session *s, void *arg), void *arg);
/* Forgets one whose making failed. */
void session_forget(struct session *s);

/* --- its life (session_life.c) -------------------------------------------- */

/* Who begins one, and how much it is going to be. */
struct session_start {
	const struct client *client;
	int priority;
	uint64_t expected; /* bytes, as far as known; for the space */
};
/* The transfer, the blob, the record.  Under s->lock, which is held on. */
int session_begin(
    struct session *s, const struct session_start *start, struct err *err);
/* What the records say beyond its own row.  Under s->lock. */
int session_load(struct session *s, struct err *err);
/* Its data key, which load brings as well.  Under s->lock. */
int session_open_seal(struct session *s, struct err *err);
/* A byte or a request came: it has a live transfer from now on.  Under
 * s->lock. */
int session_wake(struct session *s, struct err *err);
/* Its transfer's row as it is on record.  Under s->lock. */
int session_row(struct session *s, struct rec_transfer *ret, struct err *err);
/*
 * A request wants to move bytes on it: may it, now?  False: it waits for its
 * turn, and hears through ${m} when the session ends.  NULL: it needs none.
 * Under s->lock; it has a live transfer.
 */
bool session_turn(
    struct session *s, const struct ticket_asker *turn, struct mover *m);
/* Gives its transfer up as interrupted.  Under s->lock. */
void session_rest(struct session *s, const struct err *why);
/* Nobody may go on with it: waits for its claims and its job, removes its
 * bytes, and writes down how it ended.  Under s->lock; the caller has no claim.
 * False when somebody else ended it. */
bool session_end(
    struct session *s, enum rec_session_state state, const struct err *why);
/* Its client is there.  Any thread. */
void session_visited(struct session *s);
/* Bytes that a claim has taken (or, negative, did not take after all). */
void session_moved(struct session *s, int64_t delta);
/* How people know a client. */
char *session_client_text(const struct client *client);

/* --- its bytes (session_bytes.c) ------------------------------------------ */

/* Where a piece lies in a begun blob. */
struct session_piece {
	const char *blob_id;
	uint64_t stored;  /* where in the blob it begins */
	uint64_t segment; /* sealed: the index of its first segment */
	uint64_t skip;    /* bytes of it that are not wanted */
	uint64_t n;       /* bytes of plaintext that are wanted */
	bool is_last;     /* sealed: it ends with a last segment */
};
/* The front from ${offset} on: ${n} bytes that lie in whole segments. */
struct session_piece session_front(
    const struct session *s, uint64_t offset, uint64_t n);
/* A chunk beside its place. */
struct session_piece session_staged(
    const struct session *s, uint64_t number, const char *blob_id, uint64_t n);
int session_read(struct session *s, const struct session_piece *p,
    struct source **ret_src, struct err *err);
/* Where an intake puts what is to lie so. */
struct intake_piece session_place(const struct session *s,
    const struct session_piece *p, enum intake_end end);
/* What was written to the session's blob through any handle before the call is
 * durable, where that is asked for.  Not under the lock. */
int session_sync(struct session *s, struct blob *handle, struct err *err);
/* The owner of an intake that copies. */
struct intake_owner session_copying(struct session *s);

/* --- notes about it (session_note.c) -------------------------------------- */

/* A chunk's hash as it is kept. */
void session_note_hash(const struct session *s, uint64_t number,
    const unsigned char sha256[SHA256_SIZE], char ret[REC_CHUNK_HASH_SIZE]);
bool session_is_hash(const struct session *s, uint64_t number,
    const unsigned char sha256[SHA256_SIZE], const char *noted);
/* Into the record: tail and cursor.  Under s->lock. */
void session_note_tail(struct session *s);
void session_note_cursor(struct session *s);
/* And back. */
int session_read_tail(struct session *s, struct err *err);
int session_read_cursor(struct session *s, struct err *err);

/* --- the job (session_job.c) ---------------------------------------------- */

/* Has the job run, if there is something to do.  Under s->lock. */
void session_work(struct session *s);
/* Does all of it here and now, also what another had begun.  Under s->lock,
 * which is given away meanwhile. */
int session_catch_up(struct session *s, struct err *err);
/* The hash cursor is behind so much of the front.  Under s->lock. */
bool session_lags(const struct session *s);

/* --- the end (session_finish.c) ------------------------------------------- */

/* All bytes are there: they become a file.  Under s->lock, which is given away
 * meanwhile; the caller has no claim.  ERR_SIZE_MISMATCH, ERR_HASH_MISMATCH
 * (it has ended then), others (it stays). */
struct session_result {
	char *filename; /* owned */
	char *mime_type;
	char sha256[SHA256_HEX_SIZE];
	uint64_t size;
	char id[ID_SIZE];
	bool encryption;
};
int session_finish(
    struct session *s, struct session_result *ret, struct err *err);
/* The same of one that nobody asks for, since whoever brought the last of it
 * was not told: unless a file of its name has come since, which it would
 * replace; then it waits for its client.  Nobody finishes it now.
 * ERR_FILE_EXISTS. */
int session_finish_left(
    struct session *s, struct session_result *ret, struct err *err);
void session_result_fini(struct session_result *r);

/* --- bits ----------------------------------------------------------------- */

static inline bool
session_bit(const unsigned char *bits, uint64_t i)
{
	return (bits[i / 8] >> (i % 8) & 1) != 0;
}

static inline void
session_set_bit(unsigned char *bits, uint64_t i, bool on)
{
	if (on)
		bits[i / 8] |= (unsigned char)(1u << (i % 8));
	else
		bits[i / 8] &= (unsigned char)~(1u << (i % 8));
}

#endif
