/* SPDX-License-Identifier: MIT */
#include "crypto/seal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/rand.h"

/* The header's fields. */
#define FIXED 16 /* what every container of this version begins with */
#define AT_KEY_ID 16
#define AT_WRAP_NONCE 32
#define AT_WRAPPED_KEY 48
#define AT_WRAP_TAG 64
/* What the wrapping of the data key authenticates. */
#define WRAP_HEADER 32

/* A segment's header: FIXED bytes, index, last. */
#define SEGMENT_HEADER (FIXED + 8 + 1)
/* Segments that are computed in one call: more than any machine has lanes. */
#define BATCH 32

struct seal {
	_Atomic unsigned owners;
	struct eax_key *key;
	unsigned char header[SEAL_HEADER_SIZE];
};

static const unsigned char fixed[FIXED] = { 'S', 'F', 'T', 'S', 'E', 'A', 'L',
	'1', 1, 1, 0, 0, 0, 1, 0, 0 };

/* --- arithmetic ----------------------------------------------------------- */

uint64_t
seal_segments(uint64_t plain)
{
	return plain == 0 ? 1 : (plain + SEAL_SEGMENT - 1) / SEAL_SEGMENT;
}

uint64_t
seal_offset(uint64_t index)
{
	return SEAL_HEADER_SIZE + index * SEAL_STEP;
}

uint64_t
seal_run_size(uint64_t n)
{
	return n + seal_segments(n) * SEAL_OVERHEAD;
}

uint64_t
seal_size(uint64_t plain)
{
	return SEAL_HEADER_SIZE + seal_run_size(plain);
}

bool
seal_plain_size(uint64_t size, uint64_t *ret_plain)
{
	uint64_t whole, rest;

	if (size < SEAL_HEADER_SIZE + SEAL_OVERHEAD)
		return false;
	size -= SEAL_HEADER_SIZE;
	whole = size / SEAL_STEP;
	rest = size % SEAL_STEP;
	/* An empty segment is the only one of an empty file. */
	if (rest == 0 || (rest == SEAL_OVERHEAD && whole == 0)) {
		*ret_plain = whole * SEAL_SEGMENT;
		return true;
	}
	if (rest <= SEAL_OVERHEAD)
		return false;
	*ret_plain = whole * SEAL_SEGMENT + rest - SEAL_OVERHEAD;
	return true;
}

/* --- the header ----------------------------------------------------------- */

static void
wrap(const struct keyring *ring, const unsigned char key[EAX_KEY_SIZE],
    unsigned char *header)
{
	const struct eax_message m = {
		.nonce = header + AT_WRAP_NONCE,
		.header = header,
		.header_n = WRAP_HEADER,
		.in = key,
		.out = header + AT_WRAPPED_KEY,
		.n = EAX_KEY_SIZE,
		.tag = header + AT_WRAP_TAG,
	};

	memcpy(header + AT_KEY_ID, keyring_current_id(ring), KEYRING_ID_SIZE);
	eax_seal(keyring_current(ring), &m, 1);
}

static int
key_missing(const unsigned char *id, struct err *err)
{
	char hex[KEYRING_ID_HEX_SIZE];

	hex_encode(id, KEYRING_ID_SIZE, hex);
	return err_set(err, ERR_KEY_MISSING,
	    "the master key with the id %s is missing: put it into "
	    "ENCRYPTION_KEY_PREVIOUS",
	    hex);
}

static int
unwrap(const struct keyring *ring, const unsigned char *header,
    unsigned char ret_key[EAX_KEY_SIZE], struct err *err)
{
	const struct eax_key *master;
	unsigned char tag[EAX_TAG_SIZE];
	const struct eax_message m = {
		.nonce = header + AT_WRAP_NONCE,
		.header = header,
		.header_n = WRAP_HEADER,
		.in = header + AT_WRAPPED_KEY,
		.out = ret_key,
		.n = EAX_KEY_SIZE,
		.tag = tag,
	};

	if (memcmp(header, fixed, FIXED) != 0)
		return err_set(err, ERR_DECRYPTION_FAILED,
		    "the stored bytes do not begin as an encrypted file does");
	master = keyring_find(ring, header + AT_KEY_ID);
	if (master == NULL)
		return key_missing(header + AT_KEY_ID, err);
	memcpy(tag, header + AT_WRAP_TAG, EAX_TAG_SIZE);
	if (eax_open(master, &m, 1) != 1)
		return err_set(err, ERR_DECRYPTION_FAILED,
		    "the stored key of the file is damaged");
	return 0;
}

