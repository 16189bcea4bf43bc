/* SPDX-License-Identifier: MIT */

/*
 * Settings files: what is taken prints as a file that says the same, what is
 * refused is refused with a message without control characters.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
load(struct slice text, struct buf *printed)
{
	struct settings_file file = { "file", text };
	struct settings_input in = { 0 };
	struct err err = ERR_INIT;
	struct settings s;
	const char *p;
	int nargs;

	if (settings_load_text(&s, &in, &file, &nargs, &err) == 0) {
		settings_print(&s, printed);
		settings_fini(&s);
		return 0;
	}
	if (err.code != ERR_SETTING || err.msg[0] == '\0')
		abort();
	for (p = err.msg; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			abort();
	}
	return -1;
}

/* Cuts the masks of secrets, which are not there the second time. */
static void
unmask(struct buf *b)
{
	static const char mask[] = "=********\n";
	const size_t keep = 1, cut = sizeof(mask) - 1 - 2;
	char *line = b->len > 0 ? (char *)(uintptr_t)buf_str(b) : NULL;
	char *end;

	for (; line != NULL && *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL)
			return;
		if (line[0] != '#' || end - line < (ptrdiff_t)cut + 2 ||
		    strncmp(end - cut - keep, mask, sizeof(mask) - 1) != 0)
			continue;
		memmove(end - cut, end, strlen(end) + 1);
		b->len -= cut;
		end -= cut;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one, two;

	buf_init(&one, SIZE_MAX);
	buf_init(&two, SIZE_MAX);
	if (load((struct slice){ (const char *)data, size }, &one) == 0) {
		if (load(buf_slice(&one), &two) < 0)
			abort();
		unmask(&one);
		if (!slice_eq(buf_slice(&one), buf_slice(&two)))
			abort();
	}
	buf_fini(&one);
	buf_fini(&two);
	return 0;
}
