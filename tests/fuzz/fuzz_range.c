/* SPDX-License-Identifier: MIT */

/* The first eight input bytes are the size, the rest is the field. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum http_range_result result;
	uint64_t first = UINT64_MAX;
	uint64_t last = 0;
	struct slice value;
	uint64_t total;

	if (size < sizeof(total))
		return 0;
	memcpy(&total, data, sizeof(total));
	value = (struct slice){ (const char *)data + sizeof(total),
		size - sizeof(total) };
	result = http_range(value, total, &first, &last);
	if (result == HTTP_RANGE_PART) {
		if (first > last || last >= total)
			abort();
		/* it asked for something like this */
		if (value.n < 8 || memchr(value.p, '-', value.n) == NULL)
			abort();
	} else if (first != UINT64_MAX || last != 0) {
		abort();
	}
	return 0;
}
