/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where the test before left its directory; see ..._goes_after below. */
static char left_behind[256];

TEST(test_unit_unit__tempdir_comes)
{
	const char *path = unit_temppath("file");
	struct stat st;
	FILE *f;

	assert_int_equal(stat(unit_tempdir(), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_memory_equal(path, unit_tempdir(), strlen(unit_tempdir()));
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	snprintf(left_behind, sizeof(left_behind), "%s", unit_tempdir());
}

/* Tests run in the order of their names. */
TEST(test_unit_unit__tempdir_goes_after)
{
	struct stat st;

	if (left_behind[0] == '\0')
		skip();
	assert_int_not_equal(stat(left_behind, &st), 0);
	assert_string_not_equal(left_behind, unit_tempdir());
}
