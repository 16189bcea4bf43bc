/* SPDX-License-Identifier: MIT */
#include "sft/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sft/out.h"
#include "sft/text.h"

#define GAP 2
#define FLEXIBLE_MIN 8
#define PRINT_MAX_BYTES (64u * 1024 * 1024)

struct table {
	const struct table_column *columns;
	size_t ncolumns;
	/* Row by row; the titles are the first row. */
	char **cells;
	size_t nrows;
	size_t cap;
};

static void
add_row(struct table *t, const char *const *cells)
{
	struct buf b;
	size_t i;

	if (t->nrows == t->cap) {
		t->cap = t->cap == 0 ? 16 : t->cap * 2;
		t->cells = mem_realloc((void *)t->cells,
		    t->cap * t->ncolumns * sizeof(t->cells[0]));
	}
	for (i = 0; i < t->ncolumns; i++) {
		buf_init(&b, SIZE_MAX / 2);
		text_clean(&b, slice_str(cells[i]));
		t->cells[t->nrows * t->ncolumns + i] = buf_take(&b);
	}
	t->nrows++;
}

struct table *
table_new(const struct table_column *columns)
{
	const char *titles[TABLE_COLUMNS_MAX] = { NULL };
	struct table *t = mem_calloc(1, sizeof(*t));

	t->columns = columns;
	for (; columns[t->ncolumns].title != NULL; t->ncolumns++) {
		assert(t->ncolumns < TABLE_COLUMNS_MAX);
		titles[t->ncolumns] = columns[t->ncolumns].title;
	}
	add_row(t, titles);
	return t;
}

void
table_free(struct table *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->nrows * t->ncolumns; i++)
		free(t->cells[i]);
	free((void *)t->cells);
	free(t);
}

void
table_add(struct table *t, const char *const *cells)
{
	add_row(t, cells);
}

size_t
table_rows(const struct table *t)
{
	return t->nrows - 1;
}

/* How wide each column is to be. */
static void
measure(const struct table *t, size_t width, size_t ret[TABLE_COLUMNS_MAX])
{
	size_t flexible = TABLE_COLUMNS_MAX;
	size_t all = 0;
	size_t i, r, w, excess;

	for (i = 0; i < t->ncolumns; i++) {
		ret[i] = 0;
		for (r = 0; r < t->nrows; r++) {
			w = text_width(
			    slice_str(t->cells[r * t->ncolumns + i]));
			if (w > ret[i])
				ret[i] = w;
		}
		if (t->columns[i].is_flexible)
			flexible = i;
		all += ret[i] + (i == 0 ? 0 : GAP);
	}
	if (width == 0 || all <= width || flexible == TABLE_COLUMNS_MAX)
		return;
	excess = all - width;
	if (ret[flexible] > excess && ret[flexible] - excess > FLEXIBLE_MIN)
		ret[flexible] -= excess;
	else if (ret[flexible] > FLEXIBLE_MIN)
		ret[flexible] = FLEXIBLE_MIN;
}

static void
pad(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_append_char(b, ' ');
}

static void
write_row(
    const struct table *t, const size_t *widths, size_t row, struct buf *line)
{
	struct buf cell;
	size_t i, w;

	buf_init(&cell, SIZE_MAX / 2);
	for (i = 0; i < t->ncolumns; i++) {
		buf_clear(&cell);
		w = text_fit(&cell, slice_str(t->cells[row * t->ncolumns + i]),
		    widths[i]);
		pad(line, i == 0 ? 0 : GAP);
		if (t->columns[i].is_right)
			pad(line, widths[i] - w);
		buf_append_slice(line, buf_slice(&cell));
		/* nothing hangs behind the last column */
		if (!t->columns[i].is_right && i + 1 < t->ncolumns)
			pad(line, widths[i] - w);
	}
	buf_fini(&cell);
}

void
table_write(const struct table *t, size_t width, struct buf *b)
{
	size_t widths[TABLE_COLUMNS_MAX];
	struct buf line;
	size_t r;

	measure(t, width, widths);
	buf_init(&line, SIZE_MAX / 2);
	for (r = 0; r < t->nrows; r++) {
		buf_clear(&line);
		write_row(t, widths, r, &line);
		/* a terminal too narrow for all the other columns */
		(void)text_fit(
		    b, buf_slice(&line), width == 0 ? SIZE_MAX : width);
		buf_append_char(b, '\n');
	}
	buf_fini(&line);
}

void
table_write_list(const struct table_list *list, size_t width, struct buf *b)
{
	struct table *t = table_new(list->columns);
	const json_t *object;
	size_t i;

	json_array_foreach(list->objects, i, object)
	{
		list->add(t, object);
	}
	if (table_rows(t) > 0)
		table_write(t, width, b);
	else if (list->none != NULL)
		buf_append_str(b, list->none);
	table_free(t);
}

int
table_print(const struct table_list *list, size_t width, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, PRINT_MAX_BYTES);
	table_write_list(list, width, &b);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}
