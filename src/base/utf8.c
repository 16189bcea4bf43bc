/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

static bool
is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length that a lead byte announces, 0 when it is none. */
static size_t
announced(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	if (c >= 0xf0 && c <= 0xf4)
		return 4;
	return 0;
}

size_t
utf8_next(struct slice s, uint32_t *ret_cp)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t cp;
	size_t n, i;

	n = s.n == 0 ? 0 : announced(p[0]);
	if (n == 0 || n > s.n)
		return 0;
	cp = p[0] & mask[n];
	for (i = 1; i < n; i++) {
		if (!is_continuation(p[i]))
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < smallest[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return n;
}

bool
utf8_is_valid(struct slice s)
{
	uint32_t cp;
	size_t n;

	while (s.n > 0) {
		n = utf8_next(s, &cp);
		if (n == 0)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

size_t
utf8_cut(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t lead = s.n;
	size_t back;

	/* Look for the last lead byte among the last four. */
	for (back = 0; back < 4 && lead > 0; back++) {
		lead--;
		if (!is_continuation(p[lead]))
			break;
	}
	if (s.n == 0 || is_continuation(p[lead]))
		return s.n;
	return announced(p[lead]) > s.n - lead ? lead : s.n;
}

bool
utf8_is_printable(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} bad[] = {
		{ 0x00, 0x1f }, { 0x7f, 0x9f },
		{ 0x061c, 0x061c }, /* Arabic letter mark */
		{ 0x200e, 0x200f }, /* left-to-right and right-to-left mark */
		{ 0x2028, 0x202e }, /* separators, embeddings, overrides */
		{ 0x2066, 0x2069 }, /* isolates */
		{ 0xfeff, 0xfeff }, /* byte order mark */
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cp >= bad[i].first && cp <= bad[i].last)
			return false;
	}
	return true;
}

bool
utf8_is_line(struct slice s, size_t most)
{
	size_t n, chars = 0;
	uint32_t cp;

	for (; s.n > 0; s.p += n, s.n -= n) {
		n = utf8_next(s, &cp);
		if (n == 0 || !utf8_is_printable(cp) || ++chars > most)
			return false;
	}
	return true;
}
