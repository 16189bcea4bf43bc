/* SPDX-License-Identifier: MIT */

/*
 * A form must say the same however its bytes come and are read.  The first
 * input byte chooses how: pieces, room and waiting; the second the boundary.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/multipart.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
	"multipart/form-data; boundary=b",
	"multipart/form-data; boundary=--",
	"multipart/form-data; boundary=\"----WebKitFormBoundary7MA4YWxk\"",
	"multipart/form-data; boundary="
	"123456789012345678901234567890123456789012345678901234567890123456789"
	"0",
};

struct pieces {
	struct source source;
	const char *p;
	size_t n;
	size_t piece;
};

static ssize_t
pieces_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct pieces *p = CONTAINER_OF(s, struct pieces, source);

	(void)err;
	if (n > p->piece)
		n = p->piece;
	if (n > p->n)
		n = p->n;
	if (n == 0)
		return 0;
	memcpy(buf, p->p, n);
	p->p += n;
	p->n -= n;
	return (ssize_t)n;
}

/* Content of one part; -1 when it did not come whole. */
static int
read_part(struct multipart *mp, size_t step, bool wait, struct buf *out)
{
	static char room[ROOM];
	struct source *s = multipart_body(mp);
	struct err err;
	ssize_t got;

	do {
		if (wait && source_wait(s, 0, &err) < 0)
			return -1;
		got = source_read(s, room, step, &err);
		if (got > (ssize_t)step ||
		    (got > 0 && buf_append(out, room, (size_t)got) < 0))
			abort();
	} while (got > 0);
	return got < 0 ? -1 : 0;
}

static void
tell(struct pieces *body, const char *type, size_t step, bool wait,
    struct buf *out)
{
	static const struct multipart_limits limits = { 20, 300 };
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	size_t before;
	int more;

	if (multipart_new(&body->source, slice_str(type), &limits, &mp, &err) <
	    0)
		abort();
	while ((more = multipart_next(mp, &part, &err)) > 0) {
		before = out->len;
		if (part.name[0] == '\0')
			abort();
		buf_printf(out, "%s|%s|%s|", part.name,
		    part.filename == NULL ? "-" : part.filename,
		    part.content_type == NULL ? "-" : part.content_type);
		if (read_part(mp, step, wait, out) < 0) {
			out->len = before;
			more = -1;
			break;
		}
		buf_append_char(out, '\n');
	}
	/* only what was read to its end is a form */
	if (more == 0 && body->n > 0)
		abort();
	buf_append_str(out, more == 0 ? "whole" : "refused");
	multipart_free(mp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64, 100, 4096, SIZE_MAX };
	static const size_t steps[] = { 1, 2, 5, 4095, 4096, 4100, ROOM, 77 };
	struct pieces whole, broken;
	struct buf a, b;
	const char *type;

	if (size < 2)
		return 0;
	type = types[data[1] % COUNT(types)];
	whole = (struct pieces){ { .read = pieces_read },
		(const char *)data + 2, size - 2, SIZE_MAX };
	broken = whole;
	broken.piece = pieces[data[0] % COUNT(pieces)];
	buf_init(&a, SIZE_MAX);
	buf_init(&b, SIZE_MAX);
	tell(&whole, type, ROOM, false, &a);
	tell(&broken, type, steps[data[0] / 8 % COUNT(steps)], data[0] >= 128,
	    &b);
	if (!slice_eq(buf_slice(&a), buf_slice(&b)))
		abort();
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
