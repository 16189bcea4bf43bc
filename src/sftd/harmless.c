/* SPDX-License-Identifier: MIT */
#include "sftd/harmless.h"

#include <stdio.h>

#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void
harmless_print(const char *text)
{
	struct slice s = slice_str(text);
	uint32_t cp;
	size_t n;

	for (; s.n > 0; s.p += n, s.n -= n) {
		n = utf8_next(s, &cp);
		if (n > 0 && utf8_is_printable(cp))
			(void)fwrite(s.p, 1, n, stdout);
		else
			(void)fputs(REPLACEMENT, stdout);
		if (n == 0)
			n = 1;
	}
}
