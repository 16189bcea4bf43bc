/* SPDX-License-Identifier: MIT */
#ifndef UNIT_PREVIEW_HELP_H
#define UNIT_PREVIEW_HELP_H

/* What the tests of previews share: tests/preview/decode_double.c in place of
 * the decoder. */

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"
#include "unit.h"

/* Skips the test where the double was not built. */
#define NEEDS_DOUBLE()                                                         \
	do {                                                                   \
		if (access(UNIT_DOUBLE, X_OK) < 0)                             \
			skip();                                                \
		/* as it is in sftd */                                         \
		(void)signal(SIGPIPE, SIG_IGN);                                \
	} while (0)

/* The number in a picture that it made; fails the test when it is none. */
static inline uint64_t
preview_help_pid(struct slice jpeg)
{
	uint64_t pid = 0;

	assert_true(jpeg.n > 4);
	assert_memory_equal(jpeg.p, "\xff\xd8", 2);
	assert_memory_equal(jpeg.p + jpeg.n - 2, "\xff\xd9", 2);
	assert_true(
	    num_uint((struct slice){ jpeg.p + 2, jpeg.n - 4 }, 1 << 30, &pid));
	return pid;
}

#endif
