/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void
rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

/* ${n} bytes, at most 8, as a little-endian number. */
static uint64_t
word(const unsigned char *p, size_t n)
{
	uint64_t w = 0;

	while (n-- > 0)
		w = w << 8 | p[n];
	return w;
}

static void
absorb(struct state *s, uint64_t w, int n_rounds)
{
	s->v3 ^= w;
	rounds(s, n_rounds);
	s->v0 ^= w;
}

/* ${c} rounds a word, ${c} + 2 at the end: both variants are of this form. */
static uint64_t
sip(const struct siphash_key *key, const unsigned char *p, size_t n, int c)
{
	uint64_t last = (uint64_t)n << 56;
	struct state s = {
		.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};

	for (; n >= 8; p += 8, n -= 8)
		absorb(&s, word(p, 8), c);
	absorb(&s, last | word(p, n), c);
	s.v2 ^= 0xff;
	rounds(&s, c + 2);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t
siphash_13(const struct siphash_key *key, const void *p, size_t n)
{
	return sip(key, p, n, 1);
}

uint64_t
siphash_24(const struct siphash_key *key, const void *p, size_t n)
{
	return sip(key, p, n, 2);
}
