/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "base/utf8.h"

/* The analyzer's versions are for those who call. */
#undef err_set
#undef err_set_errno

static const struct {
	const char *name;
	bool is_public;
} codes[] = {
#define CODE_ROW(rest, name, is_public) { #name, is_public },
	ERR_CODES(CODE_ROW)
#undef CODE_ROW
};

_Static_assert(
    sizeof(codes) / sizeof(codes[0]) == ERR_CODE_COUNT, "a row for every code");

/* Ends ${msg}, into which something of ${wanted} bytes was printed. */
static void
cut(char msg[ERR_MSG_MAX], size_t wanted)
{
	if (wanted < ERR_MSG_MAX)
		return;
	msg[utf8_cut((struct slice){ msg, ERR_MSG_MAX - 1 })] = '\0';
}

static void
vset(struct err *err, enum err_code code, int sys, const char *fmt, va_list ap)
{
	int n;

	err->code = code;
	err->sys = sys;
	n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	if (n < 0)
		err->msg[0] = '\0';
	else
		cut(err->msg, (size_t)n);
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		vset(err, code, 0, fmt, ap);
		va_end(ap);
	}
	errno = saved;
	return -1;
}

int
err_set_errno(struct err *err, enum err_code code, const char *fmt, ...)
{
	int sys = errno;
	char text[128];
	size_t len;
	va_list ap;
	int n;

	if (err == NULL)
		return -1;
	if (code == ERR_IO && (sys == ENOSPC || sys == EDQUOT)) {
		err_set(err, ERR_STORAGE_FULL, "the storage is full");
		err->sys = sys;
		return -1;
	}
	va_start(ap, fmt);
	vset(err, code, sys, fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	n = snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
	    strerror_r(sys, text, sizeof(text)));
	if (n > 0)
		cut(err->msg, len + (size_t)n);
	errno = sys;
	return -1;
}

void
err_clear(struct err *err)
{
	if (err == NULL)
		return;
	err->code = ERR_NONE;
	err->sys = 0;
	err->msg[0] = '\0';
}

const char *
err_code_name(enum err_code code)
{
	if ((unsigned)code >= ERR_CODE_COUNT)
		code = ERR_INTERNAL;
	return codes[code].name;
}

enum err_code
err_code_of_name(const char *name)
{
	int i;

	for (i = 0; i < ERR_CODE_COUNT; i++) {
		if (strcmp(codes[i].name, name) == 0)
			return (enum err_code)i;
	}
	return ERR_NONE;
}

bool
err_code_is_public(enum err_code code)
{
	return (unsigned)code < ERR_CODE_COUNT && codes[code].is_public;
}
