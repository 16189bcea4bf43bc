/* SPDX-License-Identifier: MIT */

/*
 * EAX in lanes: the part that the fast paths have alike, included once by each
 * of them after it has said how wide its vectors are:
 *
 *   EAX_WIDTH          W, blocks in a vector
 *   EAX_GROUPS         groups of W lanes at most
 *   vec, vec_load, vec_store, vec_broadcast, vec_xor, vec_xor3, vec_aes,
 *   vec_aes_last
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
/* Groups that go through the rounds together: enough to hide the latency, few
 * enough for the registers. */
#define AT_ONCE 4
#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
/* What a run may leave on the stack below us: spilled keys and counters. */
#define BURN 6144

struct lanes {
	vec ctr[LANES]; /* of the next batch, little-endian */
	unsigned char mac[LANES][EAX_BLOCK];
	unsigned char outer[LANES][EAX_BLOCK]; /* OMAC0(nonce)^OMAC1(header) */
	const unsigned char *in[LANES];
	unsigned char *out[LANES];
	const struct eax_message *message[LANES];
	size_t batches[LANES]; /* left */
	unsigned active;       /* the first so many have a message */
	bool is_opening;
	bool has_run; /* batches */
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

/* At most W whole blocks, one by one; the counters stay as they are. */
INLINE void
take_blocks(
    const struct eax_key *k, struct lanes *l, unsigned lane, size_t count)
{
	__m128i mac = load_block(l->mac[lane]);
	const unsigned char *in = l->in[lane];
	unsigned char *out = l->out[lane];
	unsigned char counters[BATCH];

	vec_store(counters, vec_reverse(l->ctr[lane]));
	for (size_t i = 0; i < count; i++) {
		__m128i text = load_block(in + i * EAX_BLOCK);
		__m128i x = encrypt(k, load_block(counters + i * EAX_BLOCK));

		x = _mm_xor_si128(x, text);
		_mm_storeu_si128((__m128i *)(out + i * EAX_BLOCK), x);
		mac = encrypt(k, _mm_xor_si128(mac, l->is_opening ? text : x));
	}
	_mm_storeu_si128((__m128i *)l->mac[lane], mac);
	l->in[lane] += count * EAX_BLOCK;
	l->out[lane] += count * EAX_BLOCK;
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
	l->message[lane] = m;
	l->in[lane] = m->in;
	l->out[lane] = m->out;
	set_counters(l, lane, nonce);
	/* The last block is never of a batch. */
	l->batches[lane] = m->n == 0 ? 0 : (m->n - 1) / BATCH;
}

/* The end of the lane's message: its tag. */
INLINE __m128i
finish_lane(const struct eax_key *k, struct lanes *l, unsigned lane)
{
	const struct eax_message *m = l->message[lane];
	size_t n = m->n - (size_t)(l->in[lane] - m->in);
	size_t blocks = n == 0 ? 0 : (n - 1) / EAX_BLOCK;
	unsigned char counters[BATCH], last[EAX_BLOCK] = { 0 };
	__m128i mac, x;

	if (m->n == 0) {
		mac = omac_empty(k, 2);
		return _mm_xor_si128(mac, load_block(l->outer[lane]));
	}
	take_blocks(k, l, lane, blocks);
	n -= blocks * EAX_BLOCK;
	vec_store(counters, vec_reverse(l->ctr[lane]));
	memcpy(last, l->in[lane], n);
	x = encrypt(k, load_block(counters + blocks * EAX_BLOCK));
	x = _mm_xor_si128(x, load_block(last));
	mac = load_block(l->mac[lane]);
	if (l->is_opening)
		mac = mac_last(k, mac, last, n);
	_mm_storeu_si128((__m128i *)last, x);
	if (!l->is_opening)
		mac = mac_last(k, mac, last, n);
	memcpy(l->out[lane], last, n);
	mem_wipe(last, sizeof(last));
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

/*
 * What one run works with, all of it its own, so that the compiler keeps in
 * registers what it can; indexes are constants once the loops are unrolled.
 * Lanes without a message read and write ${nothing}, again and again: their
 * ${mask} is 0, and all ones for the others.
 */
struct run {
	vec key[EAX_ROUNDS + 1];
	vec mac[EAX_GROUPS];
	vec waiting[EAX_GROUPS][EAX_WIDTH]; /* for the MAC, transposed */
	vec ctr[LANES];
	const unsigned char *in[LANES];
	unsigned char *out[LANES];
	size_t mask[LANES];
};

/* How a batch is to go; constants. */
struct shape {
	unsigned groups;
	bool is_opening;
	bool has_ctr;
	bool has_mac;
};

struct some_groups {
	unsigned from, to;
};

/*
 * Where the MAC's latency is the bound, the last round of a block also adds the
 * next block and the first round key for it, so that the chain does not wait
 * for that.  With more groups the registers are worth more.
 */
INLINE bool
is_chained(unsigned j, struct shape s)
{
	return s.groups <= 2 && j + 1 < W;
}

INLINE vec
last_key(const struct run *r, unsigned g, unsigned j, struct shape s)
{
	return is_chained(j, s) ? vec_xor(r->waiting[g][j + 1],
	                              vec_xor(r->key[EAX_ROUNDS], r->key[0]))
	                        : r->key[EAX_ROUNDS];
}

/* The rounds of some groups: of block ${j} of their MAC, and of one vector ${x}
 * each. */
INLINE void
rounds(
    struct run *r, unsigned j, vec *x, struct some_groups some, struct shape s)
{
	UNROLL
	for (int i = 1; i < EAX_ROUNDS; i++) {
		UNROLL
		for (unsigned g = some.from; g < some.to; g++) {
			if (s.has_mac)
				r->mac[g] = vec_aes(r->mac[g], r->key[i]);
			if (s.has_ctr)
				x[g] = vec_aes(x[g], r->key[i]);
		}
	}
	UNROLL
	for (unsigned g = some.from; g < some.to; g++) {
		if (s.has_mac)
			r->mac[g] =
			    vec_aes_last(r->mac[g], last_key(r, g, j, s));
		if (s.has_ctr)
			x[g] = vec_aes_last(x[g], r->key[EAX_ROUNDS]);
	}
}

/* Block ${j} of the lanes of group ${g} goes into the MAC, if it has not. */
INLINE void
feed_mac(struct run *r, unsigned g, unsigned j, struct shape s)
{
	if (j == 0 || !is_chained(j - 1, s))
		r->mac[g] = vec_xor3(r->mac[g], r->waiting[g][j], r->key[0]);
}

INLINE vec
next_counters(struct run *r, unsigned lane)
{
	vec ctr = r->ctr[lane];

	r->ctr[lane] = vec_next(ctr);
	return vec_xor(vec_reverse(ctr), r->key[0]);
}

/* The vector of ${lane} at ${at}, with key stream ${x}: its ciphertext. */
INLINE vec
apply(struct run *r, size_t at, unsigned lane, vec x, bool is_opening)
{
	size_t here = at & r->mask[lane];
	vec in = vec_load(r->in[lane] + here);
	vec out = vec_xor(in, x);

	vec_store(r->out[lane] + here, out);
	return is_opening ? in : out;
}

/* Block ${j} of each group's lanes goes to the MAC, and lane ${j} of each group
 * through CTR: ${text} is its ciphertext. */
INLINE void
step(struct run *r, size_t at, unsigned j, struct shape s,
    vec text[EAX_GROUPS][EAX_WIDTH])
{
	vec x[EAX_GROUPS];

	UNROLL
	for (unsigned from = 0; from < s.groups; from += AT_ONCE) {
		unsigned to =
		    from + AT_ONCE < s.groups ? from + AT_ONCE : s.groups;

		UNROLL
		for (unsigned g = from; g < to; g++) {
			if (s.has_ctr)
				x[g] = next_counters(r, g * W + j);
			if (s.has_mac)
				feed_mac(r, g, j, s);
		}
		rounds(r, j, x, (struct some_groups){ from, to }, s);
		UNROLL
		for (unsigned g = from; g < to; g++)
			if (s.has_ctr)
				text[g][j] =
				    apply(r, at, g * W + j, x[g], s.is_opening);
	}
}

/* A batch at byte ${at} of every lane, while the MAC takes the one before. */
INLINE void
batch(struct run *r, size_t at, struct shape s)
{
	vec text[EAX_GROUPS][EAX_WIDTH];

	UNROLL
	for (unsigned j = 0; j < W; j++)
		step(r, at, j, s, text);
	if (!s.has_ctr)
		return;
	UNROLL
	for (unsigned g = 0; g < s.groups; g++) {
		vec_transpose(text[g]);
		UNROLL
		for (unsigned j = 0; j < W; j++)
			r->waiting[g][j] = text[g][j];
	}
}

INLINE void
set_up_run(const struct eax_key *k, const struct lanes *l, struct run *r,
    unsigned groups, unsigned char *nothing)
{
	UNROLL
	for (int i = 0; i <= EAX_ROUNDS; i++)
		r->key[i] = vec_broadcast(k->round[i]);
	UNROLL
	for (unsigned g = 0; g < groups; g++)
		r->mac[g] = vec_load(l->mac[g * W]);
	for (unsigned i = 0; i < groups * W; i++) {
		bool is_active = i < l->active;

		r->ctr[i] = l->ctr[i];
		r->in[i] = is_active ? l->in[i] : nothing;
		r->out[i] = is_active ? l->out[i] : nothing;
		r->mask[i] = is_active ? SIZE_MAX : 0;
	}
}

/* ${batches} of every lane. */
INLINE void
run(const struct eax_key *k, struct lanes *l, size_t batches, unsigned groups,
    bool is_opening)
{
	const struct shape first = { groups, is_opening, true, false };
	const struct shape middle = { groups, is_opening, true, true };
	const struct shape last = { groups, is_opening, false, true };
	unsigned char nothing[BATCH] = { 0 };
	struct run r;

	set_up_run(k, l, &r, groups, nothing);
	batch(&r, 0, first);
	for (size_t n = 1; n < batches; n++)
		batch(&r, n * BATCH, middle);
	batch(&r, 0, last);
	UNROLL
	for (unsigned g = 0; g < groups; g++)
		vec_store(l->mac[g * W], r.mac[g]);
	for (unsigned i = 0; i < groups * W; i++)
		l->ctr[i] = r.ctr[i];
}

/* A function for each number of groups and each direction, so that these are
 * constants in them. */
#define DEFINE_RUN(groups)                                                     \
	static __attribute__((noinline)) void seal_##groups(                   \
	    const struct eax_key *k, struct lanes *l, size_t batches)          \
	{                                                                      \
		run(k, l, batches, groups, false);                             \
	}                                                                      \
	static __attribute__((noinline)) void open_##groups(                   \
	    const struct eax_key *k, struct lanes *l, size_t batches)          \
	{                                                                      \
		run(k, l, batches, groups, true);                              \
	}
