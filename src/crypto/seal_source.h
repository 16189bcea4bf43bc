/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_SEAL_SOURCE_H
#define CRYPTO_SEAL_SOURCE_H

/*
 * Containers as streams (base/source.h).
 *
 * Segments are read where the caller wants the plaintext and opened in place,
 * as many at once as fit.  No byte of a segment passes before its tag is
 * verified.
 */

#include "base/err.h"
#include "base/source.h"
#include "crypto/seal.h"

struct seal_range {
	uint64_t size;   /* of the whole plaintext */
	uint64_t stored; /* the container's size, as it was found */
	uint64_t offset; /* of the plaintext that is wanted; within size */
	uint64_t length;
};
/* The bytes of the container that seal_source_open() reads, of those that are
 * there: [*ret_offset, *ret_offset + *ret_length). */
void seal_range_stored(
    const struct seal_range *r, uint64_t *ret_offset, uint64_t *ret_length);

/*
 * The plaintext of a range, from the container's bytes as
 * seal_range_stored() says.  Owns ${seal} and ${inner}, also when it fails.
 *
 * The first segment is opened at once: ERR_DECRYPTION_FAILED when it is
 * damaged, else no sooner than when all before the damage has been read.
 * Where the container's size is not that of the plaintext, its last segment
 * counts as damaged.
 */
int seal_source_open(struct seal *seal, const struct seal_range *r,
    struct source *inner, struct source **ret_src, struct err *err);

/* The container of what ${inner} gives, which it owns; ${seal} is borrowed. */
struct source *seal_source_seal(const struct seal *seal, struct source *inner);

#endif
