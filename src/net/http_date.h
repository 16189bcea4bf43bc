/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_DATE_H
#define NET_HTTP_DATE_H

/* HTTP dates (RFC 9110 5.6.7). */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define HTTP_DATE_SIZE 30

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void http_date(int64_t unix_s, char ret[HTTP_DATE_SIZE]);
/* All three forms a recipient must accept. */
bool http_date_parse(struct slice text, int64_t *ret_unix_s);

#endif
