/* SPDX-License-Identifier: MIT */
#ifndef API_VALIDATORS_H
#define API_VALIDATORS_H

/*
 * Conditions (RFC 9110 13) and ranges (14) of a GET or HEAD, against what there
 * is to send.  They are looked at in the order of RFC 9110 13.2.2:
 *
 *	1. If-Match, or without it
 *	2. If-Unmodified-Since; when it does not hold: 412
 *	3. If-None-Match, or without it
 *	4. If-Modified-Since; when it does not hold: 304
 *	5. Range (GET alone), where If-Range holds or is not there: 206, or 416
 *	   when there is no such part; else all of it
 *
 * A date counts only where there is one to compare it with.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api/call.h"

struct validators {
	const char *what; /* "file", for messages */
	const char *tag;  /* of a strong entity tag, without the quotes */
	bool has_date;
	int64_t modified_ms;
	uint64_t size; /* whole */
	bool is_whole; /* it is not sent in parts: 5 does not apply */

	/* Sets the fields that 200 and 304 have alike, of ${of}. */
	void (*describe)(struct call *c, const void *of);
	const void *of;
};

/* What is sent of it. */
struct part {
	uint64_t first;
	uint64_t length;
	bool whole;
};

/* Is ${ret_part} of it to be sent?  If not, the call has been answered: 304,
 * 412 or 416. */
bool validators_pass(
    struct call *c, const struct validators *v, struct part *ret_part);

#endif
