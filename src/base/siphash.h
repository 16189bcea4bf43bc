/* SPDX-License-Identifier: MIT */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

/*
 * SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012): a
 * keyed hash for tables whose keys come from peers, who must not be able to
 * choose collisions.  Not for files and secrets.
 */

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0;
	uint64_t k1;
};

/* SipHash-1-3: one round a word, three at the end. */
uint64_t siphash_13(const struct siphash_key *key, const void *p, size_t n);
/* SipHash-2-4, the variant with published vectors. */
uint64_t siphash_24(const struct siphash_key *key, const void *p, size_t n);

#endif
