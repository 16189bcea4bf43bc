/* SPDX-License-Identifier: MIT */
#ifndef SFT_OUT_H
#define SFT_OUT_H

/* Standard output: what a command was asked for, as text or JSON. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

int out_text(const struct buf *b, struct err *err);
/* On lines of its own, or on one line as a stream of documents has them. */
int out_json(const json_t *j, bool on_one_line, struct err *err);

/* Did these fail because the reader went away, having seen enough? */
bool out_is_gone(const struct err *err);

/* Members of an answer, with something fit to print when they are missing or
 * of another type: "-", 0, false. */
const char *out_str(const json_t *object, const char *key);
uint64_t out_uint(const json_t *object, const char *key);
bool out_bool(const json_t *object, const char *key);

#endif
