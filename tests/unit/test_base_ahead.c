/* SPDX-License-Identifier: MIT */
#include "base/ahead.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "unit.h"

/* Counts its reads; fails at one of them. */
struct counter {
	struct source source;
	unsigned reads;
	unsigned fails_at;
	pthread_t reader; /* of the last read */
};

static ssize_t
count(struct source *s, void *buf, size_t n, struct err *err)
{
	struct counter *c = (struct counter *)s;

	c->reader = pthread_self();
	if (++c->reads == c->fails_at)
		return err_set(err, ERR_IO, "read %u", c->reads);
	memset(buf, (int)c->reads, n);
	return (ssize_t)n;
}

static struct jobs *
pool(size_t max)
{
	const struct jobs_config cf = { .name = "ahead", .max = max };
	struct err err = ERR_INIT;
	struct jobs *jobs;

	assert_int_equal(jobs_new(&cf, &jobs, &err), 0);
	return jobs;
}

TEST(test_base_ahead__reads_on_another_thread)
{
	struct jobs *jobs = pool(1);
	struct ahead *a = ahead_new(jobs);
	struct counter c = { .source = { .read = count }, .fails_at = 2001 };
	struct err err = ERR_INIT;
	char buf[2][64];

	for (unsigned i = 1; i <= 2000; i++) {
		char *to = buf[i % 2];

		assert_true(ahead_start(
		    a, &c.source, (struct iovec){ to, sizeof(buf[0]) }));
		assert_int_equal(ahead_finish(a, &err), sizeof(buf[0]));
		assert_int_equal((unsigned char)to[63], i & 0xff);
		assert_false(pthread_equal(c.reader, pthread_self()));
	}
	assert_true(ahead_start(a, &c.source, (struct iovec){ buf[0], 1 }));
	assert_int_equal(ahead_finish(a, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.msg, "read 2001");
	ahead_free(a);
	ahead_free(NULL);
	jobs_free(jobs);
}

TEST(test_base_ahead__has_another_when_one_is_done)
{
	struct jobs *jobs = pool(1);
	struct ahead *a = ahead_new(jobs);
	struct counter c = { .source = { .read = count }, .fails_at = 1000 };
	struct err err = ERR_INIT;
	char buf[AHEAD_MAX + 1][64];

	assert_int_equal(ahead_count(a), 0);
	for (unsigned i = 1; i <= 1000; i++) {
		while (ahead_start(a, &c.source,
		    (struct iovec){
		        buf[(i + ahead_count(a)) % (AHEAD_MAX + 1)], 64 }))
			continue;
		assert_int_equal(ahead_count(a), AHEAD_MAX);
		if (i == 1000)
			break;
		assert_int_equal(ahead_finish(a, &err), 64);
		assert_int_equal(
		    (unsigned char)buf[i % (AHEAD_MAX + 1)][63], i & 0xff);
	}
	/* What is behind a failure is not read. */
	for (unsigned i = 0; i < AHEAD_MAX; i++) {
		err_clear(&err);
		assert_int_equal(ahead_finish(a, &err), -1);
		assert_string_equal(err.msg, "read 1000");
	}
	assert_int_equal(c.reads, 1000);
	ahead_free(a);
	jobs_free(jobs);
}

TEST(test_base_ahead__says_when_nobody_is_free)
{
	struct jobs *jobs = pool(1);
	struct ahead *a = ahead_new(jobs), *b = ahead_new(jobs);
	struct ahead *none = ahead_new(NULL);
	struct counter c = { .source = { .read = count } };
	struct counter d = { .source = { .read = count } };
	char buf[2][8];

	assert_false(ahead_start(none, &c.source, (struct iovec){ buf[0], 8 }));
	assert_true(ahead_start(a, &c.source, (struct iovec){ buf[0], 8 }));
	assert_false(ahead_start(b, &d.source, (struct iovec){ buf[1], 8 }));
	assert_int_equal(d.reads, 0);
	assert_int_equal(ahead_finish(a, NULL), 8);
	ahead_free(a);
	ahead_free(b);
	ahead_free(none);
	jobs_free(jobs);
}
