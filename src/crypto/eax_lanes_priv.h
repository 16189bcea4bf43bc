/* SPDX-License-Identifier: MIT */

/*
 * EAX in lanes: the part that the fast paths have alike, included once by each
 * of them after it has said how wide its vectors are:
 *
 *   EAX_WIDTH          W, blocks in a vector
 *   EAX_GROUPS         groups of W lanes at most
 *   vec, vec_load, vec_store, vec_broadcast, vec_xor, vec_aes, vec_aes_last,
 *   vec_reverse        bytes of each block reversed
 *   vec_next           W added to the number in each block, little-endian
 *   vec_transpose      block i of vector j and block j of vector i swapped
 *
 * Each lane is one message.  In a batch every lane gives W blocks:
 *
 *   CTR  one vector a lane, of the lane's W next counters
 *   MAC  one vector a group, of one block of each of its W lanes, W times
 *
 * so that loads and stores are whole vectors, and what goes to the MAC is
 * transposed.  The MAC is one batch behind, its rounds interleaved with those
 * of the CTR: with enough groups neither waits for the latency of the other.
 * Lanes without a message go along, reading what lane 0 reads and writing
 * nothing: they cost no time where the MAC's latency is the bound.
 *
 * The rest of each message, at most W whole blocks and what is left, is done
 * block by block.
 */

#ifndef EAX_WIDTH
#error "to be included by a path of EAX"
#endif

#include <stdint.h>
#include <string.h>

#include <immintrin.h>

#include "base/mem.h"
#include "crypto/eax_priv.h"
#include "crypto/secret.h"

#define W EAX_WIDTH
#define LANES (EAX_WIDTH * EAX_GROUPS)
#define BATCH ((size_t)EAX_BLOCK * EAX_WIDTH)
#define INLINE static inline __attribute__((always_inline))
/* What a run may leave on the stack below us: spilled keys and counters. */
#define BURN 6144

struct lanes {
	alignas(64) vec ctr[LANES]; /* of the next batch, little-endian */
	alignas(64) unsigned char mac[LANES][EAX_BLOCK];
	unsigned char outer[LANES][EAX_BLOCK]; /* OMAC0(nonce)^OMAC1(header) */
	const unsigned char *in[LANES];
	unsigned char *out[LANES];
	const struct eax_message *message[LANES];
	size_t batches[LANES]; /* left */
	unsigned active;       /* the first so many have a message */
	bool is_opening;
};

/* --- one block ------------------------------------------------------------ */

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

/* --- lanes ---------------------------------------------------------------- */

/* W counters from the one that the nonce makes, with every carry. */
INLINE void
set_counters(struct lanes *l, unsigned lane, __m128i first)
{
	unsigned char block[EAX_BLOCK];
	uint64_t v[2 * EAX_WIDTH];
	uint64_t low, high;

	_mm_storeu_si128((__m128i *)block, first);
	high = get_be64(block);
	low = get_be64(block + 8);
	for (unsigned i = 0; i < W; i++) {
		v[2 * i] = low;
		v[2 * i + 1] = high;
		low++;
		high += low == 0;
	}
	l->ctr[lane] = vec_load(v);
}

INLINE void
begin_lane(const struct eax_key *k, struct lanes *l, unsigned lane,
    const struct eax_message *m)
{
	__m128i nonce = omac(k, 0, m->nonce, EAX_NONCE_SIZE);
	__m128i header = m->header_n == 0 ? omac_empty(k, 1)
	                                  : omac(k, 1, m->header, m->header_n);

	_mm_storeu_si128(
	    (__m128i *)l->outer[lane], _mm_xor_si128(nonce, header));
	memcpy(l->mac[lane], k->omac[2], EAX_BLOCK);
	set_counters(l, lane, nonce);
	l->message[lane] = m;
	l->in[lane] = m->in;
	l->out[lane] = m->out;
	/* The last block is never of a batch. */
	l->batches[lane] = m->n == 0 ? 0 : (m->n - 1) / BATCH;
}

