/* SPDX-License-Identifier: MIT */
#include "base/id.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hex.h"
#include "base/num.h"

#define SEQUENCE_BITS 16
#define TIME_DIGITS 12 /* 48 bits */

/*
 * The first 64 bits of the newest id: time and sequence.  It has to be one
 * for the whole process, else ids of two threads would not be ordered.
 */
static _Atomic uint64_t newest;

/* A number greater than all before it; the time in it where that is later. */
static uint64_t
next_prefix(int64_t wall_ms)
{
	uint64_t now = (uint64_t)(wall_ms > 0 ? wall_ms : 0) << SEQUENCE_BITS;
	uint64_t last = atomic_load(&newest);
	uint64_t next;

	do {
		next = now > last ? now : last + 1;
	} while (!atomic_compare_exchange_weak(&newest, &last, next));
	return next;
}

/* ${prefix}, of which so many bytes count, and chance. */
static void
make(uint64_t prefix, size_t n, char ret[ID_SIZE])
{
	unsigned char bytes[16];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)(prefix >> (56 - 8 * i) & 255);
	rand_bytes(bytes + n, sizeof(bytes) - n);
	hex_encode(bytes, sizeof(bytes), ret);
}

void
id_new(int64_t wall_ms, char ret[ID_SIZE])
{
	make(next_prefix(wall_ms), 8, ret);
}

void
id_at(int64_t wall_ms, char ret[ID_SIZE])
{
	make((uint64_t)(wall_ms > 0 ? wall_ms : 0) << SEQUENCE_BITS,
	    TIME_DIGITS / 2, ret);
}

bool
id_is_valid(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n == ID_SIZE - 1 && s[n] == '\0';
}

int64_t
id_wall_ms(const char *id)
{
	uint64_t ms = 0;

	if (!num_hex((struct slice){ id, TIME_DIGITS }, UINT64_MAX, &ms))
		return 0;
	return (int64_t)ms;
}
