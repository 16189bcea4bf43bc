/* SPDX-License-Identifier: MIT */

/* Eight lanes: AES-NI. */

#include <immintrin.h>

#define EAX_WIDTH 1
#define EAX_GROUPS 8

typedef __m128i vec;

#define vec_load(p) _mm_loadu_si128((const __m128i *)(p))
#define vec_store(p, v) _mm_storeu_si128((__m128i *)(p), v)
#define vec_broadcast(p) vec_load(p)
#define vec_xor(a, b) _mm_xor_si128(a, b)
#define vec_xor3(a, b, c) vec_xor(a, vec_xor(b, c))
#define vec_aes(v, k) _mm_aesenc_si128(v, k)
#define vec_aes_last(v, k) _mm_aesenclast_si128(v, k)
#define vec_transpose(v) ((void)(v))

static inline __attribute__((always_inline)) vec
vec_reverse(vec v)
{
	return _mm_shuffle_epi8(v,
	    _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

/* What is 0 after 1 was added has carried, into the half beside. */
static inline __attribute__((always_inline)) vec
vec_next(vec v)
{
	vec sum = _mm_add_epi64(v, _mm_set_epi64x(0, 1));
	vec carry = _mm_cmpeq_epi64(sum, _mm_setzero_si128());

	return _mm_sub_epi64(sum, _mm_slli_si128(carry, 8));
}

#include "crypto/eax_lanes_priv.h"

static bool
is_supported(void)
{
	return __builtin_cpu_supports("aes") &&
	       __builtin_cpu_supports("sse4.1");
}

const struct eax_path eax_path_aesni = {
	.name = "aesni",
	.is_supported = is_supported,
	.expand = eax_x86_expand,
	.seal = seal,
	.open = open_all,
};
