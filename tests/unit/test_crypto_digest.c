/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"

#define BUFFER_SIZE ((size_t)64 * 1024)
#define BUFFERS 4
#define THREADS 6

/* Bytes that differ from place to place and from ${seed} to seed. */
static void
scribble(unsigned char *p, size_t n, uint32_t seed)
{
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 1664525u + 1013904223u;
		p[i] = (unsigned char)(seed >> 24);
	}
}

static void
plain_result(const void *p, size_t n, struct digest_result *ret)
{
	struct digest *d = digest_new(NULL);

	digest_add(d, p, n);
	digest_final(d, ret);
	digest_free(d);
}

static void
assert_same(const struct digest_result *a, const struct digest_result *b)
{
	assert_memory_equal(a->sha256, b->sha256, SHA256_SIZE);
	assert_int_equal(a->crc32, b->crc32);
	assert_int_equal(a->size, b->size);
}

TEST(test_crypto_digest__vectors)
{
	static const unsigned char empty[SHA256_SIZE] = { 0xe3, 0xb0, 0xc4,
		0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99,
		0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93,
		0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55 };
	struct digest_result r;

	plain_result("", 0, &r);
	assert_memory_equal(r.sha256, empty, SHA256_SIZE);
	assert_int_equal(r.crc32, 0);
	assert_int_equal(r.size, 0);
	plain_result("123456789", 9, &r);
	assert_int_equal(r.crc32, 0xcbf43926);
	assert_int_equal(r.size, 9);
}

/* Pushes ${n} bytes of ${p} through a few buffers, as an upload does. */
static void
pass_through(struct digest *d, const unsigned char *p, size_t n)
{
	unsigned char *buffers = malloc(BUFFERS * BUFFER_SIZE);
	unsigned char *b;
	size_t i, part;

	assert_non_null(buffers);
	for (i = 0; n > 0; i++) {
		b = buffers + i % BUFFERS * BUFFER_SIZE;
		part = BUFFER_SIZE - i * 7 % 1000;
		if (part > n)
			part = n;
		digest_release(d, b, BUFFER_SIZE);
		memcpy(b, p, part);
		digest_add(d, b, part);
		p += part;
		n -= part;
	}
	for (i = 0; i < BUFFERS; i++)
		digest_release(d, buffers + i * BUFFER_SIZE, BUFFER_SIZE);
	/* nobody may look at it any more */
	memset(buffers, 0xee, BUFFERS * BUFFER_SIZE);
	free(buffers);
}

TEST(test_crypto_digest__pipelined_is_the_same)
{
	static const size_t sizes[] = { 0, 1, 63, DIGEST_INLINE - 1,
		DIGEST_INLINE, DIGEST_INLINE + 1, 3 * DIGEST_INLINE + 12345 };
	struct digest_pool *pool = digest_pool_new(1);
	struct digest_result wanted, r;
	unsigned char *p;
	struct digest *d;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = malloc(sizes[i] + 1);
		assert_non_null(p);
		scribble(p, sizes[i], (uint32_t)i);
		plain_result(p, sizes[i], &wanted);
		d = digest_new(pool);
		pass_through(d, p, sizes[i]);
		digest_final(d, &r);
		assert_same(&r, &wanted);
		digest_free(d);
		free(p);
	}
	digest_pool_free(pool);
}

/* Small runs between large ones stay in order. */
TEST(test_crypto_digest__mixed_runs)
{
	size_t n = 4 * (size_t)DIGEST_INLINE;
	struct digest_pool *pool = digest_pool_new(1);
	struct digest *d = digest_new(pool);
	unsigned char *p = malloc(n);
	struct digest_result wanted, r;
	size_t at = 0, part, i;

	assert_non_null(p);
	scribble(p, n, 5);
	plain_result(p, n, &wanted);
	for (i = 0; at < n; i++) {
		part = i % 3 == 0 ? 100000 : i % 3 == 1 ? 1 : 30000;
		if (part > n - at)
			part = n - at;
		digest_add(d, p + at, part);
		at += part;
	}
	digest_final(d, &r);
	assert_same(&r, &wanted);
	digest_free(d);
	free(p);
	digest_pool_free(pool);
}

