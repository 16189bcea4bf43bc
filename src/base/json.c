/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Jansson's own bound is 2048 deep, by recursion; stacks here are small. */
static bool
is_too_deep(const char *p, size_t n)
{
	bool in_string = false;
	size_t depth = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (in_string) {
			if (p[i] == '\\')
				i++;
			else if (p[i] == '"')
				in_string = false;
		} else if (p[i] == '"') {
			in_string = true;
		} else if (p[i] == '[' || p[i] == '{') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if ((p[i] == ']' || p[i] == '}') && depth > 0) {
			depth--;
		}
	}
	return false;
}

json_t *
json_parse(const char *p, size_t n, struct err *err)
{
	json_error_t je;
	json_t *j;
	char *near;

	if (is_too_deep(p, n)) {
		err_set(err, ERR_INVALID_JSON,
		    "the JSON text is nested deeper than %d levels",
		    JSON_DEPTH_MAX);
		return NULL;
	}
	j = json_loadb(p, n, JSON_REJECT_DUPLICATES, &je);
	if (j == NULL) {
		/* What follows quotes the peer's bytes. */
		near = strstr(je.text, " near ");
		if (near != NULL)
			*near = '\0';
		err_set(err, ERR_INVALID_JSON,
		    "not valid JSON at line %d, column %d: %s", je.line,
		    je.column, je.text);
	}
	return j;
}

static int
append(const char *p, size_t n, void *arg)
{
	return buf_append(arg, p, n);
}

int
json_write(const json_t *j, struct buf *b, struct err *err)
{
	size_t before = b->len;

	if (json_dump_callback(j, append, b, JSON_COMPACT | JSON_ENCODE_ANY) ==
	    0)
		return 0;
	b->len = before;
	return err_set(
	    err, ERR_INTERNAL, "a JSON text does not fit in %zu bytes", b->max);
}

/* Every byte that is no UTF-8 becomes U+FFFD, three bytes. */
static json_t *
repaired(struct slice s)
{
	struct buf b;
	uint32_t cp;
	size_t n;
	json_t *j;

	buf_init(&b, s.n * 3);
	for (; s.n > 0; s.p += n, s.n -= n) {
		n = utf8_next(s, &cp);
		if (n > 0) {
			buf_append(&b, s.p, n);
			continue;
		}
		buf_append_str(&b, "\xef\xbf\xbd");
		n = 1;
	}
	j = json_stringn(b.p, b.len);
	buf_fini(&b);
	return j;
}

json_t *
json_str_or_null(const char *s)
{
	struct slice all = slice_str(s);

	if (s == NULL)
		return json_null();
	return utf8_is_valid(all) ? json_string(s) : repaired(all);
}

json_t *
json_time(int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall_ms, text);
	return json_string(text);
}
