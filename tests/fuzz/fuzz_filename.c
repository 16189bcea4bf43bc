/* SPDX-License-Identifier: MIT */

/* A name that is taken keeps every rule of the contract, and is taken again
 * as it is. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "proto/filename.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_characters(const char *name)
{
	static const char *const forbidden[] = { "\\", "\x7f", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
		"\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7",
		"\xe2\x81\xa8", "\xe2\x81\xa9" };
	size_t i;

	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		if (strstr(name, forbidden[i]) != NULL)
			abort();
	}
	for (i = 0; name[i] != '\0'; i++) {
		if ((unsigned char)name[i] < 0x20)
			abort();
		/* C1 */
		if (name[i] == '\xc2' && (unsigned char)name[i + 1] < 0xa0)
			abort();
	}
}

static void
check_segments(const char *name)
{
	size_t n;

	if (strlen(name) > FILENAME_MAX_BYTES)
		abort();
	for (;;) {
		n = strcspn(name, "/");
		if (n == 0 || n > FILENAME_SEGMENT_MAX ||
		    (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			abort();
		if (name[n] == '\0')
			return;
		name += n + 1;
	}
}

static void
check_taken(const char *name)
{
	char extension[FILENAME_EXTENSION_SIZE];
	struct err err = ERR_INIT;
	char *again;

	check_characters(name);
	check_segments(name);
	if (!utf8_is_valid(slice_str(name)))
		abort();
	if (filename_normalise(slice_str(name), &again, &err) < 0 ||
	    strcmp(name, again) != 0)
		abort();
	free(again);
	if (!slice_eq_str(
	        filename_reduce(slice_str(name)), filename_last(name)))
		abort();
	filename_extension(name, extension);
	if (strlen(extension) >= sizeof(extension) || extension[0] == '/')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct err err = ERR_INIT;
	struct slice last;
	char *name;

	if (filename_normalise(in, &name, &err) == 0) {
		check_taken(name);
		free(name);
	} else if (!utf8_is_valid(slice_str(err.msg))) {
		abort();
	}
	last = filename_reduce(in);
	if (last.n > 0 && (memchr(last.p, '/', last.n) != NULL ||
	                      memchr(last.p, '\\', last.n) != NULL))
		abort();
	return 0;
}
