/* SPDX-License-Identifier: MIT */

/*
 * Containers as storage may give them back: the input is one, sealed under a
 * key that we have, or nonsense.  What comes out of it is read in pieces; a
 * container that opens to its end seals to the same size again.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/seal_source.h"

#define STEP_MAX 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many bytes came, -1 when it failed. */
static int64_t
read_all(struct source *src, size_t step)
{
	static unsigned char buf[STEP_MAX];
	struct err err = ERR_INIT;
	int64_t sum = 0;
	ssize_t n;

	while ((n = source_read(src, buf, step, &err)) > 0)
		sum += n;
	source_close(src);
	return n < 0 ? -1 : sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char master[EAX_KEY_SIZE] = { 0, 1, 2, 3, 4, 5, 6,
		7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct keyring *ring = keyring_new(master);
	struct seal_range r = { .stored = size };
	struct seal *seal = NULL;
	struct source *src = NULL;
	struct err err = ERR_INIT;
	uint64_t offset, length;
	int64_t got;

	if (size < SEAL_HEADER_SIZE || seal_open(ring, data, &seal, &err) < 0)
		goto out;
	if (!seal_plain_size(size, &r.size))
		r.size = size;
	r.length = r.size;
	seal_range_stored(&r, &offset, &length);
	assert(offset + length <= size);
	/* It takes the seal whatever comes out. */
	if (seal_source_open(
	        seal, &r, source_mem(data + offset, length), &src, &err) < 0)
		goto out;
	got = read_all(src, 1 + size % STEP_MAX);
	assert(got < 0 || (uint64_t)got == r.size);
	assert(got < 0 || seal_size((uint64_t)got) == size);
out:
	keyring_free(ring);
	return 0;
}
