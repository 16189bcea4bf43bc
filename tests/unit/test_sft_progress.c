/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "sft/progress.h"
#include "sft/text.h"

#define MIB (1024u * 1024)

static const struct progress_view half = {
	.label = "movie.mkv",
	.done = 450 * MIB,
	.total = 1000 * (uint64_t)MIB,
	.bps = 50 * MIB,
	.elapsed_s = 9,
};

static void
assert_bar(const struct progress_view *v, size_t columns, const char *expected)
{
	struct buf b;

	buf_init(&b, 4096);
	progress_bar(v, columns, &b);
	assert_string_equal(buf_str(&b), expected);
	assert_true(text_width(buf_slice(&b)) <= columns);
	buf_fini(&b);
}

TEST(test_sft_progress__bar)
{
	assert_bar(&half, 79,
	    "movie.mkv  45% [=========>           ]"
	    "   450.0 MiB    50.0 MiB/s      0:11 left");
}

TEST(test_sft_progress__narrow_bars)
{
	assert_bar(&half, 60,
	    "movie.mkv  45%   450.0 MiB    50.0 MiB/s      0:11 left");
	assert_bar(&half, 42, "movie.m…  45%    50.0 MiB/s      0:11 left");
	assert_bar(&half, 28, "movie.m…  45%      0:11 left");
	assert_bar(&half, 13, "movie.m…  45%");
}

TEST(test_sft_progress__no_width_is_too_narrow)
{
	struct progress_view v = half;
	struct buf b;
	size_t columns;
	int unknown;

	v.label = "写真の長い名前の写真の長い名前の写真.jpg";
	v.bps = 1; /* years */
	buf_init(&b, 4096);
	for (unknown = 0; unknown < 2; unknown++) {
		for (columns = 0; columns < 200; columns++) {
			buf_clear(&b);
			progress_bar(&v, columns, &b);
			assert_true(text_width(buf_slice(&b)) <= columns);
		}
		v.total = PROGRESS_UNKNOWN;
	}
	buf_fini(&b);
}

TEST(test_sft_progress__bar_of_a_stream)
{
	struct progress_view v = half;

	v.total = PROGRESS_UNKNOWN;
	assert_bar(
	    &v, 79, "movie.mkv   450.0 MiB    50.0 MiB/s           0:09");
}

TEST(test_sft_progress__bar_at_its_ends)
{
	struct progress_view v = half;

	v.done = 0;
	v.bps = 0;
	assert_bar(&v, 79,
	    "movie.mkv   0% [>                    ]"
	    "         0 B         0 B/s      -:-- left");
	v.done = v.total;
	assert_bar(&v, 79,
	    "movie.mkv 100% [=====================]"
	    "  1000.0 MiB         0 B/s      0:00 left");
	v.done = v.total - 1; /* not yet all */
	assert_bar(&v, 79,
	    "movie.mkv  99% [====================>]"
	    "  1000.0 MiB         0 B/s      -:-- left");
	v.done = v.total = 0;
	assert_bar(&v, 79,
	    "movie.mkv 100% [=====================]"
	    "         0 B         0 B/s      0:00 left");
}

TEST(test_sft_progress__line)
{
	struct progress_view v = half;
	struct buf b;

	buf_init(&b, 4096);
	progress_line(&v, &b);
	assert_string_equal(buf_str(&b),
	    "movie.mkv: 45%, 450.0 MiB of 1000.0 MiB, 50.0 MiB/s, 0:11 left");
	v.total = PROGRESS_UNKNOWN;
	v.label = "a\nb";
	buf_clear(&b);
	progress_line(&v, &b);
	assert_string_equal(buf_str(&b), "a\xef\xbf\xbd"
	                                 "b: 450.0 MiB, 50.0 MiB/s, 0:09");
	buf_fini(&b);
}

/* What was drawn into the file ${path}. */
static void
assert_drawn(const char *path, const char *expected)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(file_read_all(AT_FDCWD, path, &b, NULL), 0);
	assert_string_equal(buf_str(&b), expected);
	buf_fini(&b);
}

