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

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *p, size_t n);
void sha256_final(struct sha256 *s, unsigned char ret[SHA256_SIZE]);
void sha256(const void *p, size_t n, unsigned char ret[SHA256_SIZE]);

#endif
