/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A growable run of bytes with a maximum that it is born with.
 *
 * Invariants: len <= cap <= max; p is NULL while cap is 0; when cap > 0,
 * p[len] may be written (one byte more than cap is allocated), and buf_str()
 * puts a NUL there.  A failed append leaves the buffer as it was.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf {
	char *p;
	size_t len;
	size_t cap;
	size_t max;
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);  /* frees; the buffer is empty and usable */
void buf_clear(struct buf *b); /* len = 0, memory kept */

/* Appends; -1 when it would pass the maximum or memory is out. */
int buf_append(struct buf *b, const void *p, size_t n);
int buf_append_slice(struct buf *b, struct slice s);
int buf_append_str(struct buf *b, const char *s);
int buf_append_char(struct buf *b, char c);
int buf_append_uint(struct buf *b, uint64_t v); /* in decimal */
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Makes room for ${n} more bytes and returns where they go (NULL: no room);
 * buf_add() then counts those written. */
void *buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, size_t n);

/* Drops ${n} bytes at the front. */
void buf_consume(struct buf *b, size_t n);

/* The content as a C string, owned by the buffer ("" when empty). */
const char *buf_str(struct buf *b);
struct slice buf_slice(const struct buf *b);
/* The content as a C string for the caller to free(); the buffer is empty
 * afterwards. */
char *buf_take(struct buf *b);

#endif
