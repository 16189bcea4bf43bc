/* SPDX-License-Identifier: MIT */
#ifndef SFT_TABLE_H
#define SFT_TABLE_H

/*
 * Rows of text in columns as wide as their widest cell.  Where the whole must
 * fit a terminal, the flexible column gives way: its cells are cut with an
 * ellipsis.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#define TABLE_COLUMNS_MAX 12

struct table_column {
	const char *title; /* NULL ends the columns */
	bool is_right;     /* aligned to the right, as numbers are */
	bool is_flexible;  /* one of them at most */
};

struct table;

/* ${columns} must outlive the table. */
struct table *table_new(const struct table_column *columns);
void table_free(struct table *t); /* NULL is fine */

/* Adds a row: one cell for each column (NULL: empty), copied and cleaned
 * (text_clean()). */
void table_add(struct table *t, const char *const *cells);
size_t table_rows(const struct table *t);

/* Appends the titles and the rows, a line each, at most ${width} columns wide
 * (0: as wide as it gets). */
void table_write(const struct table *t, size_t width, struct buf *b);

/* The objects of a list, each a row. */
struct table_list {
	const struct table_column *columns;
	const json_t *objects; /* an array; NULL: none */
	void (*add)(struct table *t, const json_t *object);
	const char *none; /* a line instead of a table without rows; or NULL */
};

/* Appends them as table_write() does. */
void table_write_list(
    const struct table_list *list, size_t width, struct buf *b);
/* Prints them on standard output; -1 when it cannot be written. */
int table_print(const struct table_list *list, size_t width, struct err *err);

#endif
