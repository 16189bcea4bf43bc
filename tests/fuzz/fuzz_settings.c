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

/* Cuts the secret's mask, which is not there the second time. */
static void
unmask(struct buf *b)
{
	static const char line[] = "\n#ADMIN_API_KEY=";
	char *mask;

	(void)buf_str(b);
	mask = strstr(b->p, line);
	if (mask == NULL)
		abort();
	mask += strlen(line);
	if (mask[0] != '*')
		return;
	memmove(mask, mask + 8, strlen(mask + 8) + 1);
	b->len -= 8;
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
