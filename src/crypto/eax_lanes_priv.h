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
 * Each lane is one message.  Most of it goes in batches of W blocks of every
 * lane (eax_batch_priv.h), the rest, at most W whole blocks and what is left,
 * block by block.
 */

#ifndef EAX_WIDTH
#error "to be included by a path of EAX"
#endif

#include "base/mem.h"
#include "crypto/eax_batch_priv.h"
#include "crypto/secret.h"

/* What a run may leave on the stack below us: spilled keys and counters. */
#define BURN 6144

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

/* --- what is left behind -------------------------------------------------- */

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
