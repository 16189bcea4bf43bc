/* SPDX-License-Identifier: MIT */
#include "db/rec_prefix.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

#define LAST_CODE_POINT 0x10ffffu

bool
rec_prefix_holds(const char *prefix, const char *name)
{
	return strncmp(prefix, name, strlen(prefix)) == 0;
}

/* Writes the character (not ASCII's NUL) and the NUL behind it. */
static void
put_char(char *at, uint32_t cp)
{
	unsigned char *p = (unsigned char *)at;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	size_t i;

	for (i = n; i-- > 1; cp >>= 6)
		p[i] = (unsigned char)(0x80 | (cp & 0x3f));
	p[0] = (unsigned char)(lead[n] | cp);
	p[n] = '\0';
}

/* Where the last character of ${s} begins. */
static size_t
last_char(const char *s, size_t n)
{
	n--;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

char *
rec_prefix_end(const char *prefix)
{
	size_t n = strlen(prefix);
	char *end = mem_alloc(n + 5); /* a character may get longer */
	uint32_t cp;
	size_t at;

	memcpy(end, prefix, n + 1);
	while (n > 0) {
		at = last_char(end, n);
		if (utf8_next((struct slice){ end + at, n - at }, &cp) ==
		        n - at &&
		    cp < LAST_CODE_POINT) {
			/* surrogates are no characters */
			put_char(end + at, cp == 0xd7ff ? 0xe000 : cp + 1);
			return end;
		}
		end[at] = '\0';
		n = at;
	}
	free(end);
	return NULL;
}
