/* SPDX-License-Identifier: MIT */

/* Containers that somebody has altered, beside what test_crypto_seal.c has. */

#include "crypto/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "unit.h"

static const unsigned char old_key[EAX_KEY_SIZE] = "the old one";
static const unsigned char new_key[EAX_KEY_SIZE] = "the new one";

struct container {
	struct keyring *ring;
	unsigned char *plain, *stored;
	size_t n, size;
};

static void
init(struct container *c, const unsigned char *key, size_t n)
{
	struct seal_run run = { 0, true, NULL, n };
	struct seal *s;

	c->ring = keyring_new(key);
	c->n = n;
	c->size = (size_t)seal_size(n);
	c->plain = mem_alloc(n + 1);
	c->stored = mem_alloc(c->size);
	rand_bytes(c->plain, n);
	run.plain = c->plain;
	s = seal_new(c->ring);
	seal_header(s, c->stored);
	assert_int_equal(
	    seal_run(s, &run, c->stored + SEAL_HEADER_SIZE), c->size - 80);
	seal_free(s);
}

static void
fini(struct container *c)
{
	keyring_free(c->ring);
	free(c->plain);
	free(c->stored);
}

/* How many segments at the front open to what they should; of a container
 * whose bytes are ${stored}. */
static size_t
sound_segments(const struct container *c, const unsigned char *stored)
{
	size_t count = (size_t)seal_segments(c->n), good;
	struct seal_segment *g = mem_calloc(count, sizeof(*g));
	unsigned char *text = mem_dup(stored, c->size);
	struct seal_opening o = { 0, true, g, count };
	struct err err = ERR_INIT;
	struct seal *s;

	assert_int_equal(seal_open(c->ring, stored, &s, &err), 0);
	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)seal_offset(i);

		g[i].n = i + 1 < count ? SEAL_SEGMENT : c->n - i * SEAL_SEGMENT;
		g[i].text = text + at + 16;
		memcpy(g[i].nonce, text + at, 16);
		memcpy(g[i].tag, text + at + 16 + g[i].n, 16);
	}
	good = seal_open_run(s, &o);
	for (size_t i = 0; i < good; i++)
		assert_memory_equal(
		    g[i].text, c->plain + i * SEAL_SEGMENT, g[i].n);
	/* Of the damaged one nothing is given away. */
	for (size_t j = 0; good < count && j < g[good].n; j++)
		assert_int_equal(g[good].text[j], 0);
	seal_free(s);
	free(text);
	free(g);
	return good;
}

/* The same bytes again: other nonces, other ciphertext. */
TEST(test_crypto_seal_altered__never_seals_twice_alike)
{
	unsigned char a[2 * 48], b[2 * 48], first[80], second[80];
	const struct seal_run run = { 0, true, "the same sixteen", 16 };
	struct keyring *ring = keyring_new(new_key);
	struct seal *s = seal_new(ring), *t = seal_new(ring);

	assert_int_equal(seal_run(s, &run, a), 48);
	assert_int_equal(seal_run(s, &run, b), 48);
	assert_memory_not_equal(a, b, 16);
	assert_memory_not_equal(a + 16, b + 16, 16);
	seal_header(s, first);
	seal_header(t, second);
	assert_memory_equal(first, second, 32);
	assert_memory_not_equal(first + 32, second + 32, 16);
	assert_memory_not_equal(first + 48, second + 48, 16);
	seal_free(s);
	seal_free(t);
	seal_free(NULL);
	keyring_free(ring);
}

static enum err_code
open_code(const struct keyring *ring, const unsigned char *header)
{
	struct err err = ERR_INIT;
	struct seal *s;

	if (seal_open(ring, header, &s, &err) < 0)
		return err.code;
	seal_free(s);
	return ERR_NONE;
}

/* The id of one key, and the data key wrapped under another. */
TEST(test_crypto_seal_altered__refuses_a_header_under_a_borrowed_id)
{
	struct container c;
	struct err err = ERR_INIT;

	init(&c, new_key, 10);
	assert_int_equal(keyring_add(c.ring, old_key, &err), 0);
	keyring_id(old_key, c.stored + 16);
	assert_int_equal(open_code(c.ring, c.stored), ERR_DECRYPTION_FAILED);
	fini(&c);
}

TEST(test_crypto_seal_altered__tells_of_every_altered_byte)
{
	const size_t n = 2 * SEAL_SEGMENT + 40;
	struct container c;

	init(&c, new_key, n);
	for (size_t i = 0; i < 3; i++) {
		size_t at = (size_t)seal_offset(i);
		size_t len = i < 2 ? SEAL_STEP : 72;
		/* nonce, text, tag: first and last byte of each */
		const size_t places[] = { 0, 15, 16, len - 17, len - 16,
			len - 1 };

		for (size_t j = 0; j < 6; j++) {
			c.stored[at + places[j]] ^= 0x40;
			assert_int_equal(sound_segments(&c, c.stored), i);
			c.stored[at + places[j]] ^= 0x40;
		}
	}
	assert_int_equal(sound_segments(&c, c.stored), 3);
	fini(&c);
}

static void
exchange(unsigned char *a, unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char x = a[i];

		a[i] = b[i];
		b[i] = x;
	}
}

TEST(test_crypto_seal_altered__segments_stay_at_their_places)
{
	const size_t n = 40 * SEAL_SEGMENT;
	struct container c, d;

	init(&c, new_key, n);
	init(&d, new_key, n);
	/* two of them exchanged; far apart, too: also beyond one batch */
	exchange(
	    c.stored + seal_offset(3), c.stored + seal_offset(35), SEAL_STEP);
	assert_int_equal(sound_segments(&c, c.stored), 3);
	exchange(
	    c.stored + seal_offset(3), c.stored + seal_offset(35), SEAL_STEP);
	/* one repeated */
	exchange(
	    c.stored + seal_offset(34), d.stored + seal_offset(34), SEAL_STEP);
	assert_int_equal(sound_segments(&c, c.stored), 34);
	assert_int_equal(sound_segments(&d, d.stored), 34);
	exchange(
	    c.stored + seal_offset(34), d.stored + seal_offset(34), SEAL_STEP);
	memcpy(c.stored + seal_offset(8), c.stored + seal_offset(7), SEAL_STEP);
	assert_int_equal(sound_segments(&c, c.stored), 8);
	fini(&c);
	fini(&d);
}

/* A file cut off between two segments is not a shorter file, and one cannot
 * be made longer. */
TEST(test_crypto_seal_altered__the_end_is_known)
{
	const size_t n = 3 * SEAL_SEGMENT;
	struct container c;

	init(&c, new_key, n);
	c.n = 2 * SEAL_SEGMENT;
	assert_int_equal(sound_segments(&c, c.stored), 1);
	fini(&c);

	init(&c, new_key, n);
	c.size += SEAL_STEP;
	c.n += SEAL_SEGMENT;
	c.stored = mem_realloc(c.stored, c.size);
	memcpy(c.stored + seal_offset(3), c.stored + seal_offset(2), SEAL_STEP);
	assert_int_equal(sound_segments(&c, c.stored), 2);
	fini(&c);
}
