/* SPDX-License-Identifier: MIT */
#include "sft/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS "\xe2\x80\xa6"    /* U+2026, one column */

#define MINUTE 60u
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

void
text_size(uint64_t bytes, char ret[TEXT_SIZE])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB",
		"EiB" };
	double v = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		(void)snprintf(ret, TEXT_SIZE, "%" PRIu64 " B", bytes);
		return;
	}
	/* 1023.96 would be printed as 1024.0 */
	while (v >= 1023.95) {
		v /= 1024;
		i++;
	}
	(void)snprintf(ret, TEXT_SIZE, "%.1f %s", v, units[i]);
}

void
text_rate(uint64_t bps, char ret[TEXT_SIZE])
{
	char size[TEXT_SIZE];

	text_size(bps, size);
	(void)snprintf(ret, TEXT_SIZE, "%.*s/s", TEXT_SIZE - 3, size);
}

void
text_clock(uint64_t seconds, char ret[TEXT_SIZE])
{
	uint64_t d = seconds / DAY;
	unsigned h = (unsigned)(seconds % DAY / HOUR);
	unsigned m = (unsigned)(seconds % HOUR / MINUTE);
	unsigned s = (unsigned)(seconds % MINUTE);

	if (d > 0)
		(void)snprintf(
		    ret, TEXT_SIZE, "%" PRIu64 "d %02u:%02u:%02u", d, h, m, s);
	else if (h > 0)
		(void)snprintf(ret, TEXT_SIZE, "%u:%02u:%02u", h, m, s);
	else
		(void)snprintf(ret, TEXT_SIZE, "%u:%02u", m, s);
}

void
text_span(uint64_t seconds, char ret[TEXT_SIZE])
{
	static const struct {
		unsigned from, big, small;
		const char *format;
	} steps[] = {
		{ DAY, DAY, HOUR, "%" PRIu64 " d %" PRIu64 " h" },
		{ HOUR, HOUR, MINUTE, "%" PRIu64 " h %" PRIu64 " min" },
		{ MINUTE, MINUTE, 1, "%" PRIu64 " min" },
		{ 0, 1, 1, "%" PRIu64 " s" },
	};
	size_t i = 0;

	while (seconds < steps[i].from)
		i++;
	if (i < 2)
		(void)snprintf(ret, TEXT_SIZE, steps[i].format,
		    seconds / steps[i].big,
		    seconds % steps[i].big / steps[i].small);
	else
		(void)snprintf(
		    ret, TEXT_SIZE, steps[i].format, seconds / steps[i].big);
}

void
text_time(const char *rfc3339, char ret[TEXT_SIZE])
{
	size_t n = rfc3339 == NULL ? 0 : strlen(rfc3339);

	/* It comes from the server, and goes to the terminal. */
	if (n < 16 || rfc3339[10] != 'T' ||
	    strspn(rfc3339, "0123456789-T:") < 16) {
		(void)snprintf(ret, TEXT_SIZE, "-");
		return;
	}
	(void)snprintf(ret, TEXT_SIZE, "%.10s %.5s", rfc3339, rfc3339 + 11);
}

void
text_clean(struct buf *b, struct slice s)
{
	uint32_t cp;
	size_t n;

	for (; s.n > 0; s.p += n, s.n -= n) {
		n = utf8_next(s, &cp);
		if (n > 0 && utf8_is_printable(cp)) {
			buf_append(b, s.p, n);
			continue;
		}
		buf_append_str(b, REPLACEMENT);
		if (n == 0)
			n = 1;
	}
}

struct range {
	uint32_t first, last;
};

