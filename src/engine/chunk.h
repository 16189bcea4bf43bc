/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CHUNK_H
#define ENGINE_CHUNK_H

/*
 * Chunks of a file, in any order and many at once (POST /upload_chunk).  Which
 * session a chunk belongs to is told by its file's name.
 *
 * A chunk's bytes go to their final place as they come, where that is known:
 * the chunks before the last one are taken to be of one size, the grid, which
 * the first of them shows.  What does not fit, or comes too early, waits beside
 * its place and is folded in (session_job.c).
 *
 * Each call runs on one thread; any number of them at once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/sha256.h"
#include "engine/engine.h"

#define CHUNK_COUNT_MAX 1000000u

/* Borrowed.  What is not said takes the session's value. */
struct chunk_request {
	const struct principal *who;
	const struct client *client;
	const char *filename; /* normalised */
	uint64_t number;      /* below total */
	uint64_t total;       /* 1..CHUNK_COUNT_MAX */
	unsigned char sha256[SHA256_SIZE];
	uint64_t total_size; /* REC_SIZE_UNKNOWN: not said */
	bool has_file_hash;
	unsigned char file_hash[SHA256_SIZE];
	bool has_encryption;
	bool encryption;
	bool has_priority;
	int priority;
	bool keep_existing; /* it replaces no file of its name */
	/* Bytes of the chunk, as far as can be foreseen; REC_SIZE_UNKNOWN. */
	uint64_t expected;
	struct mover *mover; /* NULL: nobody */
	/* For its turn; NULL: it is so small that it needs none.  The lane is
	 * the session's: all chunks of a file hold one place. */
	const struct ticket_asker *turn;
	/*
	 * Called once, when the body has been taken and nothing of it counts
	 * yet: more of the request may turn up, which the caller then finds
	 * in here.  -1: it does not count.  May be NULL.
	 */
	int (*rest)(void *arg, struct err *err);
	void *arg;
};

struct chunk_result {
	uint64_t received; /* chunks */
	uint64_t total;
	bool is_completed; /* and the file is there: */
	char *filename;    /* owned, as is the next */
	char *mime_type;
	char sha256[SHA256_HEX_SIZE];
	uint64_t size;
	char id[ID_SIZE];
	bool encryption;
};
void chunk_result_fini(struct chunk_result *r);

/* Is it known whether the file is to be encrypted: by the request, or by an
 * open session of that name? */
bool chunk_is_decided(struct engine *e, const struct chunk_request *req);

/*
 * Takes the chunk that ${body} gives; when it is the last that was missing, the
 * file is made.  ERR_CHUNK_HASH_MISMATCH (nothing of it is kept),
 * ERR_CHUNK_CONFLICT, ERR_SESSION_CONFLICT, ERR_FILE_TOO_LARGE,
 * ERR_SIZE_MISMATCH and ERR_HASH_MISMATCH (the session has ended),
 * ERR_CANCELLED, ERR_STORAGE_FULL, ERR_FORBIDDEN (outside the key's prefix),
 * ERR_FILE_EXISTS (where it is to keep what is there).
 *
 * 1: its turn has not come, nothing of the body was read; to be called again
 * when it has.
 */
int chunk_take(struct engine *e, const struct chunk_request *req,
    struct source *body, struct chunk_result *ret, struct err *err);

/* Which chunks of ${filename} are there. */
struct chunk_range {
	uint64_t first;
	uint64_t last;
};
struct chunk_state {
	bool is_open;
	uint64_t total;
	uint64_t received;
	uint64_t grid; /* bytes of a chunk that is not the last; 0: unknown */
	struct chunk_range *ranges; /* owned */
	size_t range_count;
};
/* Without a session, or for names outside the key's prefix: not open. */
int chunk_resume(struct engine *e, const struct principal *who,
    const char *filename, struct chunk_state *ret, struct err *err);
void chunk_state_fini(struct chunk_state *st);

#endif
