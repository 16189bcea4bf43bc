/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without stdio, which may want memory itself. */
_Noreturn void
mem_exhausted(void)
{
	static const char line[] = "out of memory\n";
	ssize_t n;

	n = write(STDERR_FILENO, line, sizeof(line) - 1);
	(void)n; /* there is nothing left to try */
	abort();
}

void *
mem_try_alloc(size_t n)
{
	return malloc(n == 0 ? 1 : n);
}

void *
mem_try_realloc(void *p, size_t n)
{
	return realloc(p, n == 0 ? 1 : n);
}

void *
mem_alloc(size_t n)
{
	void *p = mem_try_alloc(n);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_calloc(size_t count, size_t size)
{
	void *p = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_realloc(void *p, size_t n)
{
	p = mem_try_realloc(p, n);
	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_dup(const void *p, size_t n)
{
	void *copy = mem_alloc(n);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *
mem_strdup(const char *s)
{
	return s == NULL ? NULL : mem_dup(s, strlen(s) + 1);
}

char *
mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		mem_exhausted();
	return s;
}

void
mem_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}