struct racer {
	struct digest_pool *pool;
	const unsigned char *p;
	size_t n;
	struct digest_result result;
	pthread_t thread;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct digest *d = digest_new(r->pool);

	pass_through(d, r->p, r->n);
	digest_final(d, &r->result);
	digest_free(d);
	return NULL;
}

/* More digests at once than threads: those that get none hash inline. */
TEST(test_crypto_digest__many_at_once)
{
	struct digest_pool *pool = digest_pool_new(2);
	size_t n = 3 * (size_t)DIGEST_INLINE;
	struct racer racers[THREADS];
	struct digest_result wanted;
	unsigned char *p = malloc(n);
	int i;

	assert_non_null(p);
	scribble(p, n, 9);
	plain_result(p, n, &wanted);
	for (i = 0; i < THREADS; i++) {
		racers[i].pool = pool;
		racers[i].p = p;
		racers[i].n = n;
		assert_int_equal(
		    pthread_create(&racers[i].thread, NULL, race, &racers[i]),
		    0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		assert_same(&racers[i].result, &wanted);
	}
	free(p);
	digest_pool_free(pool);
}

/* A client that breaks off: what is in flight is waited for. */
TEST(test_crypto_digest__freed_in_flight)
{
	struct digest_pool *pool = digest_pool_new(1);
	struct digest *d = digest_new(pool);
	unsigned char *p = calloc(1, DIGEST_INLINE);
	int i;

	assert_non_null(p);
	for (i = 0; i < 4; i++)
		digest_add(d, p, DIGEST_INLINE);
	digest_free(d);
	free(p);
	digest_free(NULL);
	digest_pool_free(pool);
	digest_pool_free(NULL);
}

TEST(test_crypto_digest__crc32_combines)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 255, 4096, 65537, 300000 };
	size_t count = sizeof(sizes) / sizeof(sizes[0]);
	struct digest_result a, b, both;
	unsigned char *p = malloc(600000);
	size_t i, j;

	assert_non_null(p);
	scribble(p, 600000, 77);
	for (i = 0; i < count; i++) {
		for (j = 0; j < count; j++) {
			plain_result(p, sizes[i], &a);
			plain_result(p + sizes[i], sizes[j], &b);
			plain_result(p, sizes[i] + sizes[j], &both);
			assert_int_equal(
			    digest_crc32_combine(a.crc32, b.crc32, sizes[j]),
			    both.crc32);
		}
	}
	free(p);
}

/* Lengths beyond 32 bits: a || b || c is the same from both ends. */
TEST(test_crypto_digest__crc32_combines_long)
{
	static const uint64_t n = ((uint64_t)1 << 40) + 12345;
	static const uint64_t m = ((uint64_t)3 << 33) + 7;
	uint32_t a = 0x12345678, b = 0x9abcdef0, c = 0x0badf00d;
	uint32_t left, right;

	left = digest_crc32_combine(digest_crc32_combine(a, b, n), c, m);
	right = digest_crc32_combine(a, digest_crc32_combine(b, c, m), n + m);
	assert_int_equal(left, right);
	assert_int_not_equal(left, digest_crc32_combine(a, c, m));
}

TEST(test_crypto_digest__goes_on_where_another_stood)
{
	struct digest_pool *pool = digest_pool_new(1);
	size_t n = 3 * DIGEST_INLINE + 77;
	unsigned char *p = malloc(n);
	struct digest_result whole, got;
	struct digest_state st;
	struct digest *d;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 13 + i / 255);
	d = digest_new(NULL);
	digest_add(d, p, n);
	digest_final(d, &whole);
	digest_free(d);
	digest_state_init(&st);
	for (size_t at = 0; at < n; at = (size_t)st.size) {
		size_t step = n / 5 + 1 < n - at ? n / 5 + 1 : n - at;

		d = digest_resume(pool, &st);
		digest_add(d, p + at, step);
		digest_save(d, &st);
		digest_free(d);
	}
	d = digest_resume(NULL, &st);
	digest_final(d, &got);
	digest_free(d);
	assert_memory_equal(got.sha256, whole.sha256, SHA256_SIZE);
	assert_int_equal(got.crc32, whole.crc32);
	assert_int_equal(got.size, n);
	free(p);
	digest_pool_free(pool);
}