static struct seal *
make(void)
{
	struct seal *s = mem_calloc(1, sizeof(*s));

	atomic_init(&s->owners, 1);
	return s;
}

struct seal *
seal_new(const struct keyring *ring)
{
	struct seal *s = make();
	/* the wrapping's nonce and the data key, in one call */
	unsigned char fresh[EAX_NONCE_SIZE + EAX_KEY_SIZE];
	const unsigned char *key = fresh + EAX_NONCE_SIZE;

	rand_bytes(fresh, sizeof(fresh));
	memcpy(s->header, fixed, FIXED);
	memcpy(s->header + AT_WRAP_NONCE, fresh, EAX_NONCE_SIZE);
	wrap(ring, key, s->header);
	s->key = eax_key_new(key);
	mem_wipe(fresh, sizeof(fresh));
	return s;
}

int
seal_open(const struct keyring *ring,
    const unsigned char header[SEAL_HEADER_SIZE], struct seal **ret_seal,
    struct err *err)
{
	unsigned char key[EAX_KEY_SIZE];
	struct seal *s;

	if (unwrap(ring, header, key, err) < 0)
		return -1;
	s = make();
	memcpy(s->header, header, SEAL_HEADER_SIZE);
	s->key = eax_key_new(key);
	mem_wipe(key, sizeof(key));
	*ret_seal = s;
	return 0;
}

struct seal *
seal_share(struct seal *s)
{
	atomic_fetch_add(&s->owners, 1);
	return s;
}

void
seal_free(struct seal *s)
{
	if (s == NULL || atomic_fetch_sub(&s->owners, 1) > 1)
		return;
	eax_key_free(s->key);
	free(s);
}

void
seal_header(const struct seal *s, unsigned char ret[SEAL_HEADER_SIZE])
{
	memcpy(ret, s->header, SEAL_HEADER_SIZE);
}

const unsigned char *
seal_key_id(const unsigned char header[SEAL_HEADER_SIZE])
{
	return header + AT_KEY_ID;
}

int
seal_rewrap(const struct keyring *ring, unsigned char header[SEAL_HEADER_SIZE],
    struct err *err)
{
	unsigned char key[EAX_KEY_SIZE];

	if (unwrap(ring, header, key, err) < 0)
		return -1;
	rand_bytes(header + AT_WRAP_NONCE, EAX_NONCE_SIZE);
	wrap(ring, key, header);
	mem_wipe(key, sizeof(key));
	return 0;
}

/* --- segments ------------------------------------------------------------- */

static void
put_u64(uint64_t v, unsigned char *ret)
{
	for (int i = 0; i < 8; i++)
		ret[i] = (unsigned char)(v >> (56 - 8 * i));
}

/* What is authenticated of one beside its text. */
static void
segment_header(uint64_t index, bool is_last, unsigned char *ret)
{
	memcpy(ret, fixed, FIXED);
	put_u64(index, ret + FIXED);
	ret[FIXED + 8] = is_last ? 1 : 0;
}

/* At most BATCH segments. */
static size_t
seal_batch(const struct seal *s, const struct seal_run *run, unsigned char *out)
{
	unsigned char headers[BATCH][SEGMENT_HEADER];
	unsigned char nonces[BATCH][EAX_NONCE_SIZE];
	struct eax_message m[BATCH];
	const unsigned char *in = run->plain;
	size_t count = (size_t)seal_segments(run->n), left = run->n;
	unsigned char *at = out;

	rand_bytes(nonces, count * EAX_NONCE_SIZE);
	for (size_t i = 0; i < count; i++) {
		size_t n = left < SEAL_SEGMENT ? left : SEAL_SEGMENT;

		segment_header(
		    run->first + i, run->is_last && i + 1 == count, headers[i]);
		memcpy(at, nonces[i], EAX_NONCE_SIZE);
		m[i] = (struct eax_message){
			.nonce = at,
			.header = headers[i],
			.header_n = SEGMENT_HEADER,
			.in = in,
			.out = at + EAX_NONCE_SIZE,
			.n = n,
			.tag = at + EAX_NONCE_SIZE + n,
		};
		at += n + SEAL_OVERHEAD;
		in += n;
		left -= n;
	}
	eax_seal(s->key, m, count);
	return (size_t)(at - out);
}

