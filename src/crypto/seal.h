/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

/*
 * The encrypted container (docs/format.md): how a sealed file lies in storage.
 * All integers are big-endian.
 *
 *   offset  size  field
 *        0     8  magic "SFTSEAL1"
 *        8     1  version 1
 *        9     1  suite 1: AES-128-EAX
 *       10     2  reserved 0
 *       12     4  segment_size 65536
 *       16    16  key_id        of the master key (crypto/keyring.h)
 *       32    16  wrap_nonce
 *       48    16  wrapped_key   the data key, EAX under the master key with
 *       64    16  wrap_tag      bytes 0..31 as header
 *       80        segments, each
 *                   nonce 16 || ciphertext n || tag 16
 *                 EAX under the data key with bytes 0..15 || u64(index) ||
 *                 u8(is it the last) as header; n = 65536 but for the last,
 *                 which has 1..65536, or 0 when the file is empty
 *
 * Every write of a segment takes a fresh random nonce, so one that is written
 * again with other bytes repeats none.
 *
 * A struct seal is one container's data key.  Constant: any thread, many at
 * once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "crypto/keyring.h"

#define SEAL_HEADER_SIZE 80
#define SEAL_SEGMENT ((size_t)65536)
#define SEAL_OVERHEAD ((size_t)32) /* a segment's nonce and tag */
#define SEAL_STEP (SEAL_SEGMENT + SEAL_OVERHEAD)
/* The largest plaintext: more than any file system stores, and no sum of
 * sizes overflows. */
#define SEAL_PLAIN_MAX ((uint64_t)1 << 62)

/* --- arithmetic ----------------------------------------------------------- */

/* Segments of a file of ${plain} bytes (at most SEAL_PLAIN_MAX): at least 1. */
uint64_t seal_segments(uint64_t plain);
/* Where segment ${index} begins in the container. */
uint64_t seal_offset(uint64_t index);
/* The container's size. */
uint64_t seal_size(uint64_t plain);
/* The plaintext's size; false when no container has this size. */
bool seal_plain_size(uint64_t size, uint64_t *ret_plain);
/* Bytes that ${n} > 0 bytes of plaintext, from a segment's begin on, take in
 * the container. */
uint64_t seal_run_size(uint64_t n);

/* --- a container ---------------------------------------------------------- */

struct seal;

/* A new data key, wrapped under the current master key. */
struct seal *seal_new(const struct keyring *ring);
/* The one that ${header} holds.  ERR_KEY_MISSING (the message names the id),
 * ERR_DECRYPTION_FAILED (altered, or no header of ours). */
int seal_open(const struct keyring *ring,
    const unsigned char header[SEAL_HEADER_SIZE], struct seal **ret_seal,
    struct err *err);
/* Another owner, who has to seal_free() it, too. */
struct seal *seal_share(struct seal *s);
void seal_free(struct seal *s); /* the last wipes; NULL is fine */
void seal_header(const struct seal *s, unsigned char ret[SEAL_HEADER_SIZE]);

/* Whose key a header is wrapped under: KEYRING_ID_SIZE bytes in it. */
const unsigned char *seal_key_id(const unsigned char header[SEAL_HEADER_SIZE]);
/* The same data key wrapped under the current master key, with a fresh nonce;
 * only bytes 16..79 change.  Errors as seal_open(). */
int seal_rewrap(const struct keyring *ring,
    unsigned char header[SEAL_HEADER_SIZE], struct err *err);

/* --- segments ------------------------------------------------------------- */

/*
 * A run of segments that follow one another.  Only the file's last may be
 * shorter than SEAL_SEGMENT: ${n} is a multiple of it unless ${is_last}, and
 * 0 only for an empty file.
 */
struct seal_run {
	uint64_t first; /* index of its first segment */
	bool is_last;   /* it ends with the file's last */
	const void *plain;
	size_t n;
};
/* Writes the run as it lies at seal_offset(first); how many bytes these are
 * (seal_run_size(n), SEAL_OVERHEAD for n = 0).  ${out} is apart from
 * ${plain}. */
size_t seal_run(const struct seal *s, const struct seal_run *run, void *out);

/* A stored segment in pieces: ciphertext in place of which the plaintext
 * comes. */
struct seal_segment {
	unsigned char nonce[EAX_NONCE_SIZE];
	unsigned char tag[EAX_TAG_SIZE];
	unsigned char *text;
	size_t n;
};
/*
 * Opens ${count} segments in place, ${first} the index of the first;
 * ${is_last}: the last of them is the file's.  Returns how many at the front
 * are authentic; the text of the others is wiped.
 */
struct seal_opening {
	uint64_t first;
	bool is_last;
	struct seal_segment *segments;
	size_t count;
};
size_t seal_open_run(const struct seal *s, const struct seal_opening *o);

/* --- notes ---------------------------------------------------------------- */

/*
 * A few bytes that belong to a container and lie outside it, under its data
 * key: nonce 16 || ciphertext n || tag 16, EAX with label 8 || owner ||
 * u64(position) as header.  No label is a segment's, so no note can pass for
 * one.
 */
struct seal_note {
	const char *label; /* SEAL_NOTE_LABEL characters: what it is */
	const char *owner; /* whose it is, at most SEAL_NOTE_OWNER characters */
	uint64_t position; /* which of the owner's it is */
};
#define SEAL_NOTE_LABEL 8
#define SEAL_NOTE_OWNER 64
/* Writes ${n} + SEAL_OVERHEAD bytes. */
void seal_note(const struct seal *s, const struct seal_note *note,
    const void *p, size_t n, void *out);
/* ${n} bytes at ${sealed} give ${n} - SEAL_OVERHEAD.  ERR_DECRYPTION_FAILED. */
int seal_note_open(const struct seal *s, const struct seal_note *note,
    struct slice sealed, void *out, struct err *err);

#endif
