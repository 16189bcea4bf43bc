/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "sft/table.h"
#include "sft/text.h"

static const struct table_column columns[] = {
	{ "NAME", false, true },
	{ "SIZE", true, false },
	{ "WHEN", false, false },
	{ NULL, false, false },
};

static struct table *
filled(void)
{
	struct table *t = table_new(columns);

	table_add(t, (const char *[]){ "a.txt", "5 B", "today" });
	table_add(t, (const char *[]){ "写真の長い名前.jpg", "1.5 MiB", NULL });
	return t;
}

static void
assert_written(const struct table *t, size_t width, const char *expected)
{
	struct buf b;

	buf_init(&b, 4096);
	table_write(t, width, &b);
	assert_string_equal(buf_str(&b), expected);
	buf_fini(&b);
}

TEST(test_sft_table__aligns)
{
	struct table *t = filled();

	assert_int_equal(table_rows(t), 2);
	assert_written(t, 0,
	    "NAME                   SIZE  WHEN\n"
	    "a.txt                   5 B  today\n"
	    "写真の長い名前.jpg  1.5 MiB  \n");
	assert_written(t, 34,
	    "NAME                   SIZE  WHEN\n"
	    "a.txt                   5 B  today\n"
	    "写真の長い名前.jpg  1.5 MiB  \n");
	table_free(t);
}

TEST(test_sft_table__the_flexible_column_gives_way)
{
	struct table *t = filled();

	assert_written(t, 26,
	    "NAME           SIZE  WHEN\n"
	    "a.txt           5 B  today\n"
	    "写真の長…   1.5 MiB  \n");
	table_free(t);
}

TEST(test_sft_table__no_line_is_too_wide)
{
	struct table *t = filled();
	struct slice rest, line;
	struct buf b;
	size_t width;

	buf_init(&b, 4096);
	for (width = 1; width < 40; width++) {
		buf_clear(&b);
		table_write(t, width, &b);
		rest = buf_slice(&b);
		while (slice_next(&rest, '\n', &line))
			assert_true(text_width(line) <= width);
	}
	buf_fini(&b);
	table_free(t);
}

TEST(test_sft_table__cells_are_cleaned)
{
	struct table *t = table_new(columns);

	table_add(t, (const char *[]){ "\x1b[2J", "\n", "x" });
	assert_written(t, 0,
	    "NAME  SIZE  WHEN\n"
	    "\xef\xbf\xbd[2J     \xef\xbf\xbd  x\n");
	table_free(t);
}

TEST(test_sft_table__empty)
{
	struct table *t = table_new(columns);

	assert_int_equal(table_rows(t), 0);
	assert_written(t, 80, "NAME  SIZE  WHEN\n");
	table_free(t);
	table_free(NULL);
}
