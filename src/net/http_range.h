/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_RANGE_H
#define NET_HTTP_RANGE_H

/* The Range field (RFC 9110 14), pure. */

#include <stdint.h>

#include "base/slice.h"

enum http_range_result {
	HTTP_RANGE_WHOLE, /* none, not understood, or several: send all */
	HTTP_RANGE_PART,
	HTTP_RANGE_UNSATISFIABLE, /* 416 */
};

/* ${size}: of the representation.  On HTTP_RANGE_PART first <= last < size.
 * A syntactically bad field is ignored, as the RFC says.  The cost does not
 * depend on how many ranges there are. */
enum http_range_result http_range(
    struct slice value, uint64_t size, uint64_t *ret_first, uint64_t *ret_last);

#endif
