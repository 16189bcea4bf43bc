/* SPDX-License-Identifier: MIT */
#include "crypto/eax_priv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("aes,sse4.1")))
#define WIDTH 1
#define INLINE static inline __attribute__((always_inline)) TARGET

typedef __m128i vec;

INLINE vec
vec_load(const unsigned char *p)
{
	return _mm_load_si128((const void *)p);
}

INLINE void
vec_store(unsigned char *p, vec v)
{
	_mm_store_si128((void *)p, v);
}

INLINE vec
vec_repeat(const unsigned char *p)
{
	return _mm_loadu_si128((const void *)p);
}

INLINE vec
vec_gather(const unsigned char *const *p, size_t at)
{
	return _mm_loadu_si128((const void *)(p[0] + at));
}

INLINE void
vec_scatter(unsigned char *const *p, size_t at, vec v)
{
	_mm_storeu_si128((void *)(p[0] + at), v);
}

INLINE vec
vec_xor(vec a, vec b)
{
	return _mm_xor_si128(a, b);
}

INLINE vec
vec_round(vec v, vec key)
{
	return _mm_aesenc_si128(v, key);
}

INLINE vec
vec_last_round(vec v, vec key)
{
	return _mm_aesenclast_si128(v, key);
}

/* The high half takes one where the low half has come to zero. */
INLINE vec
vec_next(vec v)
{
	v = _mm_add_epi64(v, _mm_set_epi64x(0, 1));
	return _mm_sub_epi64(
	    v, _mm_slli_si128(_mm_cmpeq_epi64(v, _mm_set_epi64x(1, 0)), 8));
}

INLINE vec
vec_swap(vec v)
{
	return _mm_shuffle_epi8(v,
	    _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

#include "crypto/eax_kernel_priv.h"

KERNEL(1)
KERNEL(2)
KERNEL(3)
KERNEL(4)

const struct eax_kernels eax_aesni_kernels = {
	.width = WIDTH,
	.lanes = 4,
	.seal = { NULL, seal_1, seal_2, seal_3, seal_4 },
	.open = { NULL, open_1, open_2, open_3, open_4 },
};

static void
seal(const struct eax_key *k, const struct eax_message *m, size_t count)
{
	eax_x86_seal(&eax_aesni_kernels, k, m, count);
}

static void
open_all(const struct eax_key *k, const struct eax_message *m, size_t count,
    bool *ret_authentic)
{
	eax_x86_open(&eax_aesni_kernels, k, m, count, ret_authentic);
}

const struct eax_path eax_path_aesni = {
	.name = "aesni",
	.is_supported = eax_x86_has_aesni,
	.expand = eax_x86_expand,
	.seal = seal,
	.open = open_all,
};

#endif
