/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_EAX_BLOCK_PRIV_H
#define CRYPTO_EAX_BLOCK_PRIV_H

/* EAX block by block, with AES-NI; for the paths of x86-64, each of which is
 * compiled with its own instructions. */

#include <stdint.h>
#include <string.h>

#include <immintrin.h>

#include "crypto/eax_priv.h"

#define INLINE static inline __attribute__((always_inline))

INLINE __m128i
load_block(const void *p)
{
	return _mm_loadu_si128(p);
}

INLINE __m128i
encrypt(const struct eax_key *k, __m128i x)
{
	x = _mm_xor_si128(x, load_block(k->round[0]));
	for (int r = 1; r < EAX_ROUNDS; r++)
		x = _mm_aesenc_si128(x, load_block(k->round[r]));
	return _mm_aesenclast_si128(x, load_block(k->round[EAX_ROUNDS]));
}

/* The last step of CMAC: ${n} of 0..16 bytes at ${p}. */
INLINE __m128i
mac_last(const struct eax_key *k, __m128i mac, const unsigned char *p, size_t n)
{
	unsigned char block[EAX_BLOCK] = { 0 };

	memcpy(block, p, n);
	if (n < EAX_BLOCK)
		block[n] = 0x80;
	mac = _mm_xor_si128(mac, load_block(block));
	mac = _mm_xor_si128(mac, load_block(n == EAX_BLOCK ? k->l2 : k->l4));
	return encrypt(k, mac);
}

/* OMACt of a string that is not empty: OMACt of nothing is CMAC of [t]. */
INLINE __m128i
omac(const struct eax_key *k, int t, const unsigned char *p, size_t n)
{
	__m128i mac = load_block(k->omac[t]);

	for (; n > EAX_BLOCK; p += EAX_BLOCK, n -= EAX_BLOCK)
		mac = encrypt(k, _mm_xor_si128(mac, load_block(p)));
	return mac_last(k, mac, p, n);
}

INLINE __m128i
omac_empty(const struct eax_key *k, int t)
{
	unsigned char block[EAX_BLOCK] = { 0 };

	block[EAX_BLOCK - 1] = (unsigned char)t;
	return mac_last(k, _mm_setzero_si128(), block, EAX_BLOCK);
}

INLINE uint64_t
get_be64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

#endif
