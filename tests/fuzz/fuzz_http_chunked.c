/* SPDX-License-Identifier: MIT */

/*
 * A chunked body must say the same in pieces of any size, by decode() and by
 * skip() and take(); and it must be as long as a plain reading of it finds.
 * The first input byte is the size of the pieces.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	char *data;
	size_t n;
	size_t used;
	enum http_chunked_state state;
};

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
by_decode(const char *in, size_t n, size_t piece, struct outcome *out)
{
	struct http_chunked c;
	size_t at, run, used;
	ptrdiff_t got = 0;
	char *copy;

	*out = (struct outcome){ .data = mem_alloc(n) };
	http_chunked_init(&c);
	for (at = 0; at < n && got >= 0 && !http_chunked_ended(&c); at += run) {
		run = n - at < piece ? n - at : piece;
		copy = mem_dup(in + at, run);
		got = http_chunked_decode(&c, copy, run, &used, NULL);
		if (got >= 0) {
			check((size_t)got <= used && used <= run);
			check(used == run || http_chunked_ended(&c));
			memcpy(out->data + out->n, copy, (size_t)got);
			out->n += (size_t)got;
			out->used += used;
		}
		free(copy);
	}
	out->state = c.state;
}

static void
by_take(const char *in, size_t n, struct outcome *out)
{
	struct http_chunked c;
	ptrdiff_t skipped;
	size_t run;

	*out = (struct outcome){ .data = mem_alloc(n) };
	http_chunked_init(&c);
	do {
		skipped =
		    http_chunked_skip(&c, in + out->used, n - out->used, NULL);
		run = 0;
		if (skipped >= 0) {
			out->used += (size_t)skipped;
			run = http_chunked_take(&c, n - out->used);
			memcpy(out->data + out->n, in + out->used, run);
			out->n += run;
			out->used += run;
		}
	} while (run > 0);
	out->state = c.state;
}

static void
check_equal(const struct outcome *a, const struct outcome *b)
{
	check(a->state == b->state);
	/* Where the error lies in a piece, its data is not given out. */
	if (a->state == HTTP_CHUNKED_BAD)
		return;
	check(a->n == b->n && a->used == b->used);
	check(memcmp(a->data, b->data, a->n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *)data + 1;
	struct outcome whole, pieces, taken;

	if (size < 2)
		return 0;
	size--;
	by_decode(in, size, size, &whole);
	by_decode(in, size, (size_t)data[0] + 1, &pieces);
	by_take(in, size, &taken);
	check_equal(&whole, &pieces);
	check_equal(&whole, &taken);
	free(whole.data);
	free(pieces.data);
	free(taken.data);
	return 0;
}
