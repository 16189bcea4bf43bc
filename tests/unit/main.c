/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fault/fail_alloc.h"

#define PATHS_MAX 64

static struct unit_case *cases;
static size_t n_cases;

static char tempdir[256];
static char *paths[PATHS_MAX];
static size_t n_paths;
static size_t n_skipped;

void
unit_register(struct unit_case *c)
{
	c->next = cases;
	cases = c;
	n_cases++;
}

void
unit_note_skip(void)
{
	n_skipped++;
}

const char *
unit_tempdir(void)
{
	const char *root = getenv("TMPDIR");

	if (tempdir[0] != '\0')
		return tempdir;
	if (root == NULL || root[0] == '\0')
		root = "/tmp";
	snprintf(tempdir, sizeof(tempdir), "%s/sft-unit-XXXXXX", root);
	if (mkdtemp(tempdir) == NULL)
		fail_msg("cannot make a temporary directory '%s'", tempdir);
	return tempdir;
}

const char *
unit_temppath(const char *name)
{
	char *path;

	assert_true(n_paths < PATHS_MAX);
	if (asprintf(&path, "%s/%s", unit_tempdir(), name) < 0)
		fail_msg("no memory for a path");
	paths[n_paths++] = path;
	return path;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* A test that hangs must end the run, by name, and not stop it. */
static int
case_setup(void **state)
{
	(void)state;
	alarm(UNIT_TIMEOUT_S);
	if (fail_alloc_arm != NULL)
		fail_alloc_arm();
	return 0;
}

static int
case_teardown(void **state)
{
	int rc = 0;

	(void)state;
	if (fail_alloc_disarm != NULL)
		fail_alloc_disarm();
	alarm(0);
	while (n_paths > 0)
		free(paths[--n_paths]);
	if (tempdir[0] != '\0')
		rc = nftw(tempdir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	tempdir[0] = '\0';
	return rc;
}

static int
is_wanted(const char *name, char **patterns, int n_patterns)
{
	int i;

	for (i = 0; i < n_patterns; i++) {
		if (strstr(name, patterns[i]) != NULL)
			return 1;
	}
	return n_patterns == 0;
}

static int
compare_names(const void *a, const void *b)
{
	const struct CMUnitTest *x = a;
	const struct CMUnitTest *y = b;

	return strcmp(x->name, y->name);
}

int
main(int argc, char **argv)
{
	struct CMUnitTest *tests;
	struct unit_case *c;
	size_t n = 0;
	int failed;

	/* keep our lines and a sanitizer's in the order they happened */
	setvbuf(stdout, NULL, _IOLBF, 0);
	tests = calloc(n_cases + 1, sizeof(*tests));
	if (tests == NULL)
		return 1;
	for (c = cases; c != NULL; c = c->next) {
		if (!is_wanted(c->name, argv + 1, argc - 1))
			continue;
		tests[n++] = (struct CMUnitTest){
			.name = c->name,
			.test_func = c->run,
			.setup_func = case_setup,
			.teardown_func = case_teardown,
		};
	}
	if (n == 0) {
		fprintf(stderr, "unit_tests: no test matches\n");
		free(tests);
		return 1;
	}
	qsort(tests, n, sizeof(*tests), compare_names);
	failed = _cmocka_run_group_tests("unit", tests, n, NULL, NULL);
	/* script/test reads this line */
	printf("unit_tests: %zu passed, %d failed, %zu skipped\n",
	    n - (size_t)failed - n_skipped, failed, n_skipped);
	free(tests);
	return failed == 0 ? 0 : 1;
}
