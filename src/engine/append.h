/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_APPEND_H
#define ENGINE_APPEND_H

/*
 * Uploads whose bytes come in order, over as many requests as it takes (tus).
 * Each has a URL of its own, which nobody can guess.
 *
 * When a request fails, what had arrived stays, and is on record before the
 * request ends; while one lasts that is so every APPEND_STEP bytes.  Of a
 * sealed one the bytes that fill no segment yet are with its record (rule 10).
 *
 * One request at a time appends to an upload.  A new one takes over: the one
 * under way is told, writes down what it has, and ends.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/checksum.h"
#include "engine/engine.h"

#define APPEND_STEP ((uint64_t)64 * 1024 * 1024)
/* A URL's last segment: 128 random bits in hex. */
#define APPEND_URL_SIZE 33

/* A new upload.  Borrowed. */
struct append_new {
	const struct principal *who;
	const struct client *client;
	const char *filename; /* normalised; NULL: it is called by its URL */
	const char *metadata; /* as it was sent; NULL: none */
	uint64_t length;      /* REC_SIZE_UNKNOWN: said later */
	bool has_encryption;
	bool encryption;
	bool is_partial;
	bool keep_existing; /* it replaces no file of its name */
	int priority;
};

/* Where an upload is. */
struct append_state {
	char url[APPEND_URL_SIZE];
	char id[ID_SIZE]; /* its transfer's */
	uint64_t offset;
	uint64_t length; /* REC_SIZE_UNKNOWN */
	bool is_partial;
	bool is_complete;
	int64_t expires_ms; /* when it goes, unless it is gone on with */
	char *metadata;     /* owned, as is the next; NULL: none */
	char *concat;       /* of a final one */
};
void append_state_fini(struct append_state *st);

/* ERR_FORBIDDEN, ERR_FILE_TOO_LARGE, ERR_STORAGE_FULL, ERR_FILE_EXISTS.  An
 * empty one is a file at once. */
int append_begin(struct engine *e, const struct append_new *req,
    struct append_state *ret, struct err *err);

/* ERR_UPLOAD_NOT_FOUND; ERR_UPLOAD_EXPIRED, also when it was cancelled.  A
 * request that hangs meanwhile is ended, so that the offset is what arrived. */
int append_look(struct engine *e, const struct principal *who, const char *url,
    struct append_state *ret, struct err *err);

struct append_request {
	const struct principal *who;
	const char *url;
	uint64_t offset;
	uint64_t length;      /* of the upload, said now; REC_SIZE_UNKNOWN */
	uint64_t body_length; /* as announced; REC_SIZE_UNKNOWN */
	enum checksum_kind checksum;
	unsigned char sum[CHECKSUM_MAX_SIZE];
	struct mover *mover;
	/* For its turn; NULL: it is so small that it needs none. */
	const struct ticket_asker *turn;
};
/*
 * Appends ${body}; when that was the last of it, the file is made.
 * ERR_OFFSET_MISMATCH, ERR_CHECKSUM_MISMATCH and ERR_FILE_TOO_LARGE (beyond its
 * length): nothing of this body counts.  Other failures keep what arrived.
 *
 * 1: its turn has not come, nothing of the body was read; to be called again
 * when it has.
 */
int append_run(struct engine *e, const struct append_request *req,
    struct source *body, struct append_state *ret, struct err *err);

/* The URL is gone; an unfinished upload's bytes as well. */
int append_remove(struct engine *e, const struct principal *who,
    const char *url, struct err *err);

/*
 * One file of complete partial uploads, in the order of ${from}->urls (what
 * tus_next_part() gives); they are used up.  ERR_INVALID_PARAMETER when one is
 * no partial upload, is not complete, or is another's.
 */
struct append_parts {
	const char *const *urls;
	size_t count;
	struct mover *mover;
};
int append_join(struct engine *e, const struct append_new *req,
    const struct append_parts *from, struct append_state *ret, struct err *err);

#endif
