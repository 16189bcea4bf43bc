/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_DATE_H
#define NET_HTTP_DATE_H

/* HTTP dates (RFC 9110 5.6.7). */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define HTTP_DATE_SIZE 30

/* "Sun, 06 Nov 1994 08:49:37 GMT".  Years beyond 0-9999 give the nearest
 * moment that can be written. */
void http_date(int64_t unix_s, char ret[HTTP_DATE_SIZE]);
/*
 * All three forms a recipient must accept, to the letter; the weekday must be
 * that of the date.  It also tells the century of the form that has none
 * (one of this century or the last, whichever fits), so that no clock is
 * needed.
 */
bool http_date_parse(struct slice text, int64_t *ret_unix_s);

#endif
