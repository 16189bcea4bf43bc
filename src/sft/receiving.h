/* SPDX-License-Identifier: MIT */
#ifndef SFT_RECEIVING_H
#define SFT_RECEIVING_H

/*
 * What a download receives: hashed and counted as it comes, written where it
 * lands (landing.h), and checked against the length and the SHA-256 that the
 * server names before it gets its name.
 */

#include <stdint.h>

#include "base/err.h"
#include "crypto/sha256.h"
#include "sft/http.h"
#include "sft/landing.h"
#include "sft/progress.h"
#include "sft/resumable.h"

/*
 * The SHA-256 that an answer's head names: its Repr-Digest (RFC 9530), else
 * its ETag when that is one.  False when there is none.
 */
bool receiving_expected(
    const struct http_head *head, unsigned char ret[SHA256_SIZE]);

struct receiving;

struct receiving_options {
	const struct landing_options *landing; /* outlives it, as the next */
	struct progress *progress;
	/* The answer may be a stored container, of which the server names no
	 * SHA-256. */
	bool raw;
	/* For the journal of what can be gone on with; NULL: it cannot. */
	const char *url;
};
/* Makes no file yet: that happens when a good answer's head is there.  A file
 * of more than one piece is a resumable one then. */
struct receiving *receiving_new(const struct receiving_options *o);
/* Removes what receiving_finish() did not accept.  NULL is fine. */
void receiving_free(struct receiving *r);

/* What came of a file that can be gone on with, for the caller; NULL: it
 * cannot. Nothing but receiving_size() and _free() may follow. */
struct resumable *receiving_take_resumable(struct receiving *r);

/* For one request; valid until receiving_free(). */
const struct http_sink *receiving_sink(struct receiving *r);

/* After the request: checks, and gives the file its name.  ERR_HASH_MISMATCH,
 * ERR_SIZE_MISMATCH, ERR_EXISTS, ERR_IO. */
int receiving_finish(struct receiving *r, struct err *err);

/* After that. */
uint64_t receiving_size(const struct receiving *r);
const char *receiving_hash(const struct receiving *r); /* hex */
/* Was it held against one that the server named? */
bool receiving_is_checked(const struct receiving *r);

#endif
