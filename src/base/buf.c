/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SMALLEST 64

void
buf_init(struct buf *b, size_t max)
{
	b->p = NULL;
	b->len = 0;
	b->cap = 0;
	/* cap + 1 must be a size, too */
	b->max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2;
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
}

/* Makes cap at least len + ${n}. */
static int
grow(struct buf *b, size_t n)
{
	size_t cap;
	char *p;

	if (n > b->max - b->len)
		return -1;
	if (b->p != NULL && n <= b->cap - b->len)
		return 0;
	cap = b->cap < b->max / 2 ? b->cap * 2 : b->max;
	if (cap < SMALLEST)
		cap = SMALLEST < b->max ? SMALLEST : b->max;
	if (cap < b->len + n)
		cap = b->len + n;
	p = mem_try_realloc(b->p, cap + 1);
	if (p == NULL)
		return -1;
	b->p = p;
	b->cap = cap;
	return 0;
}

int
buf_append(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	if (grow(b, n) < 0)
		return -1;
	memcpy(b->p + b->len, p, n);
	b->len += n;
	return 0;
}

int
buf_append_slice(struct buf *b, struct slice s)
{
	return buf_append(b, s.p, s.n);
}

int
buf_append_str(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int
buf_append_char(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

int
buf_append_uint(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	return buf_append(b, digits + at, sizeof(digits) - at);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return rc;
}

int
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list measure;
	int n;

	va_copy(measure, ap);
	n = vsnprintf(NULL, 0, fmt, measure);
	va_end(measure);
	if (n < 0 || grow(b, (size_t)n) < 0)
		return -1;
	if (vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap) != n)
		return -1;
	b->len += (size_t)n;
	return 0;
}

void *
buf_reserve(struct buf *b, size_t n)
{
	return grow(b, n) < 0 ? NULL : b->p + b->len;
}

void
buf_add(struct buf *b, size_t n)
{
	b->len += n;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->p, b->p + n, b->len);
}

const char *
buf_str(struct buf *b)
{
	if (b->p == NULL)
		return "";
	b->p[b->len] = '\0';
	return b->p;
}

struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->p, b->len };
}

char *
buf_take(struct buf *b)
{
	char *s;

	if (b->p == NULL)
		return mem_strdup("");
	b->p[b->len] = '\0';
	s = b->p;
	buf_init(b, b->max);
	return s;
}
