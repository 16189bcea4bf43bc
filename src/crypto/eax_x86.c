/* SPDX-License-Identifier: MIT */
#include "crypto/eax_priv.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/eax_x86_priv.h"

#define TARGET __attribute__((target("aes,sse4.1")))
#define STACK_WIPED 1024
#define LINE 64 /* of the cache */
#define INLINE static inline __attribute__((always_inline)) TARGET

/* --- the machine ---------------------------------------------------------- */

#define CPUID_FEATURES 7
#define ECX_VAES (1u << 9)

bool
eax_x86_has_aesni(void)
{
	return __builtin_cpu_supports("aes") &&
	       __builtin_cpu_supports("sse4.1");
}

/* clang 14 has no name for it.  Whether the system keeps the wide registers
 * is asked with AVX2 and AVX-512. */
bool
eax_x86_has_vaes(void)
{
	unsigned a, b, c, d;

	return eax_x86_has_aesni() &&
	       __get_cpuid_count(CPUID_FEATURES, 0, &a, &b, &c, &d) == 1 &&
	       (c & ECX_VAES) != 0;
}

/* --- single blocks -------------------------------------------------------- */

INLINE __m128i
load(const unsigned char *p)
{
	return _mm_loadu_si128((const void *)p);
}

INLINE void
store(unsigned char *p, __m128i v)
{
	_mm_storeu_si128((void *)p, v);
}

