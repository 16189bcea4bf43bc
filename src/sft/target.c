/* SPDX-License-Identifier: MIT */
#include "sft/target.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/slice.h"
#include "proto/filename.h"
#include "sft/landing.h"

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
ends_with_slash(const char *path)
{
	size_t n = strlen(path);

	return n > 0 && path[n - 1] == '/';
}

/* With its parents. */
static int
make_folder(const char *path, struct err *err)
{
	char *copy = mem_strdup(path);
	char *p;
	int rc = 0;

	for (p = copy + 1; rc == 0 && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (!is_folder(copy))
			rc = file_mkdir(AT_FDCWD, copy, 0777, err);
		*p = '/';
	}
	if (rc == 0 && !is_folder(copy))
		rc = file_mkdir(AT_FDCWD, copy, 0777, err);
	free(copy);
	return rc;
}

static char *
path_of(const char *name, const char *output, bool in_folder)
{
	const char *last = filename_last(name);

	if (output == NULL)
		return mem_printf("%s%s",
		    strcmp(last, LANDING_STDOUT) == 0 ? "./" : "", last);
	if (!in_folder)
		return mem_strdup(output);
	return mem_printf(
	    "%s%s%s", output, ends_with_slash(output) ? "" : "/", last);
}

static int
check_twins(const struct target *t, size_t n, struct err *err)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++) {
			if (strcmp(t[i].path, t[k].path) != 0 ||
			    strcmp(t[i].path, LANDING_STDOUT) == 0)
				continue;
			return err_set(err, ERR_USAGE,
			    "'%s' and '%s' would both become '%s'", t[k].name,
			    t[i].name, t[i].path);
		}
	}
	return 0;
}

static int
check_output(const struct target_input *in, bool in_folder, struct err *err)
{
	if (in->output == NULL || strcmp(in->output, LANDING_STDOUT) == 0)
		return 0;
	if (in->output[0] == '\0')
		return err_set(err, ERR_USAGE, "--output is empty");
	if (!in_folder && in->n > 1)
		return err_set(err, ERR_USAGE,
		    "several files need a folder: '%s' is none (end it with "
		    "'/' to have it made)",
		    in->output);
	return 0;
}

int
target_list(
    const struct target_input *in, struct target **ret_targets, struct err *err)
{
	struct target *t = mem_calloc(in->n, sizeof(*t));
	bool in_folder = in->output != NULL &&
	                 (ends_with_slash(in->output) || is_folder(in->output));
	struct err why = ERR_INIT;
	int rc = -1;
	size_t i;

	if (check_output(in, in_folder, err) < 0)
		goto out;
	for (i = 0; i < in->n; i++) {
		if (filename_normalise(
		        slice_str(in->names[i]), &t[i].name, &why) < 0) {
			err_set(err, ERR_USAGE, "'%.100s': %s", in->names[i],
			    why.msg);
			goto out;
		}
		t[i].path = path_of(t[i].name, in->output, in_folder);
	}
	if (check_twins(t, in->n, err) < 0)
		goto out;
	if (in_folder && !is_folder(in->output) &&
	    make_folder(in->output, err) < 0)
		goto out;
	*ret_targets = t;
	t = NULL;
	rc = 0;
out:
	target_list_free(t, in->n);
	return rc;
}

void
target_list_free(struct target *targets, size_t n)
{
	size_t i;

	if (targets == NULL)
		return;
	for (i = 0; i < n; i++) {
		free(targets[i].name);
		free(targets[i].path);
	}
	free(targets);
}
