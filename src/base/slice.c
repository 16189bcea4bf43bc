/* SPDX-License-Identifier: MIT */
#include "base/slice.h"

#include <string.h>

#include "base/mem.h"

struct slice
slice_str(const char *s)
{
	if (s == NULL)
		return SLICE_NULL;
	return (struct slice){ s, strlen(s) };
}

bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
slice_eq_str(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

/* Not tolower(): the locale must not matter. */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
slice_eq_nocase(struct slice a, const char *s)
{
	size_t i;

	if (a.n != strlen(s))
		return false;
	for (i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(s[i]))
			return false;
	}
	return true;
}

bool
slice_starts(struct slice a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

static bool
is_ows(char c)
{
	return c == ' ' || c == '\t';
}

struct slice
slice_trim(struct slice a)
{
	while (a.n > 0 && is_ows(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n > 0 && is_ows(a.p[a.n - 1]))
		a.n--;
	return a;
}

bool
slice_next(struct slice *rest, char sep, struct slice *ret_part)
{
	const char *at;

	if (rest->n == 0)
		return false;
	ret_part->p = rest->p;
	at = memchr(rest->p, sep, rest->n);
	if (at == NULL) {
		ret_part->n = rest->n;
		*rest = (struct slice){ rest->p + rest->n, 0 };
		return true;
	}
	ret_part->n = (size_t)(at - rest->p);
	rest->p = at + 1;
	rest->n -= ret_part->n + 1;
	return true;
}

char *
slice_dup(struct slice a)
{
	char *s = mem_alloc(a.n + 1);

	if (a.n > 0)
		memcpy(s, a.p, a.n);
	s[a.n] = '\0';
	return s;
}
