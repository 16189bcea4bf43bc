/* SPDX-License-Identifier: MIT */
#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * Memory.  mem_* never fail: the process ends (the supervisor restarts it),
 * which is right for small things that the program sizes.  What a peer sizes
 * uses mem_try_* or a struct buf with a maximum.  All is released by free().
 */

#include <stddef.h>

void *mem_alloc(size_t n);
void *mem_calloc(size_t count, size_t size);
void *mem_realloc(void *p, size_t n);
void *mem_dup(const void *p, size_t n);
char *mem_strdup(const char *s); /* NULL gives NULL */
/* printf into a new string. */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void *mem_try_alloc(size_t n);            /* NULL when there is none */
void *mem_try_realloc(void *p, size_t n); /* NULL leaves p as it is */

/* Ends the process, with a line that says so. */
_Noreturn void mem_exhausted(void);

/* Overwrites what held a secret; not optimised away. */
void mem_wipe(void *p, size_t n);

#endif
