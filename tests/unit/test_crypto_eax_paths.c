/* SPDX-License-Identifier: MIT */

/* Every path that this machine has, held against the generic one. */

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "crypto/eax_priv.h"

#define COUNT_MAX 40
#define N_MAX (65536 + 64)
#define GUARD 16 /* bytes after an output that nobody may touch */
#define ROOM (N_MAX + EAX_BLOCK + GUARD)
#define HEADER_MAX 70
#define GUARD_BYTE 0xa5

/* Messages that are sealed on two paths. */
struct batch {
	size_t count;
	size_t n[COUNT_MAX];
	size_t offset; /* of all buffers, 0..15 */
	bool in_place;
	unsigned char nonce[COUNT_MAX][EAX_NONCE_SIZE];
	unsigned char header[COUNT_MAX][HEADER_MAX];
	size_t header_n[COUNT_MAX];
	unsigned char text[COUNT_MAX][ROOM];
	/* By the generic path. */
	unsigned char right[COUNT_MAX][ROOM];
	unsigned char right_tag[COUNT_MAX][EAX_TAG_SIZE];
	/* By the one under test, into and out of. */
	unsigned char sealed[COUNT_MAX][ROOM];
	unsigned char opened[COUNT_MAX][ROOM];
	unsigned char tag[COUNT_MAX][EAX_TAG_SIZE];
	struct eax_message m[COUNT_MAX];
	struct eax_key generic_key, key;
};

/* The same numbers in every run: xorshift. */
static uint64_t seed = 88172645463325252u;

static uint64_t
any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static void
fill(unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)any(256);
}

static void
set_key(struct batch *b, const struct eax_path *path)
{
	memset(&b->generic_key, 0, sizeof(b->generic_key));
	fill(b->generic_key.round[0], EAX_KEY_SIZE);
	b->key = b->generic_key;
	eax_path_generic.expand(&b->generic_key);
	path->expand(&b->key);
	assert_memory_equal(b->key.l2, b->generic_key.l2, EAX_BLOCK);
	assert_memory_equal(b->key.l4, b->generic_key.l4, EAX_BLOCK);
	assert_memory_equal(
	    b->key.omac, b->generic_key.omac, sizeof(b->key.omac));
}

/* All but the key, the count, the lengths and how buffers lie. */
static void
fill_batch(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		fill(b->nonce[i], EAX_NONCE_SIZE);
		b->header_n[i] = (size_t)any(HEADER_MAX + 1);
		fill(b->header[i], b->header_n[i]);
		fill(b->text[i] + b->offset, b->n[i]);
	}
}

static void
set_messages(struct batch *b, unsigned char (*in)[ROOM],
    unsigned char (*out)[ROOM], unsigned char (*tag)[EAX_TAG_SIZE])
{
	for (size_t i = 0; i < b->count; i++) {
		b->m[i] = (struct eax_message){
			.nonce = b->nonce[i],
			.header = b->header_n[i] == 0 ? NULL : b->header[i],
			.header_n = b->header_n[i],
			.in = in[i] + b->offset,
			.out = out[i] + b->offset,
			.n = b->n[i],
			.tag = tag[i],
		};
		if (in == out)
			continue;
		if (b->in_place) {
			memcpy(out[i] + b->offset, in[i] + b->offset, b->n[i]);
			b->m[i].in = b->m[i].out;
		}
		memset(b->m[i].out + b->n[i], GUARD_BYTE, GUARD);
	}
}

static void
check_output(const struct batch *b, unsigned char (*right)[ROOM])
{
	static unsigned char guard[GUARD];

	memset(guard, GUARD_BYTE, GUARD);
	for (size_t i = 0; i < b->count; i++) {
		assert_memory_equal(b->m[i].out, right[i] + b->offset, b->n[i]);
		assert_memory_equal(b->m[i].out + b->n[i], guard, GUARD);
	}
}

static void
seal_both(struct batch *b, const struct eax_path *path)
{
	set_messages(b, b->text, b->right, b->right_tag);
	eax_path_generic.seal(&b->generic_key, b->m, b->count);
	set_messages(b, b->text, b->sealed, b->tag);
	path->seal(&b->key, b->m, b->count);
	check_output(b, b->right);
	assert_memory_equal(b->tag, b->right_tag, b->count * EAX_TAG_SIZE);
}

static void
seal_and_open(struct batch *b, const struct eax_path *path)
{
	bool authentic[COUNT_MAX] = { false };

	seal_both(b, path);
	set_messages(b, b->sealed, b->opened, b->tag);
	path->open(&b->key, b->m, b->count, authentic);
	for (size_t i = 0; i < b->count; i++)
		assert_true(authentic[i]);
	check_output(b, b->text);
}

/* ${test} with every path that can run here; the generic one, too. */
static void
each_path(void (*test)(struct batch *b, const struct eax_path *path))
{
	static struct batch batch;

	for (size_t i = 0; eax_paths[i] != NULL; i++) {
		if (!eax_paths[i]->is_supported()) {
			printf("no %s here\n", eax_paths[i]->name);
			continue;
		}
		memset(&batch, 0, sizeof(batch));
		set_key(&batch, eax_paths[i]);
		test(&batch, eax_paths[i]);
	}
}

static void
short_lengths(struct batch *b, const struct eax_path *path)
{
	for (size_t n = 0; n <= 200; n++) {
		b->count = 1 + n % 5;
		b->offset = n % 16;
		b->in_place = n % 2 == 1;
		for (size_t i = 0; i < b->count; i++)
			b->n[i] = n;
		fill_batch(b);
		seal_and_open(b, path);
	}
}