INLINE __m128i
swap(__m128i v)
{
	return _mm_shuffle_epi8(v,
	    _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

INLINE __m128i
encrypt(const struct eax_key *k, __m128i v)
{
	v = _mm_xor_si128(v, load(k->round[0]));
	for (int r = 1; r < EAX_ROUNDS; r++)
		v = _mm_aesenc_si128(v, load(k->round[r]));
	return _mm_aesenclast_si128(v, load(k->round[EAX_ROUNDS]));
}

/* ${v}, of which ${n} < EAX_BLOCK bytes count, then a bit, then zeroes. */
INLINE __m128i
pad(__m128i v, size_t n)
{
	__m128i index =
	    _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	__m128i end = _mm_set1_epi8((char)n);

	v = _mm_and_si128(v, _mm_cmplt_epi8(index, end));
	return _mm_or_si128(v, _mm_and_si128(_mm_cmpeq_epi8(index, end),
	                           _mm_set1_epi8((char)0x80)));
}

/* What CMAC makes of its last block, of ${n} <= EAX_BLOCK bytes. */
INLINE __m128i
last_block(const struct eax_key *k, __m128i v, size_t n)
{
	return n == EAX_BLOCK ? _mm_xor_si128(v, load(k->l2))
	                      : _mm_xor_si128(pad(v, n), load(k->l4));
}

/* What these leave on the stack is wiped in the end, by run(). */
INLINE __m128i
load_part(const unsigned char *p, size_t n)
{
	unsigned char part[EAX_BLOCK] = { 0 };

	if (n == EAX_BLOCK)
		return load(p);
	memcpy(part, p, n);
	return load(part);
}

INLINE void
store_part(unsigned char *p, __m128i v, size_t n)
{
	unsigned char part[EAX_BLOCK];

	if (n == EAX_BLOCK) {
		store(p, v);
		return;
	}
	store(part, v);
	memcpy(p, part, n);
}

/* OMAC${tweak} of nothing: its only block is [tweak]. */
INLINE __m128i
omac_empty(const struct eax_key *k, int tweak)
{
	__m128i first = _mm_set_epi32(tweak << 24, 0, 0, 0);

	return encrypt(k, _mm_xor_si128(first, load(k->l2)));
}

INLINE __m128i
omac(const struct eax_key *k, int tweak, const unsigned char *p, size_t n)
{
	__m128i mac = load(k->omac[tweak]);

	if (n == 0)
		return omac_empty(k, tweak);
	for (; n > EAX_BLOCK; p += EAX_BLOCK, n -= EAX_BLOCK)
		mac = encrypt(k, _mm_xor_si128(mac, load(p)));
	return encrypt(
	    k, _mm_xor_si128(mac, last_block(k, load_part(p, n), n)));
}

/* --- the key -------------------------------------------------------------- */

/* The next round's key from ${key} and its last word, substituted, rotated
 * and with the round's constant: FIPS 197, section 5.2, four words at once. */
INLINE __m128i
next_key(__m128i key, __m128i assist)
{
	key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
	key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
	return _mm_xor_si128(key, _mm_shuffle_epi32(assist, 0xff));
}

#define EXPAND(r, constant)                                                    \
	do {                                                                   \
		key = next_key(key, _mm_aeskeygenassist_si128(key, constant)); \
		store(k->round[r], key);                                       \
	} while (0)

TARGET static void
expand_rounds(struct eax_key *k)
{
	__m128i key = load(k->round[0]);

	EXPAND(1, 0x01);
	EXPAND(2, 0x02);
	EXPAND(3, 0x04);
	EXPAND(4, 0x08);
	EXPAND(5, 0x10);
	EXPAND(6, 0x20);
	EXPAND(7, 0x40);
	EXPAND(8, 0x80);
	EXPAND(9, 0x1b);
	EXPAND(10, 0x36);
}

TARGET void
eax_x86_expand(struct eax_key *k)
{
	expand_rounds(k);
	for (int t = 0; t < 3; t++)
		store(k->omac[t], encrypt(k, _mm_set_epi32(t << 24, 0, 0, 0)));
	eax_double(k->omac[0], k->l2);
	eax_double(k->l2, k->l4);
}

/* --- a message's beginning and end ---------------------------------------- */

/* Gives message ${i} to the lane ${lane}. */
TARGET static void
begin(const struct eax_key *k, const struct eax_message *m, size_t i,
    struct eax_lanes *l, size_t lane)
{
	__m128i nonce = omac(k, 0, m[i].nonce, EAX_NONCE_SIZE);

	store(l->outer[lane],
	    _mm_xor_si128(nonce, omac(k, 1, m[i].header, m[i].header_n)));
	store(l->counter[lane], swap(nonce));
	store(l->mac[lane], load(k->omac[2]));
	l->in[lane] = m[i].in;
	l->out[lane] = m[i].out;
	l->left[lane] = m[i].n == 0 ? 0 : (m[i].n - 1) / EAX_BLOCK;
	l->message[lane] = i;
}

/* The last block of lane ${i}, of ${n} bytes, and the tag. */
TARGET static __m128i
end(const struct eax_key *k, const struct eax_lanes *l, size_t i, size_t n,
    bool is_opening)
{
	__m128i outer = load(l->outer[i]), in, out;

	if (n == 0)
		return _mm_xor_si128(outer, omac_empty(k, 2));
	in = load_part(l->in[i], n);
	out = _mm_xor_si128(in, encrypt(k, swap(load(l->counter[i]))));
	store_part(l->out[i], out, n);
	in = last_block(k, is_opening ? in : out, n);
	return _mm_xor_si128(
	    outer, encrypt(k, _mm_xor_si128(in, load(l->mac[i]))));
}

INLINE bool
is_equal(__m128i a, __m128i b)
{
	return _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) == 0xffff;
}

/* --- all messages --------------------------------------------------------- */

/* What is to be done. */
struct job {
	const struct eax_kernels *kernels;
	const struct eax_key *key;
	const struct eax_message *messages;
	size_t count;
	bool *authentic; /* NULL: to seal */
};

/* Ends the message of lane ${i}, and gives the lane that of the last one. */
TARGET static void
retire(const struct job *j, struct eax_lanes *l, size_t i)
{
	const struct eax_message *m = &j->messages[l->message[i]];
	size_t n = m->n == 0 ? 0 : (m->n - 1) % EAX_BLOCK + 1;
	__m128i tag = end(j->key, l, i, n, j->authentic != NULL);
	size_t last = --l->count;

	if (j->authentic == NULL) {
		store(m->tag, tag);
	} else {
		j->authentic[l->message[i]] = is_equal(tag, load(m->tag));
		if (!j->authentic[l->message[i]])
			mem_wipe(m->out, m->n);
	}
	memcpy(l->mac[i], l->mac[last], EAX_BLOCK);
	memcpy(l->counter[i], l->counter[last], EAX_BLOCK);
	memcpy(l->outer[i], l->outer[last], EAX_BLOCK);
	l->in[i] = l->in[last];
	l->out[i] = l->out[last];
	l->left[i] = l->left[last];
	l->message[i] = l->message[last];
}

/* Ends the messages that have come to their last block. */
static void
retire_ready(const struct job *j, struct eax_lanes *l)
{
	for (size_t i = l->count; i > 0; i--)
		if (l->left[i - 1] == 0)
			retire(j, l, i - 1);
}

/*
 * The lanes of the last vector that have no message do what its first one
 * does, and write the same: a vector is read before it is written, also where
 * ${in} and ${out} are the same.
 */
static size_t
fill_vectors(struct eax_lanes *l, size_t width)
{
	size_t vectors = (l->count + width - 1) / width;
	size_t first = (vectors - 1) * width;

	for (size_t i = l->count; i < vectors * width; i++) {
		memcpy(l->mac[i], l->mac[first], EAX_BLOCK);
		memcpy(l->counter[i], l->counter[first], EAX_BLOCK);
		l->in[i] = l->in[first];
		l->out[i] = l->out[first];
	}
	return vectors;
}

/* The kernel for as many lanes as there are, all of its vectors full;
 * ${steps} becomes what it can do of them. */
static eax_kernel_fn
choose_kernel(const struct job *j, struct eax_lanes *l, size_t *steps)
{
	const struct eax_kernels *ks = j->kernels;
	bool is_opening = j->authentic != NULL;
	size_t vectors;

	while (l->count <= ks->few)
		ks = ks->narrower;
	vectors = fill_vectors(l, ks->width);
	if (ks->seal_turns != NULL && vectors * ks->width == EAX_LANES &&
	    *steps >= EAX_TURN) {
		*steps -= *steps % EAX_TURN;
		return is_opening ? ks->open_turns : ks->seal_turns;
	}
	return is_opening ? ks->open[vectors] : ks->seal[vectors];
}

/* Takes all lanes as far as the shortest one goes, or nearly. */
static void
advance(const struct job *j, struct eax_lanes *l)
{
	size_t steps = l->left[0];

	for (size_t i = 1; i < l->count; i++)
		if (l->left[i] < steps)
			steps = l->left[i];
	choose_kernel(j, l, &steps)(j->key, l, steps);
	for (size_t i = 0; i < l->count; i++) {
		l->in[i] += steps * EAX_BLOCK;
		l->out[i] += steps * EAX_BLOCK;
		l->left[i] -= steps;
	}
}

/* What the kernels had no register for, and parts of blocks. */
static void __attribute__((noinline)) wipe_stack(void)
{
	unsigned char below[STACK_WIPED];

	mem_wipe(below, sizeof(below));
}

/* In ${l}, which is wiped. */
static void
run(const struct job *j, struct eax_lanes *l)
{
	size_t next = 0;

	l->count = 0;
	do {
		while (next < j->count && l->count < j->kernels->lanes) {
			begin(j->key, j->messages, next++, l, l->count++);
			if (l->left[l->count - 1] == 0)
				retire(j, l, l->count - 1);
		}
		if (l->count > 0)
			advance(j, l);
		retire_ready(j, l);
	} while (l->count > 0 || next < j->count);
	mem_wipe(l, offsetof(struct eax_lanes, scratch));
	wipe_stack();
}

/* The address sanitizer of gcc 12 does not keep to alignas() on the stack. */
static void
run_aligned(const struct job *j)
{
	unsigned char room[sizeof(struct eax_lanes) + LINE];

	run(j, (void *)(room + LINE - (uintptr_t)room % LINE));
}

void
eax_x86_seal(const struct eax_kernels *kernels, const struct eax_key *k,
    const struct eax_message *m, size_t count)
{
	struct job j = { kernels, k, m, count, NULL };

	run_aligned(&j);
}

void
eax_x86_open(const struct eax_kernels *kernels, const struct eax_key *k,
    const struct eax_message *m, size_t count, bool *ret_authentic)
{
	struct job j = { kernels, k, m, count, ret_authentic };

	run_aligned(&j);
}

#endif
