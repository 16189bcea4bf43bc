/* SPDX-License-Identifier: MIT */

/* What the paths for x86-64 share: the key, and what the processor can do. */

#include <cpuid.h>
#include <string.h>

#include <immintrin.h>

#include "base/mem.h"
#include "crypto/eax_priv.h"

/* CPUID.(EAX=7, ECX=0):ECX */
#define CPUID_VAES (1u << 9)

/* Whether the system saves the registers is asked with AVX2 and AVX-512. */
bool
eax_x86_has_vaes(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
	       (c & CPUID_VAES) != 0;
}

/* FIPS 197 5.2, four words at a time. */
static __m128i
next_round(__m128i key, __m128i assist)
{
	key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
	key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
	return _mm_xor_si128(key, _mm_shuffle_epi32(assist, 0xff));
}

static void
expand_rounds(struct eax_key *k)
{
	__m128i x = _mm_loadu_si128((const __m128i *)k->round[0]);

/* The instruction wants its constant as one. */
#define ROUND(i, rcon)                                                         \
	x = next_round(x, _mm_aeskeygenassist_si128(x, rcon));                 \
	_mm_storeu_si128((__m128i *)k->round[i], x)
	ROUND(1, 0x01);
	ROUND(2, 0x02);
	ROUND(3, 0x04);
	ROUND(4, 0x08);
	ROUND(5, 0x10);
	ROUND(6, 0x20);
	ROUND(7, 0x40);
	ROUND(8, 0x80);
	ROUND(9, 0x1b);
	ROUND(10, 0x36);
#undef ROUND
}

static void
encrypt_number(const struct eax_key *k, int number, unsigned char *ret)
{
	__m128i x = _mm_set_epi8(
	    (char)number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

	x = _mm_xor_si128(x, _mm_loadu_si128((const __m128i *)k->round[0]));
	for (int r = 1; r < EAX_ROUNDS; r++)
		x = _mm_aesenc_si128(
		    x, _mm_loadu_si128((const __m128i *)k->round[r]));
	x = _mm_aesenclast_si128(
	    x, _mm_loadu_si128((const __m128i *)k->round[EAX_ROUNDS]));
	_mm_storeu_si128((__m128i *)ret, x);
}

void
eax_x86_expand(struct eax_key *k)
{
	expand_rounds(k);
	for (int t = 0; t < 3; t++)
		encrypt_number(k, t, k->omac[t]);
	eax_double(k->omac[0], k->l2);
	eax_double(k->l2, k->l4);
}
