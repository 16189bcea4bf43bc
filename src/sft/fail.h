/* SPDX-License-Identifier: MIT */
#ifndef SFT_FAIL_H
#define SFT_FAIL_H

/* What an error means to who called the program: the exit status, and what
 * to do about it. */

#include "base/err.h"

enum fail_exit {
	FAIL_NONE = 0,
	FAIL_FAILED = 1,
	FAIL_USAGE = 2,
	FAIL_UNREACHABLE = 3,
	FAIL_NOT_FOUND = 4,
	FAIL_NOT_ALLOWED = 5,
	FAIL_INTERRUPTED = 130, /* 128 and the signal's number */
};

enum fail_exit fail_exit_of(enum err_code code);

/* A sentence of advice, NULL when there is none. */
const char *fail_advice(enum err_code code);

#endif
