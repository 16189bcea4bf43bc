/* SPDX-License-Identifier: MIT */
#include "vectors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "unit.h"

#define FILE_MAX_BYTES (1024u * 1024)

static void
take_line(struct vectors_block *b, struct slice line)
{
	struct vectors_value *v = &b->values[b->count];
	struct slice name;

	assert_true(b->count < VECTORS_NAMES_MAX);
	assert_true(slice_next(&line, '=', &name));
	name = slice_trim(name);
	line = slice_trim(line);
	assert_true(name.n < sizeof(v->name));
	(void)snprintf(v->name, sizeof(v->name), "%.*s", (int)name.n, name.p);
	v->n = line.n / 2;
	assert_true(v->n <= VECTORS_VALUE_MAX);
	assert_true(hex_decode(line, v->p, v->n));
	b->count++;
}

void
vectors_each(const char *file,
    void (*fn)(const struct vectors_block *b, void *arg), void *arg)
{
	char *path = mem_printf("%s/%s", UNIT_VECTORS, file);
	struct vectors_block *b = mem_calloc(1, sizeof(*b));
	struct err err = ERR_INIT;
	struct slice rest, line;
	struct buf text;
	size_t blocks = 0;

	buf_init(&text, FILE_MAX_BYTES);
	if (file_read_all(AT_FDCWD, path, &text, &err) < 0)
		fail_msg("%s", err.msg);
	rest = buf_slice(&text);
	while (slice_next(&rest, '\n', &line)) {
		line = slice_trim(line);
		if (line.n > 0 && line.p[0] != '#')
			take_line(b, line);
		if ((line.n == 0 || rest.n == 0) && b->count > 0) {
			fn(b, arg);
			blocks++;
			b->count = 0;
		}
	}
	assert_true(blocks > 0);
	buf_fini(&text);
	free(b);
	free(path);
}

const struct vectors_value *
vectors_get(const struct vectors_block *b, const char *name)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->values[i].name, name) == 0)
			return &b->values[i];
	fail_msg("no value '%s'", name);
}
