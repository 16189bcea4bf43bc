/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

/* SHA-256 (FIPS 180-4) by libcrypto, with a state that can be kept. */

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 65

struct sha256 {
	uint32_t opaque[32]; /* a SHA256_CTX; asserted in sha256.c */
};

/* What is worth keeping: it holds none of the bytes, only what came of whole
 * blocks of them. */
#define SHA256_BLOCK 64
struct sha256_state {
	uint32_t h[8];
	uint64_t n; /* bytes that it covers, a multiple of SHA256_BLOCK */
};

void sha256_init(struct sha256 *s);
/* Up to ${s}'s last whole block. */
void sha256_save(const struct sha256 *s, struct sha256_state *ret);
/* Goes on behind the ${state}->n bytes. */
void sha256_resume(struct sha256 *s, const struct sha256_state *state);
void sha256_update(struct sha256 *s, const void *p, size_t n);
void sha256_final(struct sha256 *s, unsigned char ret[SHA256_SIZE]);
void sha256(const void *p, size_t n, unsigned char ret[SHA256_SIZE]);

#endif
