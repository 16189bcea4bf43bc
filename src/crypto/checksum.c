/* SPDX-License-Identifier: MIT */
#include "crypto/checksum.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "base/mem.h"

struct checksum {
	EVP_MD_CTX *ctx;
};

static const struct {
	const char *name;
	size_t size;
	const EVP_MD *(*md)(void);
} kinds[] = {
	[CHECKSUM_NONE] = { "", 0, NULL },
	[CHECKSUM_SHA1] = { "sha1", 20, EVP_sha1 },
	[CHECKSUM_SHA256] = { "sha256", 32, EVP_sha256 },
};

enum checksum_kind
checksum_of_name(struct slice name)
{
	for (size_t i = CHECKSUM_SHA1; i < sizeof(kinds) / sizeof(kinds[0]);
	     i++)
		if (slice_eq_str(name, kinds[i].name))
			return (enum checksum_kind)i;
	return CHECKSUM_NONE;
}

size_t
checksum_size(enum checksum_kind kind)
{
	return kinds[kind].size;
}

/* libcrypto's calls fail for want of memory only: then we end, as mem_*() do.
 */
struct checksum *
checksum_new(enum checksum_kind kind)
{
	struct checksum *c = mem_calloc(1, sizeof(*c));

	c->ctx = EVP_MD_CTX_new();
	if (c->ctx == NULL ||
	    EVP_DigestInit_ex(c->ctx, kinds[kind].md(), NULL) != 1)
		mem_exhausted();
	return c;
}

void
checksum_add(struct checksum *c, const void *p, size_t n)
{
	(void)EVP_DigestUpdate(c->ctx, p, n);
}

void
checksum_final(struct checksum *c, unsigned char ret[CHECKSUM_MAX_SIZE])
{
	(void)EVP_DigestFinal_ex(c->ctx, ret, NULL);
}

void
checksum_free(struct checksum *c)
{
	if (c == NULL)
		return;
	EVP_MD_CTX_free(c->ctx);
	free(c);
}
