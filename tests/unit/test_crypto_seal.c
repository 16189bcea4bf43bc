/* SPDX-License-Identifier: MIT */
#include "crypto/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "unit.h"
#include "vectors.h"

static const unsigned char master[EAX_KEY_SIZE] = "a master key";
static const unsigned char other[EAX_KEY_SIZE] = "another one";

/* --- arithmetic ----------------------------------------------------------- */

TEST(test_crypto_seal__knows_its_sizes)
{
	static const struct {
		uint64_t plain;
		uint64_t segments;
		uint64_t size;
	} rows[] = {
		{ 0, 1, 112 },
		{ 1, 1, 113 },
		{ 65535, 1, 65647 },
		{ 65536, 1, 65648 },
		{ 65537, 2, 65681 },
		{ 131072, 2, 131216 },
		{ 1073741824, 16384, 1074266192 },
		{ (uint64_t)1 << 62, (uint64_t)1 << 46,
		    ((uint64_t)1 << 62) + 80 + ((uint64_t)1 << 51) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t plain = 7;

		assert_int_equal(
		    seal_segments(rows[i].plain), rows[i].segments);
		assert_true(seal_size(rows[i].plain) == rows[i].size);
		assert_true(seal_plain_size(rows[i].size, &plain));
		assert_true(plain == rows[i].plain);
	}
	assert_int_equal(seal_offset(0), 80);
	assert_int_equal(seal_offset(2), 80 + 2 * 65568);
}

/* Every size is that of one plaintext or of none. */
TEST(test_crypto_seal__tells_sizes_that_are_none)
{
	uint64_t expected = 0, plain = 0;

	for (uint64_t size = 0; size < 3 * 65568 + 200; size++) {
		bool is_one = seal_size(expected) == size;

		assert_int_equal(seal_plain_size(size, &plain), is_one);
		if (is_one)
			assert_int_equal(plain, expected++);
	}
	assert_true(expected > 3 * 65536);
}

/* --- containers -------------------------------------------------------------
 */

/* Splits a container's segments; their texts stay where they are. */
static size_t
split(unsigned char *container, size_t size, struct seal_segment *segments)
{
	unsigned char *at = container + SEAL_HEADER_SIZE;
	size_t left = size - SEAL_HEADER_SIZE, count = 0;

	while (left > 0) {
		size_t one = left < SEAL_STEP ? left : SEAL_STEP;
		struct seal_segment *g = &segments[count++];

		memcpy(g->nonce, at, EAX_NONCE_SIZE);
		g->text = at + EAX_NONCE_SIZE;
		g->n = one - SEAL_OVERHEAD;
		memcpy(g->tag, g->text + g->n, EAX_TAG_SIZE);
		at += one;
		left -= one;
	}
	return count;
}

static unsigned char *
make(const struct seal *s, const unsigned char *plain, size_t n)
{
	unsigned char *c = mem_alloc((size_t)seal_size(n));
	const struct seal_run run = { 0, true, plain, n };

	seal_header(s, c);
	assert_int_equal(
	    seal_run(s, &run, c + SEAL_HEADER_SIZE), seal_size(n) - 80);
	return c;
}

TEST(test_crypto_seal__opens_what_it_sealed)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 131072,
		40 * 65536 + 9 };
	struct keyring *ring = keyring_new(master);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i], count;
		unsigned char *plain = mem_alloc(n), *c;
		struct seal *s = seal_new(ring), *again = NULL;
		struct seal_segment segments[64];
		struct seal_opening o = { .is_last = true };
		struct err err = ERR_INIT;

		rand_bytes(plain, n);
		c = make(s, plain, n);
		seal_free(s);
		assert_int_equal(seal_open(ring, c, &again, &err), 0);
		count = split(c, (size_t)seal_size(n), segments);
		assert_int_equal(count, seal_segments(n));
		o.segments = segments;
		o.count = count;
		assert_int_equal(seal_open_run(again, &o), count);
		for (size_t j = 0; j < count; j++)
			assert_memory_equal(segments[j].text,
			    plain + j * SEAL_SEGMENT, segments[j].n);
		seal_free(again);
		free(c);
		free(plain);
	}
	keyring_free(ring);
}

/* A run from the middle of a file lies as it would in the whole. */
TEST(test_crypto_seal__seals_runs_at_their_final_places)
{
	struct keyring *ring = keyring_new(master);
	struct seal *s = seal_new(ring);
	unsigned char *plain = mem_calloc(3, SEAL_SEGMENT);
	unsigned char *out = mem_alloc(4 * SEAL_STEP);
	const struct seal_run run = { 5, false, plain, 2 * SEAL_SEGMENT };
	struct seal_segment segments[4];
	struct seal_opening o = { 5, false, segments, 2 };

	assert_int_equal(seal_run(s, &run, out + SEAL_HEADER_SIZE),
	    seal_run_size(2 * SEAL_SEGMENT));
	assert_int_equal(
	    split(out, SEAL_HEADER_SIZE + 2 * SEAL_STEP, segments), 2);
	assert_int_equal(seal_open_run(s, &o), 2);
	/* at another place, or as the last, they are nothing */
	assert_int_equal(
	    seal_run(s, &run, out + SEAL_HEADER_SIZE), 2 * SEAL_STEP);
	(void)split(out, SEAL_HEADER_SIZE + 2 * SEAL_STEP, segments);
	o.first = 6;
	assert_int_equal(seal_open_run(s, &o), 0);
	assert_int_equal(
	    seal_run(s, &run, out + SEAL_HEADER_SIZE), 2 * SEAL_STEP);
	(void)split(out, SEAL_HEADER_SIZE + 2 * SEAL_STEP, segments);
	o.first = 5;
	o.is_last = true;
	assert_int_equal(seal_open_run(s, &o), 1);
	free(out);
	free(plain);
	seal_free(s);
	keyring_free(ring);
}

