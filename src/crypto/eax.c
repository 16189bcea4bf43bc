/* SPDX-License-Identifier: MIT */
#include "crypto/eax.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/eax_priv.h"
#include "crypto/vault.h"

/* Opened at a time: their verdicts stand on the stack. */
#define OPEN_BATCH 64

const struct eax_path *const eax_paths[] = {
#if defined(__x86_64__)
	&eax_path_vaes512,
	&eax_path_vaes256,
	&eax_path_aesni,
#endif
	&eax_path_generic,
	NULL,
};

/* Chosen once, by choose_once(). */
static const struct eax_path *path;
static pthread_once_t path_once = PTHREAD_ONCE_INIT;

void
eax_double(const unsigned char in[EAX_BLOCK], unsigned char out[EAX_BLOCK])
{
	unsigned carry = in[0] >> 7;

	for (int i = 0; i < EAX_BLOCK - 1; i++)
		out[i] = (unsigned char)((in[i] << 1) | (in[i + 1] >> 7));
	out[EAX_BLOCK - 1] =
	    (unsigned char)(((unsigned)in[EAX_BLOCK - 1] << 1) ^
	                    (0x87u & (0u - carry)));
}

/* "vaes" allows vaes512 and vaes256. */
static bool
is_allowed(const struct eax_path *p, const char *wish)
{
	return wish == NULL || *wish == '\0' ||
	       strncmp(p->name, wish, strlen(wish)) == 0;
}

const struct eax_path *
eax_path_choose(const char *wish)
{
	for (size_t i = 0; eax_paths[i] != NULL; i++)
		if (is_allowed(eax_paths[i], wish) &&
		    eax_paths[i]->is_supported())
			return eax_paths[i];
	return &eax_path_generic;
}

static void
choose_once(void)
{
	path = eax_path_choose(getenv("SFT_CPU"));
}

static const struct eax_path *
chosen(void)
{
	(void)pthread_once(&path_once, choose_once);
	return path;
}

const char *
eax_path_name(void)
{
	return chosen()->name;
}

struct eax_key *
eax_key_new(const unsigned char key[EAX_KEY_SIZE])
{
	struct eax_key *k = vault_take(sizeof(*k));

	memcpy(k->round[0], key, EAX_KEY_SIZE);
	chosen()->expand(k);
	return k;
}

void
eax_key_free(struct eax_key *key)
{
	vault_give(key);
}

void
eax_seal(
    const struct eax_key *key, const struct eax_message *messages, size_t count)
{
	chosen()->seal(key, messages, count);
}

static size_t
authentic_at_front(const bool *authentic, size_t count)
{
	size_t i = 0;

	while (i < count && authentic[i])
		i++;
	return i;
}

size_t
eax_open(
    const struct eax_key *key, const struct eax_message *messages, size_t count)
{
	bool authentic[OPEN_BATCH];
	size_t good = 0;

	for (size_t i = 0; i < count;) {
		size_t n = count - i < OPEN_BATCH ? count - i : OPEN_BATCH;

		chosen()->open(key, messages + i, n, authentic);
		if (good == i)
			good += authentic_at_front(authentic, n);
		i += n;
	}
	return good;
}
