/* SPDX-License-Identifier: MIT */
#include "sft/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/utf8.h"

static int
put(const char *p, size_t n, struct err *err)
{
	struct err why = ERR_INIT;

	if (file_write_all(STDOUT_FILENO, p, n, &why) == 0)
		return 0;
	err_set(err, ERR_IO, "cannot write to standard output: %s",
	    strerrordesc_np(why.sys));
	if (err != NULL)
		err->sys = why.sys;
	return -1;
}

bool
out_is_gone(const struct err *err)
{
	return err->code == ERR_IO && err->sys == EPIPE;
}

int
out_text(const struct buf *b, struct err *err)
{
	return put(b->p, b->len, err);
}

static void
escape(struct buf *b, uint32_t cp)
{
	if (cp > 0xffff) {
		cp -= 0x10000;
		buf_printf(b, "\\u%04X", (unsigned)(0xd800 | cp >> 10));
		cp = 0xdc00 | (cp & 0x3ff);
	}
	buf_printf(b, "\\u%04X", (unsigned)cp);
}

/* What would steer a terminal, or turn a line round, is escaped; it can only
 * stand in strings. */
static void
append_harmless(struct buf *b, struct slice text)
{
	uint32_t cp;
	size_t n;

	for (; text.n > 0; text.p += n, text.n -= n) {
		n = utf8_next(text, &cp);
		if (n == 0)
			n = 1; /* jansson writes valid UTF-8 only */
		if (cp == '\n' || utf8_is_printable(cp))
			buf_append(b, text.p, n);
		else
			escape(b, cp);
	}
}

int
out_json(const json_t *j, bool on_one_line, struct err *err)
{
	char *text = json_dumps(j, on_one_line ? JSON_COMPACT : JSON_INDENT(2));
	struct buf b;
	int rc;

	if (text == NULL)
		return err_set(err, ERR_INTERNAL, "cannot write JSON");
	buf_init(&b, SIZE_MAX / 2);
	append_harmless(&b, slice_str(text));
	buf_append_char(&b, '\n');
	rc = out_text(&b, err);
	buf_fini(&b);
	free(text);
	return rc;
}

const char *
out_str(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s == NULL ? "-" : s;
}

uint64_t
out_uint(const json_t *object, const char *key)
{
	double v = json_number_value(json_object_get(object, key));
	json_int_t i = json_integer_value(json_object_get(object, key));

	if (i > 0)
		return (uint64_t)i;
	return v > 0 && v < 1e18 ? (uint64_t)v : 0;
}

bool
out_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}
