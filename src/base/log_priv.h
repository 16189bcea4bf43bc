/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_PRIV_H
#define BASE_LOG_PRIV_H

/* The text of log lines, apart from where they go; for log.c and its test. */

#include "base/buf.h"
#include "base/log.h"

/* Longer values are cut and end with "...". */
#define LOG_VALUE_MAX 1024
#define LOG_LINE_MAX (64 * 1024)

struct log_line {
	int64_t wall_ms;
	enum log_level level;
	const char *message;
	const struct log_field *fields; /* up to one without a name; or NULL */
	const char *request;            /* or NULL */
};

/* Appends the line with its '\n'; -1 when it does not fit. */
int log_line_write(
    const struct log_line *line, enum log_format format, struct buf *b);

#endif