TEST(test_crypto_seal__refuses_an_altered_header)
{
	struct keyring *ring = keyring_new(master);
	struct seal *s = seal_new(ring), *got;
	unsigned char header[SEAL_HEADER_SIZE];

	for (int i = 0; i < SEAL_HEADER_SIZE; i++) {
		struct err err = ERR_INIT;

		seal_header(s, header);
		header[i] ^= 1;
		assert_int_equal(seal_open(ring, header, &got, &err), -1);
		/* another id is one of a key that we do not have */
		assert_int_equal(err.code, i >= 16 && i < 32
		                               ? ERR_KEY_MISSING
		                               : ERR_DECRYPTION_FAILED);
	}
	seal_free(s);
	seal_free(NULL);
	keyring_free(ring);
}

TEST(test_crypto_seal__wraps_anew)
{
	struct keyring *old = keyring_new(master), *ring = keyring_new(other);
	struct seal *s = seal_new(old), *got;
	unsigned char before[SEAL_HEADER_SIZE], after[SEAL_HEADER_SIZE];
	unsigned char plain[100] = "text", *c = make(s, plain, sizeof(plain));
	struct seal_segment segments[1];
	struct seal_opening o = { 0, true, segments, 1 };
	struct err err = ERR_INIT;

	seal_header(s, before);
	memcpy(after, before, sizeof(after));
	assert_int_equal(seal_rewrap(ring, after, &err), -1);
	assert_int_equal(err.code, ERR_KEY_MISSING);
	assert_memory_equal(after, before, sizeof(after));
	assert_int_equal(keyring_add(ring, master, &err), 0);
	assert_int_equal(seal_rewrap(ring, after, &err), 0);
	assert_memory_equal(after, before, 16);
	assert_memory_equal(
	    seal_key_id(after), keyring_current_id(ring), KEYRING_ID_SIZE);
	for (int i = 1; i < 5; i++) /* id, nonce, key, tag are all others */
		assert_memory_not_equal(after + 16 * i, before + 16 * i, 16);
	assert_int_equal(seal_open(ring, after, &got, &err), 0);
	(void)split(c, (size_t)seal_size(sizeof(plain)), segments);
	assert_int_equal(seal_open_run(got, &o), 1);
	assert_memory_equal(segments[0].text, plain, sizeof(plain));
	seal_free(got);
	free(c);
	seal_free(s);
	keyring_free(old);
	keyring_free(ring);
}

/* --- the examples of docs/format.md -----------------------------------------
 */

static void
open_example(const struct vectors_block *b, void *arg)
{
	const struct vectors_value *container = vectors_get(b, "CONTAINER");
	const struct vectors_value *plain = vectors_get(b, "PLAIN");
	struct keyring *ring = keyring_new(vectors_get(b, "MASTER")->p);
	unsigned char *copy = mem_dup(container->p, container->n);
	struct seal_segment segments[1];
	struct seal_opening o = { 0, true, segments, 1 };
	struct err err = ERR_INIT;
	struct seal *s;
	uint64_t n;

	(void)arg;
	assert_true(seal_plain_size(container->n, &n));
	assert_int_equal(n, plain->n);
	assert_int_equal(seal_open(ring, copy, &s, &err), 0);
	assert_int_equal(split(copy, container->n, segments), 1);
	assert_int_equal(seal_open_run(s, &o), 1);
	assert_memory_equal(segments[0].text, plain->p, plain->n);
	seal_free(s);
	free(copy);
	keyring_free(ring);
}

TEST(test_crypto_seal__opens_the_examples_of_the_document)
{
	vectors_each("container.txt", open_example, NULL);
}

/* --- notes ---------------------------------------------------------------- */

TEST(test_crypto_seal__opens_its_notes_only_where_they_belong)
{
	static const struct seal_note note = { "SFTTEST1", "owner", 7 };
	static const struct seal_note others[] = {
		{ "SFTTEST2", "owner", 7 },
		{ "SFTTEST1", "ownes", 7 },
		{ "SFTTEST1", "owne", 7 },
		{ "SFTTEST1", "owner", 8 },
	};
	struct keyring *ring = keyring_new(master);
	struct seal *s = seal_new(ring), *foreign = seal_new(ring);
	char text[] = "what waits";
	unsigned char out[sizeof(text) + SEAL_OVERHEAD];
	const struct slice sealed = { (const char *)out, sizeof(out) };
	struct err err = ERR_INIT;
	char got[sizeof(text)];

	seal_note(s, &note, text, sizeof(text), out);
	assert_int_equal(seal_note_open(s, &note, sealed, got, &err), 0);
	assert_string_equal(got, text);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(
		    seal_note_open(s, &others[i], sealed, got, &err), -1);
	assert_int_equal(seal_note_open(foreign, &note, sealed, got, &err), -1);
	assert_int_equal(err.code, ERR_DECRYPTION_FAILED);
	for (size_t i = 0; i < sizeof(out); i++) {
		out[i] ^= 1;
		assert_int_equal(
		    seal_note_open(s, &note, sealed, got, &err), -1);
		out[i] ^= 1;
	}
	for (size_t n = 0; n < sizeof(out); n++)
		assert_int_equal(seal_note_open(s, &note,
		                     (struct slice){ sealed.p, n }, got, &err),
		    -1);
	seal_free(foreign);
	seal_free(s);
	keyring_free(ring);
}
