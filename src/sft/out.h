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

/*
 * One document that is written as its list comes, so that a list of any length
 * takes little memory: {KEY: [ITEM, ...], MEMBER...}.  Begin with { KEY }.
 */
struct out_list {
	const char *key; /* plain ASCII */
	bool is_open;    /* something of it is out */
	bool has_items;
};
int out_list_add(
    struct out_list *l, const json_t *items, struct err *err); /* an array */
/* ${members} (NULL: none), an object, are what stands behind the list. */
int out_list_end(struct out_list *l, const json_t *members, struct err *err);

/* Did these fail because the reader went away, having seen enough? */
bool out_is_gone(const struct err *err);

/* Members of an answer, with something fit to print when they are missing or
 * of another type: "-", 0, false. */
const char *out_str(const json_t *object, const char *key);
uint64_t out_uint(const json_t *object, const char *key);
bool out_bool(const json_t *object, const char *key);

#endif
