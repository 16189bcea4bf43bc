/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CHUNK_PRIV_H
#define ENGINE_CHUNK_PRIV_H

/* For src/engine/chunk*.c. */

#include "engine/chunk.h"
#include "engine/session_priv.h"

/* One chunk on its way in; its thread's. */
struct chunk {
	struct engine *engine;
	const struct chunk_request *req;
	struct session *session; /* a reference */
	struct claim claim;      /* while it is in session->claims */
	bool is_last;
	bool on_grid;          /* it goes to number * grid; else beside */
	uint64_t grid;         /* then */
	char blob_id[ID_SIZE]; /* of the blob beside; "" */
	uint64_t moved;        /* bytes that the session counts as moved */
	struct digest *digest; /* of its bytes */
	uint64_t size;         /* once taken */
};

/*
 * The session that the chunk belongs to, with a reference and locked; a new one
 * when there is none.  1: there is none any more, and ${ret} is what the chunk
 * got that completed it.  ERR_SESSION_CONFLICT ...
 */
int chunk_find_session(struct engine *e, const struct chunk_request *req,
    struct session **ret_s, struct chunk_result *ret, struct err *err);
/* What is asked for fits the session, which learns what it did not know.
 * Under its lock.  ERR_SESSION_CONFLICT. */
int chunk_adopt(
    struct session *s, const struct chunk_request *req, struct err *err);
/* What the chunk was told that completed the session; 0: its file is not there
 * any more, 1, -1. */
int chunk_answer_completed(
    struct session *s, struct chunk_result *ret, struct err *err);
/* Under the session's lock: was it idle for so long that another may take its
 * place? */
bool chunk_may_displace(const struct session *s);
/* Ends it for that reason (NULL: another takes its place); it has nothing more
 * to say. */
void chunk_displace(struct session *s, const struct err *why);

/* Takes the bytes to where the chunk's fields say, or beside, synced.  Not
 * under the lock.  What is left behind by a failure is chunk_drop()ped. */
int chunk_store(struct chunk *c, struct source *body, struct err *err);
/* Nothing of it is kept. */
void chunk_drop(struct chunk *c);
/* Only hashes. */
int chunk_skim(struct chunk *c, struct source *body, struct err *err);

#endif