/* Blocks of Unicode whose characters take two columns (UAX #11). */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   /* Hangul Jamo, leading */
	{ 0x2e80, 0x303e },   /* CJK radicals and punctuation */
	{ 0x3041, 0x33ff },   /* kana, Bopomofo, enclosed CJK */
	{ 0x3400, 0x4dbf },   /* CJK extension A */
	{ 0x4e00, 0xa4cf },   /* CJK, Yi */
	{ 0xa960, 0xa97f },   /* Hangul Jamo extended A */
	{ 0xac00, 0xd7a3 },   /* Hangul */
	{ 0xf900, 0xfaff },   /* CJK compatibility */
	{ 0xfe30, 0xfe6f },   /* vertical and small forms */
	{ 0xff01, 0xff60 },   /* full-width forms */
	{ 0xffe0, 0xffe6 },   /* full-width signs */
	{ 0x1f300, 0x1f64f }, /* pictographs */
	{ 0x1f680, 0x1f6ff }, /* transport */
	{ 0x1f900, 0x1f9ff }, /* more pictographs */
	{ 0x20000, 0x3fffd }, /* CJK extensions */
};

/* Marks that stand on the character before them. */
static const struct range combining[] = {
	{ 0x0300, 0x036f },   /* Latin, Greek */
	{ 0x0483, 0x0489 },   /* Cyrillic */
	{ 0x0591, 0x05bd },   /* Hebrew points */
	{ 0x0610, 0x061a },   /* Arabic */
	{ 0x064b, 0x065f },   /* Arabic vowels */
	{ 0x0e31, 0x0e31 },   /* Thai */
	{ 0x0e34, 0x0e3a },   /* Thai */
	{ 0x0e47, 0x0e4e },   /* Thai */
	{ 0x1ab0, 0x1aff },   /* extended */
	{ 0x200b, 0x200f },   /* zero-width space and joiners */
	{ 0x20d0, 0x20ff },   /* for symbols */
	{ 0x3099, 0x309a },   /* kana voicing marks */
	{ 0xfe00, 0xfe0f },   /* variation selectors */
	{ 0xfe20, 0xfe2f },   /* half marks */
	{ 0xfeff, 0xfeff },   /* zero-width no-break space */
	{ 0xe0100, 0xe01ef }, /* variation selectors */
};

static bool
is_in(const struct range *table, size_t n, uint32_t cp)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (cp >= table[i].first && cp <= table[i].last)
			return true;
	}
	return false;
}

static size_t
columns_of(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (is_in(combining, sizeof(combining) / sizeof(combining[0]), cp))
		return 0;
	return is_in(wide, sizeof(wide) / sizeof(wide[0]), cp) ? 2 : 1;
}

/* The longest front of ${s} that takes at most ${columns}; how many it takes
 * in *${ret_columns}.  Invalid bytes count as one each. */
static size_t
front(struct slice s, size_t columns, size_t *ret_columns)
{
	size_t taken = 0;
	size_t at = 0;
	size_t n, w;
	uint32_t cp;

	while (at < s.n) {
		n = utf8_next((struct slice){ s.p + at, s.n - at }, &cp);
		w = n == 0 ? 1 : columns_of(cp);
		if (taken + w > columns)
			break;
		taken += w;
		at += n == 0 ? 1 : n;
	}
	*ret_columns = taken;
	return at;
}

size_t
text_width(struct slice s)
{
	size_t columns;

	(void)front(s, SIZE_MAX, &columns);
	return columns;
}

size_t
text_fit(struct buf *b, struct slice s, size_t columns)
{
	size_t taken;
	size_t n = front(s, columns, &taken);

	if (n == s.n) {
		buf_append_slice(b, s);
		return taken;
	}
	if (columns == 0)
		return 0;
	n = front(s, columns - 1, &taken);
	buf_append(b, s.p, n);
	buf_append_str(b, ELLIPSIS);
	return taken + 1;
}

void
text_wrap(struct buf *b, const char *text, struct text_block block)
{
	struct slice rest = slice_str(text);
	struct slice word;
	size_t column = 0;
	size_t width;

	while (slice_next(&rest, ' ', &word)) {
		width = text_width(word);
		if (column > 0 && column + 1 + width > block.columns) {
			buf_append_char(b, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_printf(b, "%*s", (int)block.indent, "");
			column = block.indent;
		} else {
			buf_append_char(b, ' ');
			column++;
		}
		text_clean(b, word);
		column += width;
	}
	buf_append_char(b, '\n');
}
