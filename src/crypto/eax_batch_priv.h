/* SPDX-License-Identifier: MIT */

/*
 * The batches of eax_lanes_priv.h, which says what they are and what has to be
 * defined before; included once by each path.
 *
 * In a batch every lane gives W blocks:
 *
 *   CTR  one vector a lane, of the lane's W next counters
 *   MAC  one vector a group, of one block of each of its W lanes, W times
 *
 * so that loads and stores are whole vectors, and what goes to the MAC is
 * transposed.  The MAC is one batch behind, its rounds interleaved with those
 * of the CTR: with enough groups neither waits for the latency of the other.
 * Lanes without a message go along: they cost no time where the MAC's latency
 * is the bound.
 */

#ifndef EAX_WIDTH
#error "to be included by a path of EAX"
#endif

#include "crypto/eax_block_priv.h"

#define W EAX_WIDTH
#define LANES (EAX_WIDTH * EAX_GROUPS)
#define BATCH ((size_t)EAX_BLOCK * EAX_WIDTH)
/* Groups that go through the rounds together: enough to hide the latency, few
 * enough for the registers. */
#define AT_ONCE 4
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

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
