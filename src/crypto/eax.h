/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_EAX_H
#define CRYPTO_EAX_H

/*
 * AES-128-EAX (Bellare, Rogaway, Wagner, "The EAX Mode of Operation", 2004):
 * encryption with a 16-byte nonce, a header that is authenticated only, and a
 * 16-byte tag.
 *
 *   N = OMAC0(nonce)   C = CTR(N, plaintext)
 *   tag = N xor OMAC1(header) xor OMAC2(C)
 *
 * One message is bound by the latency of its CBC-MAC chain, so many are
 * computed at once, each in a lane of its own (eax_seal, eax_open).  How many
 * lanes there are depends on the machine and is chosen once, at the first
 * use; the environment variable SFT_CPU (generic, aesni, vaes) forces a path
 * for tests.  The generic path is libcrypto's; all give the same bytes, and
 * none branches or indexes by what is secret.
 *
 * Every function may be called from any thread; a key may be used by many at
 * once.
 */

#include <stdbool.h>
#include <stddef.h>

#define EAX_KEY_SIZE 16
#define EAX_NONCE_SIZE 16
#define EAX_TAG_SIZE 16

/* An expanded key, in locked memory (crypto/vault.h). */
struct eax_key;
struct eax_key *eax_key_new(const unsigned char key[EAX_KEY_SIZE]);
/* Wipes it. NULL is fine. */
void eax_key_free(struct eax_key *key);

/*
 * One message.  All is borrowed.  ${in} and ${out} are of ${n} bytes, and
 * the same or apart (not overlapping otherwise); the buffers of different
 * messages are apart.
 */
struct eax_message {
	const unsigned char *nonce;
	const unsigned char *header; /* NULL when header_n is 0 */
	size_t header_n;
	const unsigned char *in;
	unsigned char *out;
	size_t n;
	unsigned char *tag; /* written by eax_seal(), read by eax_open() */
};

/* Encrypts ${count} messages and makes their tags. */
void eax_seal(const struct eax_key *key, const struct eax_message *messages,
    size_t count);
/*
 * Decrypts ${count} messages and checks their tags, in constant time.
 * Returns how many at the front are authentic; the output of every other one,
 * up to the last, is wiped.
 */
size_t eax_open(const struct eax_key *key, const struct eax_message *messages,
    size_t count);
/* "generic", "aesni", "vaes256" or "vaes512": the path in use. */
const char *eax_path_name(void);

/*
 * One message in pieces, by libcrypto.  The header first, all of it at once.
 * When opening, what comes out is not authentic until eax_stream_check() has
 * said so: keep it to yourself until then.
 */
struct eax_stream;
struct eax_stream_config {
	const struct eax_key *key; /* need not outlive eax_stream_new() */
	const unsigned char *nonce;
	const unsigned char *header;
	size_t header_n;
	bool is_opening;
};
struct eax_stream *eax_stream_new(const struct eax_stream_config *cf);
void eax_stream_update(struct eax_stream *s, const unsigned char *in,
    unsigned char *out, size_t n);
/* Ends a stream that seals. */
void eax_stream_tag(struct eax_stream *s, unsigned char ret[EAX_TAG_SIZE]);
/* Ends a stream that opens: is ${tag} the right one? */
bool eax_stream_check(
    struct eax_stream *s, const unsigned char tag[EAX_TAG_SIZE]);
void eax_stream_free(struct eax_stream *s); /* NULL is fine */

#endif
