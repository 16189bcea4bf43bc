/* SPDX-License-Identifier: MIT */
#include "crypto/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "crypto/sha256.h"

struct entry {
	unsigned char id[KEYRING_ID_SIZE];
	struct eax_key *key;
};

/* The first entry is the current key. */
struct keyring {
	size_t count;
	struct entry entries[1 + KEYRING_PREVIOUS_MAX];
};

void
keyring_id(
    const unsigned char key[EAX_KEY_SIZE], unsigned char ret[KEYRING_ID_SIZE])
{
	static const char label[] = "sft master key id";
	unsigned char digest[SHA256_SIZE];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, label, sizeof(label) - 1);
	sha256_update(&s, key, EAX_KEY_SIZE);
	sha256_final(&s, digest);
	memcpy(ret, digest, KEYRING_ID_SIZE);
	mem_wipe(&s, sizeof(s));
}

static void
put(struct keyring *ring, const unsigned char key[EAX_KEY_SIZE])
{
	struct entry *e = &ring->entries[ring->count++];

	keyring_id(key, e->id);
	e->key = eax_key_new(key);
}

struct keyring *
keyring_new(const unsigned char current[EAX_KEY_SIZE])
{
	struct keyring *ring = mem_calloc(1, sizeof(*ring));

	put(ring, current);
	return ring;
}

void
keyring_free(struct keyring *ring)
{
	if (ring == NULL)
		return;
	for (size_t i = 0; i < ring->count; i++)
		eax_key_free(ring->entries[i].key);
	free(ring);
}

int
keyring_add(struct keyring *ring, const unsigned char key[EAX_KEY_SIZE],
    struct err *err)
{
	unsigned char id[KEYRING_ID_SIZE];

	keyring_id(key, id);
	if (keyring_find(ring, id) != NULL)
		return 0;
	if (ring->count == 1 + KEYRING_PREVIOUS_MAX)
		return err_set(err, ERR_SETTING,
		    "there are more than %d previous encryption keys: run "
		    "'sftd rotate-key', after which none is needed",
		    KEYRING_PREVIOUS_MAX);
	put(ring, key);
	return 0;
}

const unsigned char *
keyring_current_id(const struct keyring *ring)
{
	return ring->entries[0].id;
}

const struct eax_key *
keyring_current(const struct keyring *ring)
{
	return ring->entries[0].key;
}

const struct eax_key *
keyring_find(
    const struct keyring *ring, const unsigned char id[KEYRING_ID_SIZE])
{
	for (size_t i = 0; i < ring->count; i++)
		if (memcmp(ring->entries[i].id, id, KEYRING_ID_SIZE) == 0)
			return ring->entries[i].key;
	return NULL;
}

int
keyring_parse(
    struct slice text, unsigned char ret[EAX_KEY_SIZE], struct err *err)
{
	size_t n;

	if (text.n == EAX_KEY_SIZE) {
		memcpy(ret, text.p, EAX_KEY_SIZE);
		return 0;
	}
	if (text.n == 2 * EAX_KEY_SIZE && hex_decode(text, ret, EAX_KEY_SIZE))
		return 0;
	if (base64_decode(text, ret, EAX_KEY_SIZE, &n) && n == EAX_KEY_SIZE)
		return 0;
	return err_set(err, ERR_SETTING,
	    "an encryption key is 16 characters, 32 hexadecimal digits or the "
	    "base64 of 16 bytes; this one is none of them");
}
