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

static int
append_json(struct buf *b, const json_t *j, size_t flags, struct err *err)
{
	char *text = json_dumps(j, flags | JSON_ENCODE_ANY);

	if (text == NULL)
		return err_set(err, ERR_INTERNAL, "cannot write JSON");
	append_harmless(b, slice_str(text));
	free(text);
	return 0;
}

int
out_json(const json_t *j, bool on_one_line, struct err *err)
{
	size_t flags = on_one_line ? JSON_COMPACT : JSON_INDENT(2);
	struct buf b;
	int rc;

	buf_init(&b, SIZE_MAX / 2);
	rc = append_json(&b, j, flags, err);
	buf_append_char(&b, '\n');
	if (rc == 0)
		rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

static void
open_list(struct out_list *l, struct buf *b)
{
	if (!l->is_open)
		buf_printf(b, "{\n  \"%s\": [", l->key);
	l->is_open = true;
}

int
out_list_add(struct out_list *l, const json_t *items, struct err *err)
{
	const json_t *item;
	struct buf b;
	size_t i;
	int rc = 0;

	buf_init(&b, SIZE_MAX / 2);
	open_list(l, &b);
	json_array_foreach(items, i, item)
	{
		buf_append_str(&b, l->has_items ? ",\n    " : "\n    ");
		l->has_items = true;
		if (rc == 0)
			rc = append_json(&b, item, 0, err);
	}
	if (rc == 0)
		rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

int
out_list_end(struct out_list *l, const json_t *members, struct err *err)
{
	const char *key;
	json_t *value;
	struct buf b;
	int rc = 0;

	buf_init(&b, SIZE_MAX / 2);
	open_list(l, &b);
	buf_append_str(&b, l->has_items ? "\n  ]" : "]");
	json_object_foreach((json_t *)members, key, value)
	{
		buf_printf(&b, ",\n  \"%s\": ", key);
		if (rc == 0)
			rc = append_json(&b, value, 0, err);
	}
	buf_append_str(&b, "\n}\n");
	if (rc == 0)
		rc = out_text(&b, err);
	buf_fini(&b);
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
