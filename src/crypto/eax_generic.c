/* SPDX-License-Identifier: MIT */

/*
 * EAX from libcrypto's CTR and CMAC: the reference that the other paths are
 * held against, and what runs where the processor has no instructions for
 * AES.  Contexts are made for each message: libcrypto's may not be shared.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "crypto/eax_priv.h"

/* EVP counts in int. */
#define EVP_PIECE ((size_t)1 << 30)

struct eax_stream {
	EVP_CIPHER_CTX *ctr;
	EVP_MAC_CTX *mac;               /* OMAC2, over what is encrypted */
	unsigned char outer[EAX_BLOCK]; /* OMAC0(nonce) xor OMAC1(header) */
	bool is_opening;
};

/* libcrypto fails here only when there is no memory, or no AES in it. */
static void
must(bool ok)
{
	if (!ok)
		mem_exhausted();
}

static void
xor_block(unsigned char *a, const unsigned char *b)
{
	for (int i = 0; i < EAX_BLOCK; i++)
		a[i] ^= b[i];
}

/* --- the key -------------------------------------------------------------- */

static bool
is_supported(void)
{
	return true;
}

/* The schedule is libcrypto's own affair: round[1] and on stay 0. */
static void
expand(struct eax_key *k)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char in[3][EAX_BLOCK] = { { 0 } }, out[3][EAX_BLOCK];
	int n;

	in[1][EAX_BLOCK - 1] = 1;
	in[2][EAX_BLOCK - 1] = 2;
	must(ctx != NULL &&
	     EVP_EncryptInit_ex2(
	         ctx, EVP_aes_128_ecb(), k->round[0], NULL, NULL) == 1 &&
	     EVP_EncryptUpdate(ctx, out[0], &n, in[0], sizeof(in)) == 1);
	EVP_CIPHER_CTX_free(ctx);
	memcpy(k->omac, out, sizeof(k->omac));
	eax_double(k->omac[0], k->l2);
	eax_double(k->l2, k->l4);
	mem_wipe(out, sizeof(out));
}

/* --- the parts ------------------------------------------------------------ */

static EVP_MAC *
fetch_cmac(void)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);

	must(mac != NULL);
	return mac;
}

/* OMAC${tweak}, begun. */
static EVP_MAC_CTX *
omac_new(EVP_MAC *cmac, const struct eax_key *k, unsigned char tweak)
{
	char cipher[] = "AES-128-CBC";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end(),
	};
	unsigned char block[EAX_BLOCK] = { 0 };
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(cmac);

	block[EAX_BLOCK - 1] = tweak;
	must(ctx != NULL &&
	     EVP_MAC_init(ctx, k->round[0], EAX_KEY_SIZE, params) == 1 &&
	     EVP_MAC_update(ctx, block, sizeof(block)) == 1);
	return ctx;
}

static void
omac_final(EVP_MAC_CTX *ctx, unsigned char ret[EAX_BLOCK])
{
	size_t n;

	must(EVP_MAC_final(ctx, ret, &n, EAX_BLOCK) == 1);
}

static void
omac(EVP_MAC_CTX *ctx, const unsigned char *p, size_t n,
    unsigned char ret[EAX_BLOCK])
{
	must(n == 0 || EVP_MAC_update(ctx, p, n) == 1);
	omac_final(ctx, ret);
	EVP_MAC_CTX_free(ctx);
}

/* --- a message in pieces -------------------------------------------------- */

struct eax_stream *
eax_stream_new(const struct eax_stream_config *cf)
{
	struct eax_stream *s = mem_calloc(1, sizeof(*s));
	unsigned char nonce_mac[EAX_BLOCK], header_mac[EAX_BLOCK];
	EVP_MAC *cmac = fetch_cmac();

	s->is_opening = cf->is_opening;
	omac(omac_new(cmac, cf->key, 0), cf->nonce, EAX_NONCE_SIZE, nonce_mac);
	omac(omac_new(cmac, cf->key, 1), cf->header, cf->header_n, header_mac);
	s->mac = omac_new(cmac, cf->key, 2);
	s->ctr = EVP_CIPHER_CTX_new();
	must(s->ctr != NULL && EVP_EncryptInit_ex2(s->ctr, EVP_aes_128_ctr(),
	                           cf->key->round[0], nonce_mac, NULL) == 1);
	memcpy(s->outer, nonce_mac, EAX_BLOCK);
	xor_block(s->outer, header_mac);
	EVP_MAC_free(cmac);
	return s;
}

static void
update_piece(
    struct eax_stream *s, const unsigned char *in, unsigned char *out, size_t n)
{
	int done;

	if (s->is_opening)
		must(EVP_MAC_update(s->mac, in, n) == 1);
	must(EVP_EncryptUpdate(s->ctr, out, &done, in, (int)n) == 1);
	if (!s->is_opening)
		must(EVP_MAC_update(s->mac, out, n) == 1);
}

void
eax_stream_update(
    struct eax_stream *s, const unsigned char *in, unsigned char *out, size_t n)
{
	while (n > 0) {
		size_t piece = n < EVP_PIECE ? n : EVP_PIECE;

		update_piece(s, in, out, piece);
		in += piece;
		out += piece;
		n -= piece;
	}
}

void
eax_stream_tag(struct eax_stream *s, unsigned char ret[EAX_TAG_SIZE])
{
	omac_final(s->mac, ret);
	xor_block(ret, s->outer);
}

bool
eax_stream_check(struct eax_stream *s, const unsigned char tag[EAX_TAG_SIZE])
{
	unsigned char right[EAX_TAG_SIZE];
	bool ok;

	eax_stream_tag(s, right);
	ok = CRYPTO_memcmp(right, tag, EAX_TAG_SIZE) == 0;
	mem_wipe(right, sizeof(right));
	return ok;
}

void
eax_stream_free(struct eax_stream *s)
{
	if (s == NULL)
		return;
	EVP_CIPHER_CTX_free(s->ctr);
	EVP_MAC_CTX_free(s->mac);
	mem_wipe(s, sizeof(*s));
	free(s);
}

/* --- whole messages ------------------------------------------------------- */

static struct eax_stream *
begin(const struct eax_key *k, const struct eax_message *m, bool is_opening)
{
	struct eax_stream_config cf = {
		.key = k,
		.nonce = m->nonce,
		.header = m->header,
		.header_n = m->header_n,
		.is_opening = is_opening,
	};

	return eax_stream_new(&cf);
}

static void
seal(const struct eax_key *k, const struct eax_message *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct eax_stream *s = begin(k, &m[i], false);

		eax_stream_update(s, m[i].in, m[i].out, m[i].n);
		eax_stream_tag(s, m[i].tag);
		eax_stream_free(s);
	}
}

static void
open_all(const struct eax_key *k, const struct eax_message *m, size_t count,
    bool *ret_authentic)
{
	for (size_t i = 0; i < count; i++) {
		struct eax_stream *s = begin(k, &m[i], true);

		eax_stream_update(s, m[i].in, m[i].out, m[i].n);
		ret_authentic[i] = eax_stream_check(s, m[i].tag);
		eax_stream_free(s);
		if (!ret_authentic[i])
			mem_wipe(m[i].out, m[i].n);
	}
}

const struct eax_path eax_path_generic = {
	.name = "generic",
	.is_supported = is_supported,
	.expand = expand,
	.seal = seal,
	.open = open_all,
};
