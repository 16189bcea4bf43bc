/* SPDX-License-Identifier: MIT */
#include "engine/decoder.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "preview_help.h"
#include "proto/preview.h"

#define SECOND_NS 1000000000LL

static struct decoder_wait
patience(void)
{
	return (struct decoder_wait){
		.deadline_ns = clock_mono_ns(clock_system()) + 30 * SECOND_NS,
	};
}

static struct decoder *
started(void)
{
	const struct decoder_wait w = patience();
	struct err err = ERR_INIT;
	struct decoder *d;

	if (decoder_start(UNIT_DOUBLE, false, &w, &d, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(decoder_is_fit(d));
	return d;
}

/* What came of ${image}: ERR_NONE and the process. */
static enum err_code
run(struct decoder *d, const char *image, const struct decoder_wait *w,
    uint64_t *ret_pid)
{
	struct source *src = source_mem(image, strlen(image));
	struct err err = ERR_INIT;
	struct buf jpeg;

	buf_init(&jpeg, PREVIEW_BYTES_MAX);
	if (decoder_run(d, src, w, &jpeg, &err) == 0)
		*ret_pid = preview_help_pid(buf_slice(&jpeg));
	else
		assert_true(err.code != ERR_NONE);
	source_close(src);
	buf_fini(&jpeg);
	return err.code;
}

TEST(test_engine_decoder__makes_one_preview_after_another)
{
	const struct decoder_wait w = patience();
	uint64_t first = 0, second = 0;
	struct decoder *d;

	NEEDS_DOUBLE();
	d = started();
	assert_non_null(strstr(decoder_version(d), "double"));
	assert_int_equal(run(d, "GIF89afine", &w, &first), ERR_NONE);
	assert_int_equal(run(d, "no image", &w, &first), ERR_NO_THUMBNAIL);
	assert_true(decoder_is_fit(d));
	assert_int_equal(run(d, "GIF89afine", &w, &second), ERR_NONE);
	assert_int_equal(first, second);
	decoder_free(d);
}

TEST(test_engine_decoder__is_fit_for_nothing_after_a_crash)
{
	const struct decoder_wait w = patience();
	struct decoder *d;
	uint64_t pid;

	NEEDS_DOUBLE();
	d = started();
	assert_int_equal(run(d, "GIF89acrash", &w, &pid), ERR_CLOSED);
	assert_false(decoder_is_fit(d));
	assert_int_equal(run(d, "GIF89afine", &w, &pid), ERR_CLOSED);
	decoder_free(d);
	d = started();
	assert_int_equal(run(d, "GIF89ababble", &w, &pid), ERR_CLOSED);
	assert_false(decoder_is_fit(d));
	decoder_free(d);
}

TEST(test_engine_decoder__waits_no_longer_than_it_should)
{
	struct decoder_wait w;
	struct decoder *d;
	uint64_t pid;

	NEEDS_DOUBLE();
	d = started();
	w.check = NULL;
	w.deadline_ns = clock_mono_ns(clock_system()) + SECOND_NS / 5;
	assert_int_equal(run(d, "GIF89ahang", &w, &pid), ERR_TIMEOUT);
	assert_false(decoder_is_fit(d));
	decoder_free(d);
}

/* The third look says no. */
static int
count_looks(void *arg, struct err *err)
{
	int *looks = arg;

	if (++*looks < 3)
		return 0;
	return err_set(err, ERR_SHUTTING_DOWN, "enough");
}

TEST(test_engine_decoder__asks_whether_to_go_on)
{
	struct decoder_wait w = patience();
	struct decoder *d;
	int looks = 0;
	uint64_t pid;

	NEEDS_DOUBLE();
	d = started();
	w.check = count_looks;
	w.arg = &looks;
	assert_int_equal(run(d, "GIF89ahang", &w, &pid), ERR_SHUTTING_DOWN);
	assert_int_equal(looks, 3);
	decoder_free(d);
}

/* Fails after some bytes, or never ends. */
struct odd_source {
	struct source source;
	uint64_t left;
};

static ssize_t
odd_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct odd_source *o = (struct odd_source *)s;

	if (o->left == 0)
		return err_set(err, ERR_DECRYPTION_FAILED, "damaged");
	if (n > o->left)
		n = (size_t)o->left;
	memset(buf, 'x', n);
	o->left -= n;
	return (ssize_t)n;
}

static void
odd_close(struct source *s)
{
	(void)s;
}

TEST(test_engine_decoder__fails_as_its_source_does)
{
	struct odd_source o = {
		.source = { .read = odd_read, .close = odd_close }, .left = 100
	};
	const struct decoder_wait w = patience();
	struct err err = ERR_INIT;
	struct decoder *d;
	struct buf jpeg;

	NEEDS_DOUBLE();
	d = started();
	buf_init(&jpeg, PREVIEW_BYTES_MAX);
	assert_int_equal(decoder_run(d, &o.source, &w, &jpeg, &err), -1);
	assert_int_equal(err.code, ERR_DECRYPTION_FAILED);
	decoder_free(d);
	buf_fini(&jpeg);
}

/* The double reads 4 KiB and replies. */
TEST(test_engine_decoder__may_have_seen_enough)
{
	struct odd_source o = { .source = { .read = odd_read,
		                    .close = odd_close },
		.left = UINT64_MAX };
	const struct decoder_wait w = patience();
	struct err err = ERR_INIT;
	struct decoder *d;
	struct buf jpeg;

	NEEDS_DOUBLE();
	d = started();
	buf_init(&jpeg, PREVIEW_BYTES_MAX);
	assert_int_equal(decoder_run(d, &o.source, &w, &jpeg, &err), -1);
	assert_int_equal(err.code, ERR_NO_THUMBNAIL);
	assert_true(decoder_is_fit(d));
	decoder_free(d);
	buf_fini(&jpeg);
}

TEST(test_engine_decoder__takes_no_other_program)
{
	static const char *const programs[] = { "/bin/true", "/dev/null",
		"/there/is/none" };
	const struct decoder_wait w = patience();
	struct decoder *d;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(
		    decoder_start(programs[i], false, &w, &d, &err), -1);
		assert_int_equal(err.code, ERR_UNAVAILABLE);
	}
	decoder_free(NULL);
}
