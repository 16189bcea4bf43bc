/* SPDX-License-Identifier: MIT */
#ifndef FAULT_FAIL_ALLOC_H
#define FAULT_FAIL_ALLOC_H

/* What tests/fault/fail_alloc.c, where it is preloaded, gives unit_tests: from
 * here to there allocations may fail.  Absent otherwise (weak). */

#include <stdbool.h>

void fail_alloc_arm(void) __attribute__((weak));
void fail_alloc_disarm(void) __attribute__((weak));

#endif