size_t
seal_run(const struct seal *s, const struct seal_run *run, void *out)
{
	struct seal_run rest = *run;
	unsigned char *at = out;

	assert(run->is_last || run->n % SEAL_SEGMENT == 0);
	while (rest.n > BATCH * SEAL_SEGMENT) {
		struct seal_run one = rest;

		one.n = BATCH * SEAL_SEGMENT;
		one.is_last = false;
		at += seal_batch(s, &one, at);
		rest.first += BATCH;
		rest.plain = (const char *)rest.plain + one.n;
		rest.n -= one.n;
	}
	if (rest.n > 0 || run->is_last)
		at += seal_batch(s, &rest, at);
	return (size_t)(at - (unsigned char *)out);
}

static size_t
open_batch(const struct seal *s, const struct seal_opening *o)
{
	unsigned char headers[BATCH][SEGMENT_HEADER];
	struct eax_message m[BATCH];

	for (size_t i = 0; i < o->count; i++) {
		struct seal_segment *g = &o->segments[i];

		segment_header(
		    o->first + i, o->is_last && i + 1 == o->count, headers[i]);
		m[i] = (struct eax_message){
			.nonce = g->nonce,
			.header = headers[i],
			.header_n = SEGMENT_HEADER,
			.in = g->text,
			.out = g->text,
			.n = g->n,
			.tag = g->tag,
		};
	}
	return eax_open(s->key, m, o->count);
}

size_t
seal_open_run(const struct seal *s, const struct seal_opening *o)
{
	size_t good = 0;

	for (size_t done = 0; done < o->count;) {
		struct seal_opening one = *o;
		size_t n;

		one.first += done;
		one.segments += done;
		one.count = o->count - done < BATCH ? o->count - done : BATCH;
		one.is_last = o->is_last && done + one.count == o->count;
		n = open_batch(s, &one);
		if (good == done)
			good += n;
		done += one.count;
	}
	return good;
}

/* --- notes ---------------------------------------------------------------- */

#define NOTE_HEADER_MAX (SEAL_NOTE_LABEL + SEAL_NOTE_OWNER + 8)

static size_t
note_header(const struct seal_note *note, unsigned char ret[NOTE_HEADER_MAX])
{
	size_t n = strlen(note->owner);

	assert(strlen(note->label) == SEAL_NOTE_LABEL && n <= SEAL_NOTE_OWNER);
	memcpy(ret, note->label, SEAL_NOTE_LABEL);
	memcpy(ret + SEAL_NOTE_LABEL, note->owner, n);
	put_u64(note->position, ret + SEAL_NOTE_LABEL + n);
	return SEAL_NOTE_LABEL + n + 8;
}

void
seal_note(const struct seal *s, const struct seal_note *note, const void *p,
    size_t n, void *out)
{
	unsigned char header[NOTE_HEADER_MAX];
	unsigned char *o = out;
	const struct eax_message m = {
		.nonce = o,
		.header = header,
		.header_n = note_header(note, header),
		.in = p,
		.out = o + EAX_NONCE_SIZE,
		.n = n,
		.tag = o + EAX_NONCE_SIZE + n,
	};

	rand_bytes(o, EAX_NONCE_SIZE);
	eax_seal(s->key, &m, 1);
}

int
seal_note_open(const struct seal *s, const struct seal_note *note,
    struct slice sealed, void *out, struct err *err)
{
	const unsigned char *p = (const unsigned char *)sealed.p;
	unsigned char header[NOTE_HEADER_MAX];
	unsigned char tag[EAX_TAG_SIZE];
	struct eax_message m = {
		.nonce = p,
		.header = header,
		.header_n = note_header(note, header),
		.in = p + EAX_NONCE_SIZE,
		.out = out,
		.tag = tag,
	};

	if (sealed.n >= SEAL_OVERHEAD) {
		m.n = sealed.n - SEAL_OVERHEAD;
		memcpy(tag, p + EAX_NONCE_SIZE + m.n, sizeof(tag));
		if (eax_open(s->key, &m, 1) == 1)
			return 0;
	}
	return err_set(err, ERR_DECRYPTION_FAILED,
	    "what was noted about an encrypted upload is damaged");
}
