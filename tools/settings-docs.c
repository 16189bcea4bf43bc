/* SPDX-License-Identifier: MIT */

/*
 * usage: settings-docs sample >sftd.conf.sample
 *        settings-docs man PAGE.in >PAGE
 *
 * Run by the build: writes what is made from the table of settings.  In a
 * manual page @SETTINGS@ becomes the section of settings, @VERSION@ the
 * version.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/settings.h"

#define TEXT_MAX ((size_t)1024 * 1024)

static void
print_version(struct buf *b)
{
	buf_append_str(b, SFT_VERSION);
}

static const struct marker {
	const char *text;
	void (*print)(struct buf *b);
} markers[] = {
	{ "@SETTINGS@", settings_man },
	{ "@VERSION@", print_version },
};

/* The marker that ${s} begins with, NULL when it begins with none. */
static const struct marker *
marker_at(struct slice s)
{
	size_t i;

	for (i = 0; i < sizeof(markers) / sizeof(markers[0]); i++) {
		if (slice_starts(s, markers[i].text))
			return &markers[i];
	}
	return NULL;
}

static void
fill_in(struct slice page, struct buf *b)
{
	const struct marker *m;
	size_t n;

	while (page.n > 0) {
		m = marker_at(page);
		if (m != NULL)
			m->print(b);
		else
			buf_append_char(b, *page.p);
		n = m != NULL ? strlen(m->text) : 1;
		page.p += n;
		page.n -= n;
	}
}

static int
print_page(const char *path, struct buf *b, struct err *err)
{
	struct buf page;
	int rc;

	buf_init(&page, TEXT_MAX);
	rc = file_read_all(AT_FDCWD, path, &page, err);
	if (rc == 0)
		fill_in(buf_slice(&page), b);
	buf_fini(&page);
	return rc;
}

int
main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct buf b;
	int rc;

	buf_init(&b, TEXT_MAX);
	if (argc == 2 && strcmp(argv[1], "sample") == 0) {
		settings_sample(&b);
		rc = 0;
	} else if (argc == 3 && strcmp(argv[1], "man") == 0) {
		rc = print_page(argv[2], &b, &err);
	} else {
		rc = err_set(&err, ERR_USAGE,
		    "usage: settings-docs sample | man PAGE.in");
	}
	if (rc == 0)
		rc = file_write_all(STDOUT_FILENO, b.p, b.len, &err);
	if (rc < 0)
		(void)fprintf(stderr, "settings-docs: %s\n", err.msg);
	buf_fini(&b);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
