/* SPDX-License-Identifier: MIT */
#include "crypto/eax_priv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,vaes,aes")))
#define WIDTH 2
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef __m256i vec;

INLINE __m128i
block(const unsigned char *p)
{
	return _mm_loadu_si128((const void *)p);
}

INLINE vec
vec_load(const unsigned char *p)
{
	return _mm256_load_si256((const void *)p);
}

INLINE void
vec_store(unsigned char *p, vec v)
{
	_mm256_store_si256((void *)p, v);
}

INLINE vec
vec_repeat(const unsigned char *p)
{
	return _mm256_broadcastsi128_si256(block(p));
}

INLINE vec
vec_gather(const unsigned char *const *p, size_t at)
{
	return _mm256_inserti128_si256(
	    _mm256_castsi128_si256(block(p[0] + at)), block(p[1] + at), 1);
}

INLINE void
vec_scatter(unsigned char *const *p, size_t at, vec v)
{
	_mm_storeu_si128((void *)(p[0] + at), _mm256_castsi256_si128(v));
	_mm_storeu_si128((void *)(p[1] + at), _mm256_extracti128_si256(v, 1));
}

INLINE vec
vec_xor(vec a, vec b)
{
	return _mm256_xor_si256(a, b);
}

INLINE vec
vec_round(vec v, vec key)
{
	return _mm256_aesenc_epi128(v, key);
}

INLINE vec
vec_last_round(vec v, vec key)
{
	return _mm256_aesenclast_epi128(v, key);
}

/* A high half takes one where its low half has come to zero. */
INLINE vec
vec_next(vec v)
{
	v = _mm256_add_epi64(v, _mm256_set_epi64x(0, 1, 0, 1));
	return _mm256_sub_epi64(
	    v, _mm256_slli_si256(
	           _mm256_cmpeq_epi64(v, _mm256_set_epi64x(1, 0, 1, 0)), 8));
}

INLINE vec
vec_swap(vec v)
{
	return _mm256_shuffle_epi8(
	    v, _mm256_broadcastsi128_si256(_mm_set_epi8(
	           0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

#include "crypto/eax_kernel_priv.h"

KERNEL(1)
KERNEL(2)
KERNEL(3)
KERNEL(4)

const struct eax_kernels eax_vaes256_kernels = {
	.narrower = &eax_aesni_kernels,
	.few = 2,
	.width = WIDTH,
	.lanes = 8,
	.seal = { NULL, seal_1, seal_2, seal_3, seal_4 },
	.open = { NULL, open_1, open_2, open_3, open_4 },
};

static bool
is_supported(void)
{
	return eax_x86_has_vaes() && __builtin_cpu_supports("avx2");
}

static void
seal(const struct eax_key *k, const struct eax_message *m, size_t count)
{
	eax_x86_seal(&eax_vaes256_kernels, k, m, count);
}

static void
open_all(const struct eax_key *k, const struct eax_message *m, size_t count,
    bool *ret_authentic)
{
	eax_x86_open(&eax_vaes256_kernels, k, m, count, ret_authentic);
}

const struct eax_path eax_path_vaes256 = {
	.name = "vaes256",
	.is_supported = is_supported,
	.expand = eax_x86_expand,
	.seal = seal,
	.open = open_all,
};

#endif
