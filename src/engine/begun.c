/* SPDX-License-Identifier: MIT */
#include "engine/begun.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"

struct begun {
	struct source source;
	struct blob *blob; /* owned */
	struct storage_range left;
};

static ssize_t
begun_read(struct source *src, void *buf, size_t n, struct err *err)
{
	struct begun *b = CONTAINER_OF(src, struct begun, source);

	if (n > b->left.length)
		n = (size_t)b->left.length;
	if (n == 0)
		return 0;
	if (b->blob->ops->blob_read_at(b->blob, b->left.offset, buf, n, err) <
	    0)
		return -1;
	b->left.offset += n;
	b->left.length -= n;
	return (ssize_t)n;
}

static void
begun_close(struct source *src)
{
	struct begun *b = CONTAINER_OF(src, struct begun, source);

	b->blob->ops->blob_close(b->blob);
	free(b);
}

int
begun_open(struct storage *st, const char *blob_id, struct storage_range range,
    struct source **ret_src, struct err *err)
{
	struct begun *b;
	struct blob *blob;

	if (st->ops->blob_reopen(st, blob_id, &blob, err) < 0)
		return -1;
	b = mem_calloc(1, sizeof(*b));
	b->source.read = begun_read;
	b->source.close = begun_close;
	b->blob = blob;
	b->left = range;
	*ret_src = &b->source;
	return 0;
}
