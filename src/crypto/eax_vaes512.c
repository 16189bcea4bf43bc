/* SPDX-License-Identifier: MIT */
#include "crypto/eax_priv.h"

#if defined(__x86_64__)

#include <endian.h>
#include <immintrin.h>
#include <string.h>

#include "base/mem.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,vaes,aes")))
#define WIDTH 4
#define INLINE static inline __attribute__((always_inline)) TARGET

#ifdef __SANITIZE_ADDRESS__
/* That of gcc 12 does not give the stack the alignment of a vector. */
typedef __m512i vec __attribute__((aligned(EAX_BLOCK)));
#else
typedef __m512i vec;
#endif

INLINE __m128i
block(const unsigned char *p)
{
	return _mm_loadu_si128((const void *)p);
}

INLINE vec
vec_load(const unsigned char *p)
{
	return _mm512_load_si512(p);
}

INLINE void
vec_store(unsigned char *p, vec v)
{
	_mm512_store_si512(p, v);
}

INLINE vec
vec_repeat(const unsigned char *p)
{
	return _mm512_broadcast_i32x4(block(p));
}

INLINE vec
vec_gather(const unsigned char *const *p, size_t at)
{
	__m256i low = _mm256_inserti128_si256(
	    _mm256_castsi128_si256(block(p[0] + at)), block(p[1] + at), 1);
	__m256i high = _mm256_inserti128_si256(
	    _mm256_castsi128_si256(block(p[2] + at)), block(p[3] + at), 1);

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

INLINE void
vec_scatter(unsigned char *const *p, size_t at, vec v)
{
	_mm_storeu_si128((void *)(p[0] + at), _mm512_castsi512_si128(v));
	_mm_storeu_si128((void *)(p[1] + at), _mm512_extracti32x4_epi32(v, 1));
	_mm_storeu_si128((void *)(p[2] + at), _mm512_extracti32x4_epi32(v, 2));
	_mm_storeu_si128((void *)(p[3] + at), _mm512_extracti32x4_epi32(v, 3));
}

INLINE vec
vec_xor(vec a, vec b)
{
	return _mm512_xor_si512(a, b);
}

INLINE vec
vec_round(vec v, vec key)
{
	return _mm512_aesenc_epi128(v, key);
}

INLINE vec
vec_last_round(vec v, vec key)
{
	return _mm512_aesenclast_epi128(v, key);
}

/* A high half takes one where its low half has come to zero. */
INLINE vec
vec_next(vec v)
{
	vec one = _mm512_set1_epi64(1), low;

	v = _mm512_mask_add_epi64(v, 0x55, v, one);
	low = _mm512_shuffle_epi32(v, _MM_PERM_BADC);
	return _mm512_mask_add_epi64(
	    v, _mm512_mask_testn_epi64_mask(0xaa, low, low), v, one);
}

INLINE vec
vec_swap(vec v)
{
	return _mm512_shuffle_epi8(
	    v, _mm512_broadcast_i32x4(_mm_set_epi8(
	           0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

#include "crypto/eax_kernel_priv.h"

KERNEL(1)
KERNEL(2)
KERNEL(3)
KERNEL(4)

/* --- sixteen lanes -------------------------------------------------------- */

/*
 * What the kernel does besides AES costs it a quarter of its speed, as the
 * AES units serve other instructions, too; and sixteen lanes whose buffers
 * are 64 KiB apart meet in the same few sets of the first cache, so that a
 * line had better be touched once.  Here a vector of CTR is four blocks of
 * one lane; only that of the MAC has one of each of four.  The ciphertext
 * turns from the one into the other by way of memory, and the counters are
 * counted by the integer units, a turn ahead.
 */
#define VECTORS (EAX_LANES / WIDTH)
#define XOR_OF_THREE 0x96

/* A turn's ciphertext, as the MAC takes it. */
typedef unsigned char turned[EAX_TURN][EAX_LANES][EAX_BLOCK];

struct wide {
	/* The next turn's, xored with the first round's key. */
	alignas(64) uint64_t counter[EAX_LANES][EAX_TURN][2];
	turned cipher[2]; /* of even turns, of odd ones */
	uint64_t low[EAX_LANES], high[EAX_LANES];
	uint64_t key[2];           /* the first round's */
	vec round[EAX_ROUNDS + 1]; /* repeated */
	const struct eax_lanes *lanes;
};
_Static_assert(sizeof(struct wide) <= EAX_SCRATCH, "too large");

/* gcc would make vectors of them again, were they not volatile. */
INLINE void
count(struct wide *w, size_t lane)
{
	volatile uint64_t *to = w->counter[lane][0];
	uint64_t low = w->low[lane], high = w->high[lane];

	UNROLLED
	for (size_t i = 0; i < EAX_TURN; i++) {
		to[2 * i] = htobe64(high) ^ w->key[0];
		to[2 * i + 1] = htobe64(low) ^ w->key[1];
		high += __builtin_add_overflow(low, 1, &low);
	}
	w->low[lane] = low;
	w->high[lane] = high;
}

TARGET static void
wide_begin(struct wide *w, const struct eax_key *k)
{
	memcpy(w->key, k->round[0], sizeof(w->key));
	for (size_t r = 0; r <= EAX_ROUNDS; r++)
		w->round[r] = vec_repeat(k->round[r]);
	for (size_t i = 0; i < EAX_LANES; i++) {
		const unsigned char *p = w->lanes->counter[i];

		memcpy(&w->low[i], p, sizeof(w->low[i]));
		memcpy(&w->high[i], p + sizeof(w->low[i]), sizeof(w->high[i]));
		count(w, i);
	}
}

/* ${w} was a turn ahead. */
static void
wide_end(struct wide *w, struct eax_lanes *l)
{
	for (size_t i = 0; i < EAX_LANES; i++) {
		uint64_t low = w->low[i] - EAX_TURN;
		uint64_t high = w->high[i] - (w->low[i] < EAX_TURN);

		memcpy(l->counter[i], &low, sizeof(low));
		memcpy(l->counter[i] + sizeof(low), &high, sizeof(high));
	}
	mem_wipe(w, sizeof(*w));
}

/* Four blocks of each of four lanes, turned into four lanes' blocks, on their
 * way to the MAC. */
INLINE void
turn(turned cipher, size_t lane, const vec c[WIDTH])
{
	vec a = _mm512_shuffle_i32x4(c[0], c[1], 0x44);
	vec b = _mm512_shuffle_i32x4(c[2], c[3], 0x44);
	vec d = _mm512_shuffle_i32x4(c[0], c[1], 0xee);
	vec e = _mm512_shuffle_i32x4(c[2], c[3], 0xee);

	vec_store(cipher[0][lane], _mm512_shuffle_i32x4(a, b, 0x88));
	vec_store(cipher[1][lane], _mm512_shuffle_i32x4(a, b, 0xdd));
	vec_store(cipher[2][lane], _mm512_shuffle_i32x4(d, e, 0x88));
	vec_store(cipher[3][lane], _mm512_shuffle_i32x4(d, e, 0xdd));
}

/* The last round of CTR for the lanes from ${lane} on.  All are read before
 * any is written, as some may be copies. */
INLINE void
put(struct wide *w, size_t lane, size_t at, const vec *stream, bool is_opening)
{
	const int n = WIDTH;
	vec key = w->round[EAX_ROUNDS], in[WIDTH], out[WIDTH];
	const struct eax_lanes *l = w->lanes;

	EACH (v) {
		in[v] = _mm512_loadu_si512(l->in[lane + (size_t)v] + at);
		out[v] = vec_last_round(stream[v], vec_xor(in[v], key));
	}
	EACH (v)
		_mm512_storeu_si512(l->out[lane + (size_t)v] + at, out[v]);
	turn(w->cipher[at / EAX_BLOCK / EAX_TURN % 2], lane,
	    is_opening ? in : out);
}

/* The rounds but the last one of ${mac}, of CTR's ${stream}, or both; between
 * them the counters of the lanes from ${lane} on are counted, as all of it
 * at once would keep the AES units waiting. */
INLINE void
rounds(struct wide *w, size_t lane, vec *mac, vec *stream)
{
	const int n = VECTORS;

	UNROLLED
	for (size_t r = 1; r < EAX_ROUNDS; r++) {
		vec key = w->round[r];

		EACH (v) {
			if (mac != NULL)
				mac[v] = vec_round(mac[v], key);
			if (stream != NULL)
				stream[v] = vec_round(stream[v], key);
		}
		if (stream != NULL && r % 2 == 0)
			count(w, lane + r / 2 - 1);
	}
}

/* The MAC's first and last steps around rounds(). */
INLINE void
mac_begin(const struct wide *w, const unsigned char *c, vec *mac)
{
	const int n = VECTORS;
	vec key = w->round[0];

	EACH (v)
		mac[v] = _mm512_ternarylogic_epi64(mac[v],
		    vec_load(c + v * WIDTH * EAX_BLOCK), key, XOR_OF_THREE);
}

INLINE void
mac_end(const struct wide *w, vec *mac)
{
	const int n = VECTORS;
	vec key = w->round[EAX_ROUNDS];

	EACH (v)
		mac[v] = vec_last_round(mac[v], key);
}

/* A turn of CTR at ${at}; with ${mac}, the turn before it goes into that. */
INLINE void
wide_turn(struct wide *w, size_t at, vec *mac, bool is_opening)
{
	const int n = VECTORS;
	size_t before = (at / EAX_BLOCK / EAX_TURN + 1) % 2;

	for (size_t i = 0; i < EAX_TURN; i++) {
		size_t lane = i * WIDTH;
		vec stream[VECTORS];

		EACH (v)
			stream[v] =
			    vec_load((void *)w->counter[lane + (size_t)v]);
		if (mac != NULL)
			mac_begin(w, w->cipher[before][i][0], mac);
		rounds(w, lane, mac, stream);
		if (mac != NULL)
			mac_end(w, mac);
		put(w, lane, at, stream, is_opening);
	}
}

INLINE void
wide_kernel(
    const struct eax_key *k, struct eax_lanes *l, size_t steps, bool is_opening)
{
	const int n = VECTORS;
	const size_t size = EAX_TURN * EAX_BLOCK;
	struct wide *w = (void *)l->scratch;
	vec mac[VECTORS];
	size_t at;

	w->lanes = l;
	wide_begin(w, k);
	EACH (v)
		mac[v] = vec_load(l->mac[v * WIDTH]);
	wide_turn(w, 0, NULL, is_opening);
	for (at = size; at < steps * EAX_BLOCK; at += size)
		wide_turn(w, at, mac, is_opening);
	for (size_t i = 0; i < EAX_TURN; i++) {
		mac_begin(w, w->cipher[(steps / EAX_TURN + 1) % 2][i][0], mac);
		rounds(w, 0, mac, NULL);
		mac_end(w, mac);
	}
	EACH (v)
		vec_store(l->mac[v * WIDTH], mac[v]);
	wide_end(w, l);
}

TARGET static void
seal_wide(const struct eax_key *k, struct eax_lanes *l, size_t steps)
{
	wide_kernel(k, l, steps, false);
}

TARGET static void
open_wide(const struct eax_key *k, struct eax_lanes *l, size_t steps)
{
	wide_kernel(k, l, steps, true);
}

static const struct eax_kernels kernels = {
	.narrower = &eax_vaes256_kernels,
	.few = 8,
	.width = WIDTH,
	.lanes = 16,
	.seal = { NULL, seal_1, seal_2, seal_3, seal_4 },
	.open = { NULL, open_1, open_2, open_3, open_4 },
	.seal_turns = seal_wide,
	.open_turns = open_wide,
};

static bool
is_supported(void)
{
	return eax_x86_has_vaes() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl");
}

static void
seal(const struct eax_key *k, const struct eax_message *m, size_t count)
{
	eax_x86_seal(&kernels, k, m, count);
}

static void
open_all(const struct eax_key *k, const struct eax_message *m, size_t count,
    bool *ret_authentic)
{
	eax_x86_open(&kernels, k, m, count, ret_authentic);
}

const struct eax_path eax_path_vaes512 = {
	.name = "vaes512",
	.is_supported = is_supported,
	.expand = eax_x86_expand,
	.seal = seal,
	.open = open_all,
};

#endif
