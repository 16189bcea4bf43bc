/* SPDX-License-Identifier: MIT */
#include "crypto/seal_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "unit.h"

static const unsigned char master[EAX_KEY_SIZE] = "a master key";

/* A file and its container. */
struct sample {
	struct keyring *ring;
	struct seal *seal;
	unsigned char *plain;
	size_t n;
	unsigned char *stored;
	size_t stored_n;
};

static void
sample_init(struct sample *s, size_t n)
{
	const struct seal_run run = { 0, true, NULL, n };
	struct seal_run all = run;

	s->ring = keyring_new(master);
	s->seal = seal_new(s->ring);
	s->n = n;
	s->plain = mem_alloc(n);
	rand_bytes(s->plain, n);
	s->stored_n = (size_t)seal_size(n);
	s->stored = mem_alloc(s->stored_n);
	seal_header(s->seal, s->stored);
	all.plain = s->plain;
	assert_int_equal(seal_run(s->seal, &all, s->stored + SEAL_HEADER_SIZE),
	    s->stored_n - SEAL_HEADER_SIZE);
}

static void
sample_fini(struct sample *s)
{
	seal_free(s->seal);
	keyring_free(s->ring);
	free(s->plain);
	free(s->stored);
}

/* Over a container of ${stored_n} bytes. */
static int
open_range(struct sample *s, struct seal_range r, struct source **ret_src,
    struct err *err)
{
	uint64_t offset, length;
	struct seal *seal;

	r.size = s->n;
	r.stored = s->stored_n;
	assert_int_equal(seal_open(s->ring, s->stored, &seal, err), 0);
	seal_range_stored(&r, &offset, &length);
	assert_true(offset + length <= s->stored_n);
	return seal_source_open(
	    seal, &r, source_mem(s->stored + offset, length), ret_src, err);
}

/* Reads in pieces of ${step}; fails the test when a byte is wrong.  How many
 * came before the end or, with *${ret_failed}, before the failure. */
static size_t
read_all(struct sample *s, struct source *src, uint64_t offset, size_t step,
    bool *ret_failed)
{
	unsigned char *p = mem_alloc(step);
	struct err err = ERR_INIT;
	size_t got = 0;
	ssize_t n;

	while ((n = source_read(src, p, step, &err)) > 0) {
		assert_true(offset + got + (size_t)n <= s->n);
		assert_memory_equal(p, s->plain + offset + got, (size_t)n);
		got += (size_t)n;
	}
	*ret_failed = n < 0;
	if (n < 0)
		assert_int_equal(err.code, ERR_DECRYPTION_FAILED);
	source_close(src);
	free(p);
	return got;
}

TEST(test_crypto_seal_source__opens_any_range_in_any_pieces)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 131072,
		1300000 };
	static const size_t steps[] = { 1000, 65535, 65536, 65537, 200000,
		524288, 2000000 };
	struct sample s;
	struct source *src;
	bool failed;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		sample_init(&s, sizes[i]);
		for (size_t j = 0; j < 60; j++) {
			size_t step = steps[j % 7];
			uint64_t a = j < 7 ? 0 : rand_u64() % (s.n + 1);
			uint64_t n = j < 7 ? s.n : rand_u64() % (s.n - a + 1);
			struct err err = ERR_INIT;

			assert_int_equal(
			    open_range(&s,
			        (struct seal_range){ .offset = a, .length = n },
			        &src, &err),
			    0);
			assert_int_equal(
			    read_all(&s, src, a, step, &failed), n);
			assert_false(failed);
		}
		sample_fini(&s);
	}
}

