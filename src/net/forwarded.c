/* SPDX-License-Identifier: MIT */
#include "net/forwarded.h"

#include <stdbool.h>
#include <string.h>

#include "base/ipnet.h"
#include "base/num.h"

/* The longest node is an IPv6 address with brackets and port. */
#define NODE_MAX 64

/* --- one hop ----------------------------------------------------------------
 */

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* ":4711", ":_hidden", or nothing. */
static bool
is_port(struct slice s)
{
	uint64_t port;

	if (s.n == 0)
		return true;
	if (s.n < 2 || s.p[0] != ':')
		return false;
	if (num_uint((struct slice){ s.p + 1, s.n - 1 }, 65535, &port))
		return true;
	for (size_t i = 1; i < s.n; i++)
		if (!is_word_char(s.p[i]))
			return false;
	return s.p[1] == '_' && s.n > 2;
}

static const char *
find(struct slice s, char c)
{
	return s.n == 0 ? NULL : memchr(s.p, c, s.n);
}

static struct slice
before(struct slice s, const char *at)
{
	return (struct slice){ s.p, (size_t)(at - s.p) };
}

static struct slice
from(struct slice s, const char *at)
{
	return (struct slice){ at, s.n - (size_t)(at - s.p) };
}

/* "[2001:db8::1]:4711", "192.0.2.1:80", and without a port; ${bare_v6}: also
 * "2001:db8::1". */
static bool
parse_node(struct slice s, bool bare_v6, struct addr *ret)
{
	struct slice port = SLICE_NULL;
	bool in_brackets = s.n > 0 && s.p[0] == '[';
	const char *colon = find(s, ':');
	struct slice ip = s;

	if (in_brackets) {
		const char *end = find(s, ']');

		if (end == NULL)
			return false;
		port = from(s, end + 1);
		ip = before(from(s, s.p + 1), end);
	} else if (colon != NULL &&
	           (!bare_v6 || find(from(s, colon + 1), ':') == NULL)) {
		port = from(s, colon);
		ip = before(s, colon);
	}
	/* Brackets are for IPv6. */
	if (in_brackets && find(ip, ':') == NULL)
		return false;
	return is_port(port) && addr_parse_ip(ip, ret);
}

/* --- X-Forwarded-For --------------------------------------------------------
 */

void
forwarded_for_each(struct slice value, forwarded_fn fn, void *arg)
{
	struct slice part;
	struct addr hop;

	while (slice_next(&value, ',', &part)) {
		part = slice_trim(part);
		if (part.n > 0)
			fn(arg, parse_node(part, true, &hop) ? &hop : NULL);
	}
}

/* --- Forwarded --------------------------------------------------------------
 */

static bool
is_token_char(char c)
{
	return is_word_char(c) || find(SLICE_LIT("!#$%&'*+^`|~"), c) != NULL;
}

static void
skip_space(struct slice *rest)
{
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = from(*rest, rest->p + 1);
}

static struct slice
take_token(struct slice *rest)
{
	struct slice token = { rest->p, 0 };

	while (token.n < rest->n && is_token_char(rest->p[token.n]))
		token.n++;
	*rest = from(*rest, rest->p + token.n);
	return token;
}

/* A value, unquoted.  One that is longer than any address is cut, so that it is
 * none. */
struct value {
	char text[NODE_MAX];
	size_t n;
};

static void
put(struct value *v, char c)
{
	v->text[v->n < sizeof(v->text) ? v->n : sizeof(v->text) - 1] = c;
	if (v->n < sizeof(v->text))
		v->n++;
}

/* The text of a quoted string, whose quote has been read. */
static bool
take_quoted(struct slice *rest, struct value *ret)
{
	size_t i;

	for (i = 0; i < rest->n && rest->p[i] != '"'; i++) {
		if (rest->p[i] == '\\' && ++i == rest->n)
			return false;
		put(ret, rest->p[i]);
	}
	if (i == rest->n)
		return false;
	*rest = from(*rest, rest->p + i + 1);
	return true;
}

static bool
take_value(struct slice *rest, struct value *ret)
{
	struct slice token;

	ret->n = 0;
	if (rest->n > 0 && rest->p[0] == '"') {
		*rest = from(*rest, rest->p + 1);
		return take_quoted(rest, ret);
	}
	token = take_token(rest);
	for (size_t i = 0; i < token.n; i++)
		put(ret, token.p[i]);
	return token.n > 0;
}

struct element {
	struct value node; /* of `for` */
	unsigned n_for;
	bool is_empty;
};

/* name=value */
static bool
take_pair(struct slice *rest, struct element *e)
{
	struct slice name = take_token(rest);
	struct value v;

	if (name.n == 0 || rest->n == 0 || rest->p[0] != '=')
		return false;
	*rest = from(*rest, rest->p + 1);
	if (!take_value(rest, &v))
		return false;
	e->is_empty = false;
	if (slice_eq_nocase(name, "for")) {
		e->node = v;
		e->n_for++;
	}
	return true;
}

/* Pairs, up to a comma or the end.  RFC 7239 has no space around ';', some
 * proxies do. */
static bool
take_element(struct slice *rest, struct element *ret)
{
	ret->n_for = 0;
	ret->is_empty = true;
	for (;;) {
		skip_space(rest);
		if (rest->n > 0 && rest->p[0] != ',' && rest->p[0] != ';' &&
		    !take_pair(rest, ret))
			return false;
		skip_space(rest);
		if (rest->n == 0 || rest->p[0] == ',')
			return true;
		if (rest->p[0] != ';')
			return false;
		*rest = from(*rest, rest->p + 1);
	}
}

void
forwarded_each(struct slice value, forwarded_fn fn, void *arg)
{
	struct element e;
	struct addr hop;
	bool has;

	while (value.n > 0) {
		if (!take_element(&value, &e)) {
			fn(arg, NULL);
			return;
		}
		has = e.n_for == 1 &&
		      parse_node(
		          (struct slice){ e.node.text, e.node.n }, false, &hop);
		if (!e.is_empty)
			fn(arg, has ? &hop : NULL);
		if (value.n > 0)
			value = from(value, value.p + 1);
	}
}
