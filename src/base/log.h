/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The log: one line per event to standard error, as text or JSON, written
 * with one write().  Values are escaped, and cut at 1 KiB, so no peer can
 * forge a line, fill the log or reach a terminal.  No secrets are ever given
 * to it.  Only api/, sftd/ and sft/ call it; lower layers return errors.
 * Safe from any thread.
 *
 *     log_info("upload completed", LOG_STR("file", name),
 *         LOG_UINT("size", size), LOG_END);
 *
 * text:  2026-11-24T07:30:00.000Z info upload completed file="a b" size=3
 *        request=0a1b2c
 * json:  {"time":"…","level":"info","message":"upload completed",
 *        "file":"a b","size":3,"request":"0a1b2c"}
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
	const char *name; /* NULL ends the list */
	enum { LOG_KIND_STR, LOG_KIND_INT, LOG_KIND_UINT } kind;
	struct slice str;
	int64_t num;
	uint64_t unum;
};

#define LOG_STR(name, s)                                                       \
	((struct log_field){ name, LOG_KIND_STR, slice_str(s), 0, 0 })
#define LOG_SLICE(name, s) ((struct log_field){ name, LOG_KIND_STR, (s), 0, 0 })
#define LOG_INT(name, v)                                                       \
	((struct log_field){ name, LOG_KIND_INT, SLICE_NULL, (v), 0 })
#define LOG_UINT(name, v)                                                      \
	((struct log_field){ name, LOG_KIND_UINT, SLICE_NULL, 0, (v) })
#define LOG_ERR(e)                                                             \
	LOG_STR("error", (e)->msg), LOG_STR("code", err_code_name((e)->code))
#define LOG_END ((struct log_field){ 0 })

void log_setup(enum log_level level, enum log_format format);
bool log_is_on(enum log_level level);

/* This thread's lines carry this request id until it is set to NULL.  The
 * string must outlive that. */
void log_set_request(const char *id);

void log_event(
    enum log_level level, const char *message, const struct log_field *fields);

/* clang-format off */
#define log_debug(msg, ...) log_event(LOG_DEBUG, msg, (const struct log_field[]){ __VA_ARGS__ })
#define log_info(msg, ...) log_event(LOG_INFO, msg, (const struct log_field[]){ __VA_ARGS__ })
#define log_warning(msg, ...) log_event(LOG_WARNING, msg, (const struct log_field[]){ __VA_ARGS__ })
#define log_error(msg, ...) log_event(LOG_ERROR, msg, (const struct log_field[]){ __VA_ARGS__ })
/* clang-format on */

#endif