/* A damaged segment: nothing of it comes, all before it does. */
TEST(test_crypto_seal_source__stops_before_what_is_damaged)
{
	static const size_t steps[] = { 1000, 65536, 524288 };
	const size_t n = 20 * SEAL_SEGMENT + 100;
	struct sample s;
	struct source *src;
	struct err err;
	bool failed;

	sample_init(&s, n);
	for (uint64_t bad = 0; bad < 21; bad++) {
		/* in the nonce, the text or the tag */
		uint64_t at = seal_offset(bad) + (bad % 3) * 60;

		if (bad == 20)
			at = s.stored_n - 1;
		s.stored[at] ^= 0x40;
		err_clear(&err);
		if (bad == 0) {
			assert_int_equal(
			    open_range(&s, (struct seal_range){ .length = n },
			        &src, &err),
			    -1);
			assert_int_equal(err.code, ERR_DECRYPTION_FAILED);
		}
		for (size_t i = 0; bad > 0 && i < 3; i++) {
			assert_int_equal(
			    open_range(&s, (struct seal_range){ .length = n },
			        &src, &err),
			    0);
			assert_int_equal(
			    read_all(&s, src, 0, steps[i], &failed),
			    bad * SEAL_SEGMENT);
			assert_true(failed);
		}
		/* What does not need it is not harmed. */
		if (bad < 20) {
			uint64_t after = (bad + 1) * SEAL_SEGMENT;

			assert_int_equal(
			    open_range(&s,
			        (struct seal_range){
			            .offset = after, .length = n - after },
			        &src, &err),
			    0);
			assert_int_equal(
			    read_all(&s, src, after, 524288, &failed),
			    n - after);
			assert_false(failed);
		}
		s.stored[at] ^= 0x40;
	}
	sample_fini(&s);
}

/* A container that is too short or too long has no last segment. */
TEST(test_crypto_seal_source__distrusts_the_end_of_a_wrong_size)
{
	static const struct {
		int64_t more; /* bytes added or cut off */
		size_t good;  /* segments */
	} cases[] = {
		{ -1, 3 },
		{ -132, 3 }, /* all of the last */
		{ -133, 2 },
		{ -132 - 65568, 2 },
		{ -132 - 2 * 65568, 1 },
		{ 1, 3 },
		{ 65568, 3 },
	};
	const size_t n = 3 * SEAL_SEGMENT + 100;
	struct sample s;
	struct source *src;
	struct err err = ERR_INIT;
	bool failed;

	sample_init(&s, n);
	s.stored = mem_realloc(s.stored, s.stored_n + 65568);
	memset(s.stored + s.stored_n, 0, 65568);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t right = s.stored_n;

		s.stored_n = (size_t)((int64_t)right + cases[i].more);
		assert_int_equal(
		    open_range(
		        &s, (struct seal_range){ .length = n }, &src, &err),
		    0);
		assert_int_equal(read_all(&s, src, 0, 524288, &failed),
		    cases[i].good * SEAL_SEGMENT);
		assert_true(failed);
		s.stored_n = right;
	}
	/* nothing but a header */
	s.stored_n = SEAL_HEADER_SIZE;
	assert_int_equal(
	    open_range(&s, (struct seal_range){ .length = n }, &src, &err), -1);
	assert_int_equal(err.code, ERR_DECRYPTION_FAILED);
	s.stored_n = (size_t)seal_size(n);
	sample_fini(&s);
}

TEST(test_crypto_seal_source__seals_what_it_is_given)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 131072,
		131073, 400000 };
	struct sample s;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct err err = ERR_INIT;
		struct source *src;
		ssize_t n;
		bool failed;

		sample_init(&s, sizes[i]);
		src = seal_source_seal(s.seal, source_mem(s.plain, s.n));
		memset(s.stored, 0, s.stored_n);
		n = source_read_full(src, s.stored, s.stored_n, &err);
		assert_int_equal(n, s.stored_n);
		assert_int_equal(source_read(src, &failed, 1, &err), 0);
		source_close(src);
		assert_int_equal(
		    open_range(
		        &s, (struct seal_range){ .length = s.n }, &src, &err),
		    0);
		assert_int_equal(read_all(&s, src, 0, 100000, &failed), s.n);
		assert_false(failed);
		sample_fini(&s);
	}
}
