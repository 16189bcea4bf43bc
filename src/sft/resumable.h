/* SPDX-License-Identifier: MIT */
#ifndef SFT_RESUMABLE_H
#define SFT_RESUMABLE_H

/*
 * A download that can be gone on with after its program was killed: a
 * temporary file of the whole size beside the target, ".NAME.sft-part", and
 * a journal, ".NAME.sft-journal", that says of what it is, and which pieces of
 * it are there:
 *
 *	sft-journal 1
 *	url http://localhost:8080/download/movie.mkv
 *	etag "..."
 *	size 734003200
 *	piece 8388608
 *
 *	1111011000...
 *
 * A piece's digit is written when its bytes are, one byte in one write, so the
 * journal is whole whenever the program ends.  What a power failure tears is
 * found by the SHA-256 at the end.
 *
 * The part is locked: one program at a time.  resumable_write() and _done() may
 * be called by several threads for pieces of their own.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sha256.h"
#include "sft/landing.h"

#define RESUMABLE_PIECE ((uint64_t)8 * 1024 * 1024)

struct resumable;

/* What is fetched.  Borrowed. */
struct resumable_key {
	const char *url;
	const char *etag; /* a strong one */
	uint64_t size;    /* at least 1 */
};

/* A new one; what an earlier run left of that name goes.  ERR_EXISTS: another
 * program is at it; ERR_IO. */
int resumable_new(const struct landing_options *o,
    const struct resumable_key *key, struct resumable **ret_r, struct err *err);
/* The one that an earlier run left of ${url}: 1, 0 when there is none that can
 * be gone on with. */
int resumable_take_up(const struct landing_options *o, const char *url,
    struct resumable **ret_r, struct err *err);
/* What is there stays for another run.  NULL is fine. */
void resumable_close(struct resumable *r);
/* Removes it, and frees. */
void resumable_discard(struct resumable *r);

uint64_t resumable_size(const struct resumable *r);
const char *resumable_etag(const struct resumable *r);
uint64_t resumable_count(const struct resumable *r); /* pieces */
bool resumable_has(const struct resumable *r, uint64_t piece);
uint64_t resumable_there(const struct resumable *r); /* bytes */

int resumable_write(struct resumable *r, uint64_t offset, const void *p,
    size_t n, struct err *err);
/* All bytes of the piece are written. */
int resumable_done(struct resumable *r, uint64_t piece, struct err *err);

/* The SHA-256 of all of it; ERR_INTERRUPTED. */
int resumable_hash(
    struct resumable *r, unsigned char ret[SHA256_SIZE], struct err *err);
/* The file gets its name.  ERR_EXISTS when somebody took it meanwhile (not with
 * force). */
int resumable_commit(struct resumable *r, struct err *err);

#endif
