/* SPDX-License-Identifier: MIT */

/*
 * JSON texts of clients: what is taken can be written and read again as the
 * same, what is refused is refused with a message of one printable line.
 */

#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_error(const struct err *err)
{
	struct slice s = slice_str(err->msg);
	uint32_t cp;
	size_t n;

	if (err->code != ERR_INVALID_JSON || s.n == 0)
		abort();
	for (; s.n > 0; s.p += n, s.n -= n) {
		n = utf8_next(s, &cp);
		if (n == 0 || !utf8_is_printable(cp))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	json_t *one, *two;
	struct buf b;

	one = json_parse((const char *)data, size, &err);
	if (one == NULL) {
		check_error(&err);
		return 0;
	}
	buf_init(&b, SIZE_MAX);
	if (json_write(one, &b, &err) < 0)
		abort();
	two = json_parse(b.p, b.len, &err);
	if (two == NULL || !json_equal(one, two))
		abort();
	json_decref(one);
	json_decref(two);
	buf_fini(&b);
	return 0;
}
