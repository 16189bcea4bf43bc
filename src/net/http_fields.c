/* SPDX-License-Identifier: MIT */
#include "net/http_fields.h"

#include <string.h>

#include "net/url.h"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* tchar, RFC 9110 5.6.2 */
static bool
is_token_char(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

size_t
http_token_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && is_token_char(s.p[n]))
		n++;
	return n;
}

static struct slice
skip(struct slice s, size_t n)
{
	return (struct slice){ s.p + n, s.n - n };
}

static struct slice
skip_ows(struct slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = skip(s, 1);
	return s;
}

static bool
is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Takes a quoted-string; ${ret} is what stands between the quotes. */
static bool
take_quoted(struct slice *s, struct slice *ret)
{
	size_t i;

	for (i = 1; i < s->n && s->p[i] != '"'; i++) {
		if (s->p[i] == '\\')
			i++;
		if (i >= s->n || is_control(s->p[i]))
			return false;
	}
	if (i >= s->n)
		return false;
	*ret = (struct slice){ s->p + 1, i - 1 };
	*s = skip(*s, i + 1);
	return true;
}

int
http_param_next_raw(
    struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
	struct slice s = skip_ows(*rest);
	struct slice name, value;

	if (s.n > 0 && s.p[0] != ';')
		return -1;
	/* Parameters may be empty (RFC 9110 5.6.6). */
	while (s.n > 0 && s.p[0] == ';')
		s = skip_ows(skip(s, 1));
	*rest = s;
	if (s.n == 0)
		return 0;
	name = (struct slice){ s.p, http_token_length(s) };
	s = skip(s, name.n);
	if (name.n == 0 || s.n == 0 || s.p[0] != '=')
		return -1;
	s = skip(s, 1);
	if (s.n > 0 && s.p[0] == '"') {
		if (!take_quoted(&s, &value))
			return -1;
	} else {
		value = (struct slice){ s.p, http_token_length(s) };
		s = skip(s, value.n);
		if (value.n == 0)
			return -1;
	}
	*rest = s;
	*ret_name = name;
	*ret_value = value;
	return 1;
}

int
http_param_next(struct slice *rest, struct slice *ret_name, struct buf *value)
{
	struct slice raw;
	size_t i;
	int rc;

	buf_clear(value);
	rc = http_param_next_raw(rest, ret_name, &raw);
	if (rc <= 0)
		return rc;
	for (i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\')
			i++;
		if (buf_append_char(value, raw.p[i]) < 0)
			return -1;
	}
	return 1;
}

/* One '_' for each character that not every client reads as itself: beyond
 * ASCII, what ends or escapes the string, and '%' (RFC 6266 appendix D). */
static int
append_ascii(const char *name, struct buf *b)
{
	unsigned char c;

	for (; *name != '\0'; name++) {
		c = (unsigned char)*name;
		if (c >= 0x80 && c < 0xc0)
			continue; /* goes on with a character */
		if (c < 0x20 || c >= 0x7f || strchr("\"\\%", c) != NULL)
			c = '_';
		if (buf_append_char(b, (char)c) < 0)
			return -1;
	}
	return 0;
}

int
http_disposition_attachment(const char *name, struct buf *b)
{
	if (buf_append_str(b, "attachment; filename=\"") < 0 ||
	    append_ascii(name, b) < 0 ||
	    buf_append_str(b, "\"; filename*=UTF-8''") < 0)
		return -1;
	return url_encode(slice_str(name), false, b);
}

/* etagc, RFC 9110 8.8.3 */
static bool
is_etag_char(char c)
{
	return (unsigned char)c >= 0x21 && c != '"' && c != 0x7f;
}

/* Takes one entity-tag; ${ret} is its opaque text. */
static bool
take_etag(struct slice *s, struct slice *ret, bool *ret_weak)
{
	size_t i;

	*ret_weak = slice_starts(*s, "W/");
	if (*ret_weak)
		*s = skip(*s, 2);
	if (s->n == 0 || s->p[0] != '"')
		return false;
	for (i = 1; i < s->n && is_etag_char(s->p[i]); i++)
		continue;
	if (i >= s->n || s->p[i] != '"')
		return false;
	*ret = (struct slice){ s->p + 1, i - 1 };
	*s = skip(*s, i + 1);
	return true;
}

bool
http_etag_matches(struct slice value, const char *tag, bool weak)
{
	struct slice s = slice_trim(value);
	struct slice opaque;
	bool is_weak;

	if (slice_eq_str(s, "*"))
		return true;
	while (s.n > 0) {
		if (s.p[0] == ',') {
			s = skip_ows(skip(s, 1));
			continue;
		}
		if (!take_etag(&s, &opaque, &is_weak))
			return false;
		s = skip_ows(s);
		if (s.n > 0 && s.p[0] != ',')
			return false;
		if (slice_eq_str(opaque, tag) && (weak || !is_weak))
			return true;
	}
	return false;
}

bool
http_media_type_is(struct slice value, const char *type)
{
	struct slice before;

	if (!slice_next(&value, ';', &before))
		return false;
	return slice_eq_nocase(slice_trim(before), type);
}
