/* SPDX-License-Identifier: MIT */

/* Sixteen lanes: AVX-512 with VAES. */

#include <immintrin.h>

#define EAX_WIDTH 4
#define EAX_GROUPS 4

typedef __m512i vec;

#define vec_load(p) _mm512_loadu_si512(p)
#define vec_store(p, v) _mm512_storeu_si512(p, v)
#define vec_broadcast(p)                                                       \
	_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(p)))
#define vec_xor(a, b) _mm512_xor_si512(a, b)
#define vec_xor3(a, b, c) _mm512_ternarylogic_epi32(a, b, c, 0x96)
#define vec_aes(v, k) _mm512_aesenc_epi128(v, k)
#define vec_aes_last(v, k) _mm512_aesenclast_epi128(v, k)

static inline __attribute__((always_inline)) vec
vec_reverse(vec v)
{
	return _mm512_shuffle_epi8(
	    v, _mm512_broadcast_i32x4(_mm_set_epi8(
	           0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

/* A sum that is less than what was added has carried, into the half beside. */
static inline __attribute__((always_inline)) vec
vec_next(vec v)
{
	const vec step = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
	vec sum = _mm512_add_epi64(v, step);
	__mmask8 carry = _mm512_cmplt_epu64_mask(sum, step);

	return _mm512_mask_add_epi64(
	    sum, (__mmask8)(carry << 1), sum, _mm512_set1_epi64(1));
}

static inline __attribute__((always_inline)) void
vec_transpose(vec *v)
{
	vec a = _mm512_shuffle_i32x4(v[0], v[1], 0x44);
	vec b = _mm512_shuffle_i32x4(v[0], v[1], 0xee);
	vec c = _mm512_shuffle_i32x4(v[2], v[3], 0x44);
	vec d = _mm512_shuffle_i32x4(v[2], v[3], 0xee);

	v[0] = _mm512_shuffle_i32x4(a, c, 0x88);
	v[1] = _mm512_shuffle_i32x4(a, c, 0xdd);
	v[2] = _mm512_shuffle_i32x4(b, d, 0x88);
	v[3] = _mm512_shuffle_i32x4(b, d, 0xdd);
}

#include "crypto/eax_lanes_priv.h"

static bool
is_supported(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq") && eax_x86_has_vaes();
}

const struct eax_path eax_path_vaes512 = {
	.name = "vaes512",
	.is_supported = is_supported,
	.expand = eax_x86_expand,
	.seal = seal,
	.open = open_all,
};
