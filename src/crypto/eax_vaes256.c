/* SPDX-License-Identifier: MIT */

/* Eight lanes: AVX2 with VAES, on processors without AVX-512. */

#include <stdint.h>

#include <immintrin.h>

#define EAX_WIDTH 2
#define EAX_GROUPS 4

typedef __m256i vec;

#define vec_load(p) _mm256_loadu_si256((const __m256i *)(p))
#define vec_store(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#define vec_broadcast(p)                                                       \
	_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(p)))
#define vec_xor(a, b) _mm256_xor_si256(a, b)
#define vec_xor3(a, b, c) vec_xor(a, vec_xor(b, c))
#define vec_aes(v, k) _mm256_aesenc_epi128(v, k)
#define vec_aes_last(v, k) _mm256_aesenclast_epi128(v, k)

static inline __attribute__((always_inline)) vec
vec_reverse(vec v)
{
	return _mm256_shuffle_epi8(
	    v, _mm256_broadcastsi128_si256(_mm_set_epi8(
	           0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

/* A sum that is less than what was added has carried, into the half beside.
 * AVX2 compares signed numbers: with the sign turned they go the same way. */
static inline __attribute__((always_inline)) vec
vec_next(vec v)
{
	const vec step = _mm256_set_epi64x(0, 2, 0, 2);
	const vec sign = _mm256_set1_epi64x(INT64_MIN);
	vec sum = _mm256_add_epi64(v, step);
	vec carry = _mm256_cmpgt_epi64(
	    _mm256_xor_si256(step, sign), _mm256_xor_si256(sum, sign));

	return _mm256_sub_epi64(sum, _mm256_slli_si256(carry, 8));
}

static inline __attribute__((always_inline)) void
vec_transpose(vec *v)
{
	vec a = _mm256_permute2x128_si256(v[0], v[1], 0x20);

	v[1] = _mm256_permute2x128_si256(v[0], v[1], 0x31);
	v[0] = a;
}

#include "crypto/eax_lanes_priv.h"

static bool
is_supported(void)
{
	return __builtin_cpu_supports("avx2") && eax_x86_has_vaes();
}

const struct eax_path eax_path_vaes256 = {
	.name = "vaes256",
	.is_supported = is_supported,
	.expand = eax_x86_expand,
	.seal = seal,
	.open = open_all,
};
