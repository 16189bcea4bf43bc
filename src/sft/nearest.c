/* SPDX-License-Identifier: MIT */
#include "sft/nearest.h"

#include <string.h>

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
nearest_distance(const char *a, const char *b)
{
	/* rows for a[..i-2], a[..i-1] and a[..i], by j letters of b */
	unsigned rows[3][NEAREST_MAX + 1] = { { 0 } };
	size_t n = strlen(a), m = strlen(b);
	unsigned *before, *last, *row;
	size_t i, j;

	if (n > NEAREST_MAX || m > NEAREST_MAX)
		return NEAREST_MAX + 1;
	for (i = 0; i <= n; i++) {
		before = rows[(i + 1) % 3];
		last = rows[(i + 2) % 3];
		row = rows[i % 3];
		row[0] = (unsigned)i;
		for (j = 1; j <= m; j++) {
			if (i == 0) {
				row[j] = (unsigned)j;
				continue;
			}
			row[j] = least(last[j], row[j - 1]) + 1;
			row[j] =
			    least(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

bool
nearest_is_like(const char *a, const char *b)
{
	return nearest_distance(a, b) <= (strlen(b) < 6 ? 1u : 2u);
}