TEST(test_crypto_eax_paths__short_lengths)
{
	each_path(short_lengths);
}

static void
mixed_lengths(struct batch *b, const struct eax_path *path)
{
	for (b->count = 1; b->count <= COUNT_MAX; b->count++) {
		for (int in_place = 0; in_place < 2; in_place++) {
			b->in_place = in_place;
			b->offset = (size_t)any(16);
			for (size_t i = 0; i < b->count; i++)
				b->n[i] = (size_t)any(i % 3 == 0 ? 2000 : 200);
			fill_batch(b);
			seal_and_open(b, path);
		}
	}
}

TEST(test_crypto_eax_paths__every_count_of_lanes_with_mixed_lengths)
{
	each_path(mixed_lengths);
}

/* Around a segment, with a shorter one as the last: a file. */
static void
segments(struct batch *b, const struct eax_path *path)
{
	static const size_t counts[] = { 1, 2, 4, 7, 13, 16, 17 };
	static const size_t sizes[] = { 65535, 65536, 65537, 65536 + 48 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		b->count = counts[i];
		b->in_place = i % 2 == 0;
		b->offset = i;
		for (size_t j = 0; j < b->count; j++)
			b->n[j] = sizes[(i + j) % 4];
		b->n[b->count - 1] = 36864 + i;
		fill_batch(b);
		seal_and_open(b, path);
	}
}

TEST(test_crypto_eax_paths__segments)
{
	each_path(segments);
}

static void
alignments(struct batch *b, const struct eax_path *path)
{
	b->count = 18;
	for (b->offset = 0; b->offset < 16; b->offset++) {
		b->in_place = !b->in_place;
		for (size_t i = 0; i < b->count; i++)
			b->n[i] = 500 + i;
		fill_batch(b);
		seal_and_open(b, path);
	}
}

TEST(test_crypto_eax_paths__alignments)
{
	each_path(alignments);
}

static void
decrypt_block(const unsigned char *key, const unsigned char in[EAX_BLOCK],
    unsigned char ret[EAX_BLOCK])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	assert_int_equal(
	    EVP_DecryptInit_ex2(ctx, EVP_aes_128_ecb(), key, NULL, NULL), 1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_int_equal(EVP_DecryptUpdate(ctx, ret, &n, in, EAX_BLOCK), 1);
	assert_int_equal(n, EAX_BLOCK);
	EVP_CIPHER_CTX_free(ctx);
}

/* The nonce that begins to count at ${first}: OMAC0, backwards. */
static void
nonce_of(const struct eax_key *k, const unsigned char first[EAX_BLOCK],
    unsigned char ret[EAX_BLOCK])
{
	decrypt_block(k->round[0], first, ret);
	for (int i = 0; i < EAX_BLOCK; i++)
		ret[i] ^= k->omac[0][i] ^ k->l2[i];
}

/* Lanes whose counter carries out of its lower half, or of all of it, some
 * blocks on, also right after the last whole one, or does neither. */
static void
carries(struct batch *b, const struct eax_path *path)
{
	static const size_t counts[] = { 1, 2, 3, 5, 8, 9, 12, 16, 30 };

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		b->count = counts[c];
		for (size_t i = 0; i < b->count; i++)
			b->n[i] = 16 * 40 + 5;
		fill_batch(b);
		for (size_t i = 0; i < b->count; i++) {
			unsigned char first[EAX_BLOCK];

			memset(first, 0xff, sizeof(first));
			first[15] = (unsigned char)(0xff - 3 * i);
			first[0] = i % 3 == 0 ? 0xff : 0x12;
			first[8] = i % 3 == 1 ? 0xfe : 0xff;
			nonce_of(&b->generic_key, first, b->nonce[i]);
		}
		seal_and_open(b, path);
	}
}

TEST(test_crypto_eax_paths__counter_carries)
{
	each_path(carries);
}

/* One bit of message ${bad}, of its nonce, header, ciphertext or tag. */
static void
tamper(struct batch *b, size_t bad, int where)
{
	unsigned char bit = (unsigned char)(1u << any(8));

	switch (where) {
	case 0:
		b->nonce[bad][any(EAX_NONCE_SIZE)] ^= bit;
		break;
	case 1:
		b->header[bad][any(b->header_n[bad])] ^= bit;
		break;
	case 2:
		b->sealed[bad][b->offset + any(b->n[bad])] ^= bit;
		break;
	default:
		b->tag[bad][any(EAX_TAG_SIZE)] ^= bit;
		break;
	}
}

static void
one_altered(struct batch *b, const struct eax_path *path)
{
	bool authentic[COUNT_MAX];

	for (size_t round = 0; round < 80; round++) {
		size_t bad;

		b->count = 1 + (size_t)any(20);
		b->in_place = round % 2 == 0;
		bad = (size_t)any(b->count);
		for (size_t i = 0; i < b->count; i++)
			b->n[i] = 1 + (size_t)any(400);
		fill_batch(b);
		b->header_n[bad] = 25;
		seal_both(b, path);
		tamper(b, bad, (int)(round % 4));
		set_messages(b, b->sealed, b->opened, b->tag);
		path->open(&b->key, b->m, b->count, authentic);
		for (size_t i = 0; i < b->count; i++)
			assert_int_equal(authentic[i], i != bad);
		memset(b->text[bad] + b->offset, 0, b->n[bad]);
		check_output(b, b->text);
	}
}

TEST(test_crypto_eax_paths__what_was_altered_is_refused_and_wiped)
{
	each_path(one_altered);
}
