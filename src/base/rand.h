/* SPDX-License-Identifier: MIT */
#ifndef BASE_RAND_H
#define BASE_RAND_H

/*
 * Random bytes from the kernel, good enough for keys.  Both end the process
 * when there are none.  Any thread.
 */

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);

#endif
