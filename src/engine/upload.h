/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_UPLOAD_H
#define ENGINE_UPLOAD_H

/*
 * One upload of one whole body.
 *
 *   upload_begin -> upload_fill -> upload_finish
 *                       any failure -> upload_abort
 *
 * begin checks what can be checked before the body is read, and opens the
 * transfer and the blob; finish publishes in the order of rule 2: data and
 * birth record durable, then the file's record, the trash and the transfer's
 * row in one commit.  Until that commit nobody sees anything.
 *
 * What is to be encrypted, or might be, is stored sealed, so that its plaintext
 * reaches no disk (rule 1, engine/intake.h).
 *
 * Owned by one thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "engine/engine.h"

/* What the client may say, some of it only after the bytes. Borrowed. */
struct upload_options {
	const char *filename;  /* normalised */
	const char *client_id; /* NULL: none */
	int priority;
	bool encryption;
	bool is_decided; /* on encryption: it does not change any more */
	bool may_replace;
	bool has_sha256;
	unsigned char sha256[SHA256_SIZE]; /* expected */
};

struct upload_result {
	char *filename;  /* owned */
	char *mime_type; /* owned */
	char sha256[SHA256_HEX_SIZE];
	uint64_t size;
	char id[ID_SIZE]; /* the transfer's */
	bool is_new;      /* no file of that name was there */
};
void upload_result_fini(struct upload_result *r);

struct upload;

struct upload_request {
	const struct principal *who;
	const struct client *client;
	const struct upload_options *options;
	uint64_t total;      /* expected bytes; REC_SIZE_UNKNOWN */
	struct mover *mover; /* told when it is cancelled; NULL: nobody */
	struct lane *lane;   /* that it moves on; NULL: it needs no place */
	/* One that was begun when it had to wait for its turn, with its mover
	 * and lane; upload_begin() takes it over unless it fails. */
	struct transfer *transfer;
};

/* What upload_begin() would refuse now; nothing is begun. */
int upload_check(
    struct engine *e, const struct upload_request *req, struct err *err);
/* ERR_FORBIDDEN (outside the key's prefix), ERR_FILE_EXISTS,
 * ERR_FILE_TOO_LARGE, ERR_STORAGE_FULL. */
int upload_begin(struct engine *e, const struct upload_request *req,
    struct upload **ret_up, struct err *err);
/* The transfer, for whoever learns more about it on the way. */
struct transfer *upload_transfer(struct upload *up);
int upload_fill(struct upload *up, struct source *body, struct err *err);
/*
 * With the options as they are known at the end.  Frees ${up} on success;
 * after a failure upload_abort() is due.  ERR_HASH_MISMATCH, ERR_FILE_EXISTS
 * ...
 */
int upload_finish(struct upload *up, const struct upload_options *options,
    struct upload_result *ret, struct err *err);
/* Removes what was taken, records how it ended, frees.  NULL is fine. */
void upload_abort(struct upload *up, const struct err *why);

#endif