TEST(test_sft_progress__a_line_now_and_then)
{
	const char *path = unit_temppath("out");
	struct clock_manual clock;
	struct progress *p;
	int fd;

	fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT, 0666, NULL);
	assert_true(fd >= 0);
	clock_manual_init(&clock, 0);
	p = progress_new(PROGRESS_LINES, fd, &clock.clock);
	progress_begin(p, "a", 20 * MIB);
	clock_manual_advance(&clock, 4900);
	progress_add(p, 10 * MIB);
	progress_tick(p);
	assert_drawn(path, "");
	clock_manual_advance(&clock, 100);
	progress_tick(p);
	assert_drawn(path, "a: 50%, 10.0 MiB of 20.0 MiB, 2.0 MiB/s, "
	                   "0:05 left\n");
	progress_tick(p);
	progress_end(p);
	assert_drawn(path, "a: 50%, 10.0 MiB of 20.0 MiB, 2.0 MiB/s, "
	                   "0:05 left\n");
	assert_int_equal(progress_elapsed_ms(p), 5000);
	assert_int_equal(progress_done(p), 10 * MIB);
	progress_free(p);
	progress_free(NULL);
	file_close(fd);
}

TEST(test_sft_progress__a_bar_comes_and_goes)
{
	const char *path = unit_temppath("out");
	struct clock_manual clock;
	struct progress *p;
	int fd;

	fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT, 0666, NULL);
	assert_true(fd >= 0);
	clock_manual_init(&clock, 0);
	p = progress_new(PROGRESS_BAR, fd, &clock.clock);
	progress_begin(p, "a", PROGRESS_UNKNOWN);
	progress_tick(p);
	progress_tick(p); /* too soon to draw again */
	progress_hide(p);
	progress_hide(p); /* there is none any more */
	progress_end(p);
	assert_drawn(
	    path, "\r\033[Ka         0 B         0 B/s           0:00\r\033[K");
	progress_free(p);
	file_close(fd);
}

TEST(test_sft_progress__summary)
{
	struct clock_manual clock;
	struct progress *p;
	struct buf b;

	clock_manual_init(&clock, 0);
	p = progress_new(PROGRESS_NONE, -1, &clock.clock);
	buf_init(&b, 256);
	progress_begin(p, "a", PROGRESS_UNKNOWN);
	progress_add(p, 5);
	clock_manual_advance(&clock, 2500);
	progress_summary(p, &b);
	progress_add(p, 10 * MIB - 5);
	progress_end(p);
	clock_manual_advance(&clock, 9000); /* does not count any more */
	progress_summary(p, &b);
	assert_string_equal(
	    buf_str(&b), " (5 B) (10.0 MiB in 2.5 s, 4.0 MiB/s)");
	buf_fini(&b);
	progress_free(p);
}

/* What was there before is no merit of the line's, and what was taken back
 * did use it. */
TEST(test_sft_progress__skipped_and_taken_back)
{
	const char *path = unit_temppath("out");
	struct clock_manual clock;
	struct progress *p;
	struct buf b;
	int fd;

	fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT, 0666, NULL);
	assert_true(fd >= 0);
	clock_manual_init(&clock, 0);
	p = progress_new(PROGRESS_LINES, fd, &clock.clock);
	progress_begin(p, "a", 100 * MIB);
	progress_skip(p, 80 * MIB);
	clock_manual_advance(&clock, 5000);
	progress_add(p, 10 * MIB);
	progress_take_back(p, 5 * MIB);
	progress_tick(p);
	assert_drawn(path, "a: 85%, 85.0 MiB of 100.0 MiB, 2.0 MiB/s, "
	                   "0:07 left\n");
	progress_end(p);
	buf_init(&b, 256);
	progress_summary(p, &b);
	assert_string_equal(buf_str(&b), " (85.0 MiB in 5.0 s, 1.0 MiB/s)");
	buf_fini(&b);
	progress_free(p);
	file_close(fd);
}

TEST(test_sft_progress__none)
{
	const char *path = unit_temppath("out");
	struct clock_manual clock;
	struct progress *p;
	int fd;

	fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT, 0666, NULL);
	assert_true(fd >= 0);
	clock_manual_init(&clock, 0);
	p = progress_new(PROGRESS_NONE, fd, &clock.clock);
	progress_begin(p, "a", 10);
	progress_expect(p, 20);
	progress_add(p, 7);
	progress_restart(p);
	progress_add(p, 5);
	clock_manual_advance(&clock, 60000);
	progress_tick(p);
	assert_int_equal(progress_done(p), 5);
	progress_free(p);
	assert_drawn(path, "");
	file_close(fd);
}