/* The lane's message block by block to its end: its tag. */
INLINE __m128i
finish_lane(const struct eax_key *k, struct lanes *l, unsigned lane)
{
	const struct eax_message *m = l->message[lane];
	__m128i mac = load_block(l->mac[lane]);
	const unsigned char *in = l->in[lane];
	unsigned char *out = l->out[lane];
	size_t n = m->n - (size_t)(in - m->in);
	vec ctr = l->ctr[lane];
	unsigned char counters[BATCH], last[EAX_BLOCK] = { 0 };
	const unsigned char *c = counters;
	__m128i x;

	if (m->n == 0) {
		mac = omac_empty(k, 2);
		goto out;
	}
	vec_store(counters, vec_reverse(ctr));
	for (; n > EAX_BLOCK; n -= EAX_BLOCK, c += EAX_BLOCK) {
		__m128i text = load_block(in);

		x = _mm_xor_si128(text, encrypt(k, load_block(c)));
		_mm_storeu_si128((__m128i *)out, x);
		mac = encrypt(k, _mm_xor_si128(mac, l->is_opening ? text : x));
		in += EAX_BLOCK;
		out += EAX_BLOCK;
	}
	memcpy(last, in, n);
	x = _mm_xor_si128(load_block(last), encrypt(k, load_block(c)));
	if (l->is_opening)
		mac = mac_last(k, mac, last, n);
	_mm_storeu_si128((__m128i *)last, x);
	if (!l->is_opening)
		mac = mac_last(k, mac, last, n);
	memcpy(out, last, n);
	mem_wipe(counters, sizeof(counters));
	mem_wipe(last, sizeof(last));
out:
	return _mm_xor_si128(mac, load_block(l->outer[lane]));
}

/* The last lane takes the place of one that ended. */
INLINE void
drop_lane(struct lanes *l, unsigned lane)
{
	unsigned from = --l->active;

	l->ctr[lane] = l->ctr[from];
	memcpy(l->mac[lane], l->mac[from], EAX_BLOCK);
	memcpy(l->outer[lane], l->outer[from], EAX_BLOCK);
	l->in[lane] = l->in[from];
	l->out[lane] = l->out[from];
	l->message[lane] = l->message[from];
	l->batches[lane] = l->batches[from];
}

/* --- batches -------------------------------------------------------------- */

/* Vectors of one run; all indexes are constants once the loops are unrolled. */
struct run {
	vec key[EAX_ROUNDS + 1];
	vec mac[EAX_GROUPS];
	vec waiting[EAX_GROUPS][EAX_WIDTH]; /* for the MAC, transposed */
};

/* One block of each lane to the MAC, and one vector of CTR of a lane of each
 * group, which comes out in ${x}. */
INLINE void
rounds(struct run *r, vec *x, unsigned groups, bool has_ctr, bool has_mac)
{
	for (int i = 1; i < EAX_ROUNDS; i++)
		for (unsigned g = 0; g < groups; g++) {
			if (has_mac)
				r->mac[g] = vec_aes(r->mac[g], r->key[i]);
			if (has_ctr)
				x[g] = vec_aes(x[g], r->key[i]);
		}
	for (unsigned g = 0; g < groups; g++) {
		if (has_mac)
			r->mac[g] = vec_aes_last(r->mac[g], r->key[EAX_ROUNDS]);
		if (has_ctr)
			x[g] = vec_aes_last(x[g], r->key[EAX_ROUNDS]);
	}
}

INLINE void
feed_mac(struct run *r, unsigned j, unsigned groups)
{
	for (unsigned g = 0; g < groups; g++)
		r->mac[g] =
		    vec_xor(r->mac[g], vec_xor(r->waiting[g][j], r->key[0]));
}

/* A batch at byte ${at} of every lane, while the MAC takes the one before
 * (${has_mac}: there was one). */
INLINE void
batch(struct run *r, struct lanes *l, size_t at, unsigned groups, bool has_mac)
{
	vec text[EAX_GROUPS][EAX_WIDTH];

	for (unsigned j = 0; j < W; j++) {
		vec x[EAX_GROUPS];

		for (unsigned g = 0; g < groups; g++) {
			vec ctr = l->ctr[g * W + j];

			x[g] = vec_xor(vec_reverse(ctr), r->key[0]);
			l->ctr[g * W + j] = vec_next(ctr);
		}
		if (has_mac)
			feed_mac(r, j, groups);
		rounds(r, x, groups, true, has_mac);
		for (unsigned g = 0; g < groups; g++) {
			unsigned lane = g * W + j;
			vec in = vec_load(l->in[lane] + at);
			vec out = vec_xor(in, x[g]);

			if (lane < l->active)
				vec_store(l->out[lane] + at, out);
			text[g][j] = l->is_opening ? in : out;
		}
	}
	for (unsigned g = 0; g < groups; g++) {
		vec_transpose(text[g]);
		for (unsigned j = 0; j < W; j++)
			r->waiting[g][j] = text[g][j];
	}
}

