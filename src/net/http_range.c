/* SPDX-License-Identifier: MIT */
#include "net/http_range.h"

#include <stdbool.h>
#include <string.h>

/*
 * Takes the digits at the front of ${s}.  However many there are, they are a
 * number, and one that does not fit is as far past the end as UINT64_MAX.
 */
static bool
take_number(struct slice *s, uint64_t *ret)
{
	uint64_t value = 0;
	uint64_t digit;
	size_t i;

	for (i = 0; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		digit = (uint64_t)(s->p[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			value = UINT64_MAX;
		else
			value = value * 10 + digit;
	}
	if (i == 0)
		return false;
	s->p += i;
	s->n -= i;
	*ret = value;
	return true;
}

/* "-500": the last 500 bytes. */
static enum http_range_result
suffix(struct slice s, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t n;

	s.p++;
	s.n--;
	if (!take_number(&s, &n) || s.n > 0)
		return HTTP_RANGE_WHOLE;
	if (n == 0)
		return HTTP_RANGE_UNSATISFIABLE;
	/* Satisfiable even where there is nothing (14.1.2), but no
	 * Content-Range can say so. */
	if (size == 0)
		return HTTP_RANGE_WHOLE;
	*ret_first = n < size ? size - n : 0;
	*ret_last = size - 1;
	return HTTP_RANGE_PART;
}

enum http_range_result
http_range(
    struct slice value, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t last = UINT64_MAX;
	struct slice unit, s;
	uint64_t first;

	s = value;
	if (!slice_next(&s, '=', &unit) || !slice_eq_nocase(unit, "bytes") ||
	    s.n == 0)
		return HTTP_RANGE_WHOLE;
	/* Several: a server may ignore them, and thousands of overlapping
	 * ones have been an attack (14.2). */
	if (memchr(s.p, ',', s.n) != NULL)
		return HTTP_RANGE_WHOLE;
	if (s.p[0] == '-')
		return suffix(s, size, ret_first, ret_last);
	if (!take_number(&s, &first) || s.n == 0 || s.p[0] != '-')
		return HTTP_RANGE_WHOLE;
	s.p++;
	s.n--;
	if (s.n > 0 && (!take_number(&s, &last) || s.n > 0))
		return HTTP_RANGE_WHOLE;
	if (last < first)
		return HTTP_RANGE_WHOLE;
	if (first >= size)
		return HTTP_RANGE_UNSATISFIABLE;
	*ret_first = first;
	*ret_last = last < size ? last : size - 1;
	return HTTP_RANGE_PART;
}
