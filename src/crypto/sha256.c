/* SPDX-License-Identifier: MIT */
#include "crypto/sha256.h"

#include <string.h>

/*
 * The low-level calls: their context is plain numbers, so a state can be
 * copied and, later, kept across a restart; EVP's is opaque.  They run the
 * same assembly at the same speed.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256) &&
                   _Alignof(SHA256_CTX) <= _Alignof(struct sha256),
    "a context must fit");
_Static_assert(SHA256_SIZE == SHA256_DIGEST_LENGTH, "of libcrypto's size");

static SHA256_CTX *
context(struct sha256 *s)
{
	return (SHA256_CTX *)(void *)s->opaque;
}

/* These fail for a null context only. */
void
sha256_init(struct sha256 *s)
{
	(void)SHA256_Init(context(s));
}

void
sha256_save(const struct sha256 *s, struct sha256_state *ret)
{
	const SHA256_CTX *c = (const SHA256_CTX *)(const void *)s->opaque;
	uint64_t bits = (uint64_t)c->Nh << 32 | c->Nl;

	memcpy(ret->h, c->h, sizeof(ret->h));
	ret->n = bits / 8 - c->num;
}

void
sha256_resume(struct sha256 *s, const struct sha256_state *state)
{
	SHA256_CTX *c = context(s);
	uint64_t bits = state->n * 8;

	(void)SHA256_Init(c);
	memcpy(c->h, state->h, sizeof(state->h));
	c->Nl = (SHA_LONG)bits;
	c->Nh = (SHA_LONG)(bits >> 32);
}

void
sha256_update(struct sha256 *s, const void *p, size_t n)
{
	(void)SHA256_Update(context(s), p, n);
}

void
sha256_final(struct sha256 *s, unsigned char ret[SHA256_SIZE])
{
	(void)SHA256_Final(ret, context(s));
}

void
sha256(const void *p, size_t n, unsigned char ret[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, p, n);
	sha256_final(&s, ret);
}
