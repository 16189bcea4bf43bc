/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include <string.h>

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of the escape at the front of ${in}; -1 when it is broken. */
static int
escape_value(struct slice in)
{
	int high, low;

	if (in.n < 3)
		return -1;
	high = hex_value(in.p[1]);
	low = hex_value(in.p[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool
url_decode(struct slice in, bool plus, struct buf *b)
{
	size_t i;
	int c;

	for (i = 0; i < in.n; i++) {
		c = (unsigned char)in.p[i];
		if (c == '%') {
			c = escape_value((struct slice){ in.p + i, in.n - i });
			if (c < 0)
				return false;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (buf_append_char(b, (char)c) < 0)
			return false;
	}
	return true;
}

static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

int
url_encode(struct slice in, bool keep_slash, struct buf *b)
{
	static const char digits[] = "0123456789ABCDEF";
	char escape[3] = { '%', '0', '0' };
	unsigned char c;
	size_t i;

	for (i = 0; i < in.n; i++) {
		c = (unsigned char)in.p[i];
		if (is_unreserved((char)c) || (c == '/' && keep_slash)) {
			if (buf_append_char(b, (char)c) < 0)
				return -1;
			continue;
		}
		escape[1] = digits[c >> 4];
		escape[2] = digits[c & 15];
		if (buf_append(b, escape, sizeof(escape)) < 0)
			return -1;
	}
	return 0;
}

bool
url_query_next(
    struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
	struct slice pair;

	do {
		if (!slice_next(rest, '&', &pair))
			return false;
	} while (pair.n == 0);
	*ret_name = SLICE_NULL;
	if (pair.p[0] != '=')
		(void)slice_next(&pair, '=', ret_name);
	else
		pair = (struct slice){ pair.p + 1, pair.n - 1 };
	*ret_value = pair;
	return true;
}