/* ${batches} of every lane. */
INLINE void
run(const struct eax_key *k, struct lanes *l, size_t batches, unsigned groups)
{
	struct run r;

	for (int i = 0; i <= EAX_ROUNDS; i++)
		r.key[i] = vec_broadcast(k->round[i]);
	for (unsigned g = 0; g < groups; g++)
		r.mac[g] = vec_load(l->mac[g * W]);
	batch(&r, l, 0, groups, false);
	for (size_t n = 1; n < batches; n++)
		batch(&r, l, n * BATCH, groups, true);
	for (unsigned j = 0; j < W; j++) {
		feed_mac(&r, j, groups);
		rounds(&r, NULL, groups, false, true);
	}
	for (unsigned g = 0; g < groups; g++)
		vec_store(l->mac[g * W], r.mac[g]);
}

/* A function for each number of groups, so that it is a constant in them. */
#define DEFINE_RUN(groups)                                                     \
	static __attribute__((noinline)) void run_##groups(                    \
	    const struct eax_key *k, struct lanes *l, size_t batches)          \
	{                                                                      \
		run(k, l, batches, groups);                                    \
	}
DEFINE_RUN(1)
DEFINE_RUN(2)
DEFINE_RUN(4)
#if EAX_GROUPS > 4
DEFINE_RUN(8)
#endif

static void
run_lanes(const struct eax_key *k, struct lanes *l, size_t batches)
{
	for (unsigned i = l->active; i < LANES; i++)
		l->in[i] = l->in[0];
#if EAX_GROUPS > 4
	if (l->active > 4 * W)
		run_8(k, l, batches);
	else
#endif
	    if (l->active > 2 * W)
		run_4(k, l, batches);
	else if (l->active > W)
		run_2(k, l, batches);
	else
		run_1(k, l, batches);
	for (unsigned i = 0; i < l->active; i++) {
		l->in[i] += batches * BATCH;
		l->out[i] += batches * BATCH;
		l->batches[i] -= batches;
	}
}

static __attribute__((noinline)) void
burn_stack(void)
{
	unsigned char below[BURN];

	mem_wipe(below, sizeof(below));
}

/* --- all messages --------------------------------------------------------- */

static size_t
fewest_batches(const struct lanes *l)
{
	size_t n = l->batches[0];

	for (unsigned i = 1; i < l->active; i++)
		if (l->batches[i] < n)
			n = l->batches[i];
	return n;
}

/* ${tags}: one for each message. */
static void
compute(const struct eax_key *k, struct lanes *l, const struct eax_message *m,
    size_t count, unsigned char (*tags)[EAX_TAG_SIZE])
{
	size_t next = 0;

	while (next < count || l->active > 0) {
		size_t n;

		for (; next < count && l->active < LANES; next++)
			begin_lane(k, l, l->active++, &m[next]);
		n = fewest_batches(l);
		if (n > 0)
			run_lanes(k, l, n);
		for (unsigned i = l->active; i-- > 0;) {
			size_t which = (size_t)(l->message[i] - m);

			if (l->batches[i] > 0)
				continue;
			_mm_storeu_si128(
			    (__m128i *)tags[which], finish_lane(k, l, i));
			drop_lane(l, i);
		}
	}
}

/* Messages whose tags stand on the stack at a time. */
#define TAGS 64

static void
seal(const struct eax_key *k, const struct eax_message *m, size_t count)
{
	unsigned char tags[TAGS][EAX_TAG_SIZE];
	struct lanes l;

	memset(&l, 0, sizeof(l));
	while (count > 0) {
		size_t n = count < TAGS ? count : TAGS;

		compute(k, &l, m, n, tags);
		for (size_t i = 0; i < n; i++)
			memcpy(m[i].tag, tags[i], EAX_TAG_SIZE);
		m += n;
		count -= n;
	}
	mem_wipe(&l, sizeof(l));
	burn_stack();
}

static void
open_all(const struct eax_key *k, const struct eax_message *m, size_t count,
    bool *ret_authentic)
{
	unsigned char tags[TAGS][EAX_TAG_SIZE];
	struct lanes l;

	memset(&l, 0, sizeof(l));
	l.is_opening = true;
	while (count > 0) {
		size_t n = count < TAGS ? count : TAGS;

		compute(k, &l, m, n, tags);
		for (size_t i = 0; i < n; i++) {
			ret_authentic[i] =
			    secret_equal(tags[i], m[i].tag, EAX_TAG_SIZE);
			if (!ret_authentic[i])
				mem_wipe(m[i].out, m[i].n);
		}
		m += n;
		count -= n;
		ret_authentic += n;
	}
	/* The right tags of forgeries are nobody's business. */
	mem_wipe(tags, sizeof(tags));
	mem_wipe(&l, sizeof(l));
	burn_stack();
}
