/* SPDX-License-Identifier: MIT */

/*
 * The kernel of a path, made from what the includer defines:
 *
 *   TARGET              the attribute for functions that use its instructions
 *   WIDTH               how many blocks, of as many lanes, are in a vector
 *   vec                 that vector
 *   vec_load(p)         from WIDTH blocks side by side, aligned
 *   vec_store(p, v)     to them
 *   vec_repeat(p)       one block, WIDTH times
 *   vec_gather(p, at)   a block from each p[i] + at, i < WIDTH
 *   vec_scatter(p, at, v)   to them
 *   vec_xor(a, b)
 *   vec_round(v, key), vec_last_round(v, key)   of AES
 *   vec_next(v)         plus one in each block: 128 bits, low half first
 *   vec_swap(v)         the bytes of each block, last one first
 *
 * Latencies bound it where there are few lanes, and the AES units where there
 * are many.  So the MAC's chain is kept to the ten rounds of a block: what
 * comes before the first of them is xored, beforehand, to the key of the last
 * round of the block before.
 */

#include "crypto/eax_x86_priv.h"

#define INLINE static inline __attribute__((always_inline)) TARGET
#ifdef __clang__
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif
/* Unrolled, vectors stay in registers. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define EACH(v) UNROLLED for (int v = 0; v < n; v++)

struct state {
	const struct eax_key *k;
	const struct eax_lanes *lanes;
	vec mac[EAX_VECTORS];
	vec counter[EAX_VECTORS];
	vec cipher[EAX_VECTORS]; /* of the last step */
};

/* Encrypts or decrypts a block of each lane, at ${at}; ${with_mac}, takes
 * the MAC through nine rounds meanwhile. */
INLINE void
crypt(struct state *s, size_t at, const int n, const bool is_opening,
    const bool with_mac)
{
	vec stream[EAX_VECTORS], key = vec_repeat(s->k->round[0]);

	EACH (v) {
		stream[v] = vec_xor(vec_swap(s->counter[v]), key);
		s->counter[v] = vec_next(s->counter[v]);
	}
	for (int r = 1; r < EAX_ROUNDS; r++) {
		key = vec_repeat(s->k->round[r]);
		EACH (v) {
			if (with_mac)
				s->mac[v] = vec_round(s->mac[v], key);
			stream[v] = vec_round(stream[v], key);
		}
	}
	key = vec_repeat(s->k->round[EAX_ROUNDS]);
	EACH (v) {
		vec in = vec_gather(s->lanes->in + v * WIDTH, at);
		vec out = vec_last_round(stream[v], vec_xor(in, key));

		vec_scatter(s->lanes->out + v * WIDTH, at, out);
		s->cipher[v] = is_opening ? in : out;
	}
}

/* The MAC, before its first round and after all of them. */
INLINE void
load_mac(struct state *s, const int n)
{
	vec key = vec_repeat(s->k->round[0]);

	EACH (v)
		s->mac[v] =
		    vec_xor(vec_xor(vec_load(s->lanes->mac[v * WIDTH]), key),
		        s->cipher[v]);
}

INLINE void
store_mac(struct state *s, struct eax_lanes *l, const int n)
{
	for (int r = 1; r < EAX_ROUNDS; r++) {
		EACH (v)
			s->mac[v] =
			    vec_round(s->mac[v], vec_repeat(s->k->round[r]));
	}
	EACH (v)
		vec_store(l->mac[v * WIDTH],
		    vec_last_round(
		        s->mac[v], vec_repeat(s->k->round[EAX_ROUNDS])));
}

INLINE void
kernel(const struct eax_key *k, struct eax_lanes *l, size_t steps, const int n,
    const bool is_opening)
{
	struct state s;
	vec key =
	    vec_xor(vec_repeat(k->round[0]), vec_repeat(k->round[EAX_ROUNDS]));

	s.k = k;
	s.lanes = l;
	EACH (v)
		s.counter[v] = vec_load(l->counter[v * WIDTH]);
	crypt(&s, 0, n, is_opening, false);
	load_mac(&s, n);
	for (size_t at = EAX_BLOCK; at < steps * EAX_BLOCK; at += EAX_BLOCK) {
		crypt(&s, at, n, is_opening, true);
		EACH (v)
			s.mac[v] =
			    vec_last_round(s.mac[v], vec_xor(s.cipher[v], key));
	}
	store_mac(&s, l, n);
	EACH (v)
		vec_store(l->counter[v * WIDTH], s.counter[v]);
}

/* Those of the table. */
#define KERNEL(n)                                                              \
	TARGET static void seal_##n(                                           \
	    const struct eax_key *k, struct eax_lanes *l, size_t steps)        \
	{                                                                      \
		kernel(k, l, steps, n, false);                                 \
	}                                                                      \
	TARGET static void open_##n(                                           \
	    const struct eax_key *k, struct eax_lanes *l, size_t steps)        \
	{                                                                      \
		kernel(k, l, steps, n, true);                                  \
	}
