/* SPDX-License-Identifier: MIT */
#ifndef API_VALIDATORS_H
#define API_VALIDATORS_H

/* Conditions (RFC 9110 13) and ranges (14) of a GET or HEAD, against what there
 * is to send. */

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

struct validators {
	const char *tag; /* of a strong entity tag, without the quotes */
	bool has_date;
	int64_t modified_ms;
	uint64_t size; /* whole */
};

enum validators_answer {
	VALIDATORS_SEND, /* ${part} of it */
	VALIDATORS_NOT_MODIFIED,
	VALIDATORS_FAILED,        /* If-Match, If-Unmodified-Since */
	VALIDATORS_UNSATISFIABLE, /* the range */
};

/* What is sent of it. */
struct part {
	uint64_t first;
	uint64_t length;
	bool whole;
};

enum validators_answer validators_ask(const struct http_request *req,
    const struct validators *v, struct part *ret_part);

#endif
