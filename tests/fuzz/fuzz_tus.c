/* SPDX-License-Identifier: MIT */

/* The header fields of tus. */

#include <stdint.h>
#include <stdlib.h>

#include "proto/tus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
metadata(struct slice in)
{
	struct buf b;
	int found;

	buf_init(&b, in.n + 1);
	found = tus_metadata_get(in, "filename", &b);
	/* What is well-formed can be had, and is no longer than its text. */
	if (tus_metadata_check(in, NULL) == 0 && (found < 0 || b.len > in.n))
		abort();
	buf_fini(&b);
}

static void
checksum(struct slice in)
{
	struct tus_sum sum;

	if (tus_checksum(in, &sum, NULL) == 0 &&
	    (sum.n > sizeof(sum.sum) || sum.name.n == 0))
		abort();
}

static void
concat(struct slice in)
{
	enum tus_concat kind;
	struct slice urls, id;

	if (tus_concat(in, &kind, &urls, NULL) < 0)
		return;
	while (tus_next_part(&urls, &id))
		if (id.n > in.n)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice in = { (const char *)data, size };

	metadata(in);
	checksum(in);
	concat(in);
	return 0;
}