DEFINE_RUN(1)
DEFINE_RUN(2)
DEFINE_RUN(4)
#if EAX_GROUPS > 4
DEFINE_RUN(8)
#endif

static const struct {
	unsigned lanes; /* at most */
	void (*seal)(const struct eax_key *k, struct lanes *l, size_t batches);
	void (*open)(const struct eax_key *k, struct lanes *l, size_t batches);
} runs[] = {
	{ 1 * W, seal_1, open_1 },
	{ 2 * W, seal_2, open_2 },
	{ 4 * W, seal_4, open_4 },
#if EAX_GROUPS > 4
	{ 8 * W, seal_8, open_8 },
#endif
};

static void
run_lanes(const struct eax_key *k, struct lanes *l, size_t batches)
{
	size_t i = 0;

	while (runs[i].lanes < l->active)
		i++;
	l->has_run = true;
	if (l->is_opening)
		runs[i].open(k, l, batches);
	else
		runs[i].seal(k, l, batches);
	for (i = 0; i < l->active; i++) {
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

INLINE void
init_lanes(struct lanes *l, bool is_opening)
{
	l->active = 0;
	l->is_opening = is_opening;
	l->has_run = false;
}

/* ${count} messages were computed. */
INLINE void
wipe_lanes(struct lanes *l, size_t count)
{
	size_t used = count < LANES ? count : LANES;

	mem_wipe(l->ctr, used * sizeof(l->ctr[0]));
	mem_wipe(l->mac, used * sizeof(l->mac[0]));
	mem_wipe(l->outer, used * sizeof(l->outer[0]));
	if (l->has_run)
		burn_stack();
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

	init_lanes(&l, false);
	for (size_t done = 0, n; done < count; done += n) {
		n = count - done < TAGS ? count - done : TAGS;
		compute(k, &l, m + done, n, tags);
		for (size_t i = 0; i < n; i++)
			memcpy(m[done + i].tag, tags[i], EAX_TAG_SIZE);
	}
	wipe_lanes(&l, count);
}

static void
open_all(const struct eax_key *k, const struct eax_message *m, size_t count,
    bool *ret_authentic)
{
	unsigned char tags[TAGS][EAX_TAG_SIZE];
	struct lanes l;

	init_lanes(&l, true);
	for (size_t done = 0, n; done < count; done += n) {
		n = count - done < TAGS ? count - done : TAGS;
		compute(k, &l, m + done, n, tags);
		for (size_t i = 0; i < n; i++) {
			const struct eax_message *one = &m[done + i];
			bool ok = secret_equal(tags[i], one->tag, EAX_TAG_SIZE);

			ret_authentic[done + i] = ok;
			if (!ok)
				mem_wipe(one->out, one->n);
			/* The right tag of a forgery is nobody's business. */
			mem_wipe(tags[i], EAX_TAG_SIZE);
		}
	}
	wipe_lanes(&l, count);
}
