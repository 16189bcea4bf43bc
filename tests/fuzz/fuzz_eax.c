/* SPDX-License-Identifier: MIT */

/*
 * Every path of EAX against the generic one: the input says how many messages
 * there are, how long they and their headers are, how they are aligned, and
 * which of them is altered before it is opened.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/eax_priv.h"

#define MESSAGES_MAX 20
#define TEXT_MAX 700
#define ROOM (TEXT_MAX + 64)

struct input {
	const uint8_t *p;
	size_t n;
};

static unsigned
take(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

/* Bytes of the input, again and again. */
static void
fill(struct input in, unsigned seed, unsigned char *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (unsigned char)(seed + i * 7 +
		                         (in.n > 0 ? in.p[i % in.n] : 0));
}

struct batch {
	size_t count;
	struct eax_message m[MESSAGES_MAX];
	unsigned char nonce[MESSAGES_MAX][EAX_NONCE_SIZE];
	unsigned char header[MESSAGES_MAX][256];
	unsigned char tag[MESSAGES_MAX][EAX_TAG_SIZE];
	unsigned char plain[MESSAGES_MAX][ROOM];
	unsigned char text[MESSAGES_MAX][ROOM];
};

static void
make(struct batch *b, struct input in)
{
	b->count = 1 + take(&in) % MESSAGES_MAX;
	for (size_t i = 0; i < b->count; i++) {
		size_t n = (take(&in) * 256u + take(&in)) % (TEXT_MAX + 1);
		size_t align = take(&in) % 64;

		fill(in, (unsigned)i, b->nonce[i], EAX_NONCE_SIZE);
		fill(in, (unsigned)i + 1, b->header[i], 256);
		fill(in, (unsigned)i + 2, b->plain[i] + align, n);
		b->m[i] = (struct eax_message){
			.nonce = b->nonce[i],
			.header = b->header[i],
			.header_n = take(&in),
			.in = b->plain[i] + align,
			.out = b->text[i] + align,
			.n = n,
			.tag = b->tag[i],
		};
	}
}

static struct eax_key
key_for(const struct eax_path *path, struct input in)
{
	struct eax_key k = { 0 };

	fill(in, 99, k.round[0], EAX_KEY_SIZE);
	path->expand(&k);
	return k;
}

static void
try(const struct eax_path *path, struct batch *b, const struct batch *right,
    struct input in)
{
	struct eax_key k = key_for(path, in);
	size_t bad = take(&in) % (2 * b->count); /* or none */
	bool ok[MESSAGES_MAX];

	path->seal(&k, b->m, b->count);
	assert(memcmp(b->text, right->text, sizeof(b->text)) == 0);
	assert(memcmp(b->tag, right->tag, sizeof(b->tag)) == 0);
	if (bad < b->count)
		b->tag[bad][take(&in) % EAX_TAG_SIZE] ^= 1;
	for (size_t i = 0; i < b->count; i++)
		b->m[i].in = b->m[i].out; /* in place */
	path->open(&k, b->m, b->count, ok);
	for (size_t i = 0; i < b->count; i++) {
		size_t align = (size_t)(b->m[i].out - b->text[i]);

		assert(ok[i] == (i != bad));
		if (ok[i])
			assert(memcmp(b->m[i].out, b->plain[i] + align,
			           b->m[i].n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct input in = { data, size };
	struct batch *right = mem_calloc(1, sizeof(*right));
	struct batch *b = mem_calloc(1, sizeof(*b));
	struct eax_key k = key_for(&eax_path_generic, in);

	make(right, in);
	eax_path_generic.seal(&k, right->m, right->count);
	for (size_t i = 0; eax_paths[i] != NULL; i++) {
		if (!eax_paths[i]->is_supported())
			continue;
		memset(b, 0, sizeof(*b));
		make(b, in);
		try(eax_paths[i], b, right, in);
	}
	free(b);
	free(right);
	return 0;
}
