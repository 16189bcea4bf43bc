/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

/*
 * SHA-256 and CRC-32 of bytes that pass by, where SHA-256 (the slowest stage of
 * an upload) may run on a second thread.
 *
 * digest_add() returns at once in pipelined mode: the caller may read ${p}
 * meanwhile, but must not change it until digest_release(p) has returned.  At
 * most DIGEST_DEPTH runs are in flight; more wait.  The CRC is taken in the
 * caller's thread (it is fifteen times as fast).
 *
 * A digest starts inline and pipelines by itself once DIGEST_INLINE bytes
 * have passed, if a core is free: at most as many digests pipeline at once as
 * the process has cores, less one (digest_pool).  Used by one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "crypto/sha256.h"

#define DIGEST_DEPTH 4
#define DIGEST_INLINE (1024u * 1024)

struct digest_pool; /* threads that hash; shared by many digests */
struct digest_pool *digest_pool_new(size_t threads); /* 0: cores - 1 */
void digest_pool_free(struct digest_pool *pool);

struct digest;
/* ${pool} may be NULL: always inline. */
struct digest *digest_new(struct digest_pool *pool);
/* It takes no CRC, where nobody asks for one; before the first byte. */
void digest_skip_crc(struct digest *d);
/* Where a digest stands, to be gone on with by another.  It may hold the last
 * bytes themselves: not for keeping (crypto/sha256.h). */
struct digest_state {
	struct sha256 sha;
	uint32_t crc32;
	uint64_t size;
};
void digest_state_init(struct digest_state *st); /* of no bytes */
struct digest *digest_resume(
    struct digest_pool *pool, const struct digest_state *st);
/* After what is in flight; ${d} may go on. */
void digest_save(struct digest *d, struct digest_state *ret);
void digest_free(struct digest *d); /* waits for what is in flight */
void digest_add(struct digest *d, const void *p, size_t n);
/* Waits until nothing in flight lies in [p, p + n). */
void digest_release(struct digest *d, const void *p, size_t n);
struct digest_result {
	unsigned char sha256[SHA256_SIZE];
	uint32_t crc32;
	uint64_t size;
};
void digest_final(struct digest *d, struct digest_result *ret);

/* The CRC-32 of a || b from theirs (b of ${n} bytes). */
uint32_t digest_crc32_combine(uint32_t a, uint32_t b, uint64_t n);

#endif
