/* SPDX-License-Identifier: MIT */

/* The input is an image; the reads it is given are counted. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/picture.h"

#define READS_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
	unsigned reads;
};

static int
read_at(void *arg, uint64_t offset, void *p, size_t n, struct err *err)
{
	struct input *in = arg;

	(void)err;
	if (n == 0 || offset > in->size || n > in->size - offset ||
	    ++in->reads > READS_MAX)
		abort();
	memcpy(p, in->data + offset, n);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size, 0 };
	const struct picture_bytes bytes = { read_at, &in, size };
	struct picture_size got = { 0, 0 };
	struct err err = ERR_INIT;
	int rc = picture_measure(&bytes, &got, &err);

	if (rc < 0 || (rc == 1) != (got.width > 0 && got.height > 0))
		abort();
	return 0;
}
