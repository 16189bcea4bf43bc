/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "sft/target.h"

/* The path of the only or last name, for the caller to free(); NULL with
 * ${ret_err} set. */
static char *
path_for(char *const *names, size_t n, const char *output, struct err *ret_err)
{
	struct target_input in = { names, n, output };
	struct target *t;
	char *path;

	if (target_list(&in, &t, ret_err) < 0)
		return NULL;
	path = mem_strdup(t[n - 1].path);
	target_list_free(t, n);
	return path;
}

TEST(test_sft_target__paths)
{
	static const struct {
		const char *name;
		const char *output;
		const char *path;
	} cases[] = {
		{ "a", NULL, "a" },
		{ "x/y/a", NULL, "a" },
		{ "-", NULL, "./-" },
		{ "a", "-", "-" },
		{ "x/a", "b", "b" },
		{ "x/a", "/", "/a" },
		{ "x/a", "/dev", "/dev/a" },
		{ "x/a", "/dev/", "/dev/a" },
	};
	struct err err;
	char *name, *path;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		name = mem_strdup(cases[i].name);
		path = path_for(&name, 1, cases[i].output, &err);
		assert_non_null(path);
		assert_string_equal(path, cases[i].path);
		free(path);
		free(name);
	}
}

TEST(test_sft_target__makes_folders)
{
	char *names[] = { (char *)"a", (char *)"b" };
	char *output = mem_printf("%s/some/where/", unit_tempdir());
	char *expected = mem_printf("%sb", output);
	struct stat st;
	struct err err;
	char *path;

	path = path_for(names, 2, output, &err);
	assert_string_equal(path, expected);
	assert_int_equal(stat(output, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	free(path);
	/* again, now that it is there */
	path = path_for(names, 2, output, &err);
	assert_string_equal(path, expected);
	free(path);
	free(expected);
	free(output);
}

TEST(test_sft_target__refuses)
{
	static const struct {
		const char *first;
		const char *second;
		const char *output;
	} cases[] = {
		{ "..", "b", NULL },
		{ "a", "", NULL },
		{ "a", "x/../b", NULL },
		{ "a", "/b", NULL },
		{ "a", "b", "file" },
		{ "x/a", "y/a", NULL },
		{ "x/a", "y/a", "/tmp" },
		{ "a", "b", "" },
	};
	char *names[2];
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		names[0] = mem_strdup(cases[i].first);
		names[1] = mem_strdup(cases[i].second);
		err_clear(&err);
		assert_null(path_for(names, 2, cases[i].output, &err));
		assert_int_equal(err.code, ERR_USAGE);
		free(names[0]);
		free(names[1]);
	}
}
