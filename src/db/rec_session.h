/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_SESSION_H
#define DB_REC_SESSION_H

/*
 * The record of an upload that can be gone on with: its chunks come in any
 * order (POST /upload_chunk), or its bytes in order (tus).  It is there from
 * the beginning until the bytes are a file, and then for a while to answer who
 * asks again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "db/db.h"
#include "db/rec_file.h"

enum rec_session_kind { REC_SESSION_CHUNKS, REC_SESSION_TUS };

enum rec_session_state {
	REC_SESSION_OPEN,
	REC_SESSION_COMPLETED,
	REC_SESSION_CANCELLED,
	REC_SESSION_FAILED,
};

/* All pointers are owned. */
struct rec_session {
	char id[ID_SIZE]; /* its transfer's, too */
	enum rec_session_kind kind;
	enum rec_session_state state;
	char *url; /* what follows /tus/; NULL: found by its name */
	char *filename;
	char *prefix; /* of the key that began it */
	char *client; /* who began it, and later who ended it */
	char blob_id[ID_SIZE];
	enum rec_layout layout;
	bool encryption;
	bool keep_existing; /* a file of its name is not replaced */
	uint64_t total_chunks;
	uint64_t total_size; /* UINT64_MAX: not said */
	char *file_hash;     /* hex; NULL: not said */
	uint64_t grid;       /* size of a chunk that is not the last; 0 */
	bool off_grid;       /* one of another size came */
	uint64_t received;   /* bytes of all that was taken */
	/* The chunks before front_number, front_offset bytes of the file, are
	 * in their places whatever their sizes; ${tail}: the last of them that
	 * fill no segment yet (base64 of a note). */
	uint64_t front_number;
	uint64_t front_offset;
	char *header; /* of the container, hex; NULL: not sealed */
	char *tail;   /* NULL: none */
	/* The hash of the first hash_offset bytes: a sha256_state (base64, of
	 * a sealed one a note). */
	uint64_t hash_offset;
	uint32_t hash_crc32;
	char *hash_state; /* NULL: of no bytes */
	char *metadata;   /* Upload-Metadata as it was sent */
	char *concat;     /* Upload-Concat */
	char *error;      /* of one that failed */
	char *error_code;
	uint64_t last_number; /* the chunk that completed it, */
	char *last_hash;      /* and its hash as it lies with the chunk */
	int64_t updated_ms;
	int64_t until_ms; /* when the row of an ended one goes */
};

void rec_session_fini(struct rec_session *s); /* contents */

/* Inserts or replaces by id.  A name has at most one open one that takes
 * chunks. */
int rec_session_put(
    struct db_tx *tx, const struct rec_session *s, struct err *err);
/* The few that change with each chunk: grid, received, total_size, file_hash,
 * keep_existing, updated_ms. */
int rec_session_touch(
    struct db_tx *tx, const struct rec_session *s, struct err *err);
/* Those of the front and the hash, and off_grid. */
int rec_session_advance(
    struct db_tx *tx, const struct rec_session *s, struct err *err);
int rec_session_remove(struct db_tx *tx, const char *id, struct err *err);
/* Every one; -1 from ${fn} ends the walk. */
typedef int (*rec_session_fn)(
    void *arg, const struct rec_session *s, struct err *err);
int rec_session_each(
    struct db_tx *tx, rec_session_fn fn, void *arg, struct err *err);
/* Is it the blob of an open one? */
int rec_session_has_blob(
    struct db_tx *tx, const char *blob_id, bool *ret, struct err *err);
/* The rows of transfers say what their open sessions have received. */
int rec_session_correct_transfers(struct db_tx *tx, struct err *err);

/* --- chunks --------------------------------------------------------------- */

/* Enough for a note of a hash. */
#define REC_CHUNK_HASH_SIZE 97

struct rec_chunk {
	uint64_t number;
	uint64_t size;
	char hash[REC_CHUNK_HASH_SIZE]; /* hex, or of a sealed one base64 of a
	                                 * note */
	char blob_id[ID_SIZE];          /* "": it is in its place */
};

/* Inserts or replaces by number. */
int rec_chunk_put(struct db_tx *tx, const char *session_id,
    const struct rec_chunk *c, struct err *err);
/* ERR_ABSENT. */
int rec_chunk_get(struct db_tx *tx, const char *session_id, uint64_t number,
    struct rec_chunk *ret, struct err *err);
typedef int (*rec_chunk_fn)(
    void *arg, const struct rec_chunk *c, struct err *err);
/* In the order of their numbers. */
int rec_chunk_each(struct db_tx *tx, const char *session_id, rec_chunk_fn fn,
    void *arg, struct err *err);
/* Removes at most ${limit} of them; *${ret_left}: there are more. */
int rec_chunk_clear(struct db_tx *tx, const char *session_id, unsigned limit,
    bool *ret_left, struct err *err);
/* Blobs that wait beside the place of their chunk. */
typedef int (*rec_chunk_blob_fn)(
    void *arg, const char *blob_id, struct err *err);
int rec_chunk_each_blob(
    struct db_tx *tx, rec_chunk_blob_fn fn, void *arg, struct err *err);

#endif
