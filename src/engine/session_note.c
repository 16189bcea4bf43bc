/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "engine/session_priv.h"

/*
 * What is noted of a sealed session says nothing about its plaintext to who
 * reads the database: hashes of known content could be recognised, so they are
 * sealed, too (rules 10 and 11).
 */
#define TAIL "SFTTAIL1"
#define HASH "SFTHASH1"
#define CHUNK "SFTCHNK1"

/* A sha256_state as it is kept: h, big-endian. */
#define STATE_SIZE ((size_t)32)

/* --- text of bytes, sealed or not ----------------------------------------- */

static char *
encode(const struct session *s, const struct seal_note *note, const void *p,
    size_t n)
{
	size_t stored = s->seal == NULL ? n : n + SEAL_OVERHEAD;
	unsigned char *bytes = mem_alloc(stored);
	char *text = mem_alloc(BASE64_SIZE(stored));

	if (s->seal == NULL)
		memcpy(bytes, p, n);
	else
		seal_note(s->seal, note, p, n, bytes);
	base64_encode(bytes, stored, text);
	free(bytes);
	return text;
}

/* Where decoded bytes go. */
struct room {
	void *p;
	size_t cap;
	size_t n; /* how many they are */
};

static int
decode(const struct session *s, const struct seal_note *note, const char *text,
    struct room *ret, struct err *err)
{
	size_t most = ret->cap + SEAL_OVERHEAD;
	unsigned char *bytes = mem_alloc(most);
	struct slice sealed = { (const char *)bytes, 0 };
	int rc = -1;

	if (!base64_decode(slice_str(text), bytes, most, &sealed.n) ||
	    (s->seal == NULL && sealed.n > ret->cap)) {
		err_set(err, ERR_DATABASE,
		    "the record of the upload '%s' is damaged", s->rec.id);
	} else if (s->seal == NULL) {
		memcpy(ret->p, bytes, sealed.n);
		ret->n = sealed.n;
		rc = 0;
	} else {
		rc = seal_note_open(s->seal, note, sealed, ret->p, err);
		ret->n = sealed.n - SEAL_OVERHEAD;
	}
	free(bytes);
	return rc;
}

/* --- chunks --------------------------------------------------------------- */

void
session_note_hash(const struct session *s, uint64_t number,
    const unsigned char sha256[SHA256_SIZE], char ret[REC_CHUNK_HASH_SIZE])
{
	const struct seal_note note = { CHUNK, s->rec.id, number };
	unsigned char sealed[SHA256_SIZE + SEAL_OVERHEAD];

	_Static_assert(BASE64_SIZE(sizeof(sealed)) <= REC_CHUNK_HASH_SIZE,
	    "a sealed hash must fit");
	if (s->seal == NULL) {
		hex_encode(sha256, SHA256_SIZE, ret);
		return;
	}
	seal_note(s->seal, &note, sha256, SHA256_SIZE, sealed);
	base64_encode(sealed, sizeof(sealed), ret);
}

bool
session_is_hash(const struct session *s, uint64_t number,
    const unsigned char sha256[SHA256_SIZE], const char *noted)
{
	const struct seal_note note = { CHUNK, s->rec.id, number };
	unsigned char got[SHA256_SIZE];
	struct room room = { got, sizeof(got), 0 };

	if (noted == NULL)
		return false;
	if (s->seal == NULL) {
		if (!hex_decode(slice_str(noted), got, sizeof(got)))
			return false;
	} else if (decode(s, &note, noted, &room, NULL) < 0 ||
	           room.n != sizeof(got)) {
		return false;
	}
	return secret_equal(got, sha256, SHA256_SIZE);
}

/* --- the tail ------------------------------------------------------------- */

void
session_note_tail(struct session *s)
{
	const struct seal_note note = { TAIL, s->rec.id,
		s->rec.front_offset - s->tail_n };

	free(s->rec.tail);
	s->rec.tail = NULL;
	if (s->tail_n > 0)
		s->rec.tail = encode(s, &note, s->tail, s->tail_n);
}

int
session_read_tail(struct session *s, struct err *err)
{
	struct seal_note note = { TAIL, s->rec.id, 0 };
	struct room room = { NULL, SEAL_SEGMENT, 0 };
	size_t n = 0;

	if (s->tail != NULL)
		mem_wipe(s->tail, s->tail_n);
	free(s->tail);
	s->tail = NULL;
	s->tail_n = 0;
	if (s->rec.tail == NULL)
		return 0;
	/* Its length says where it begins. */
	for (const char *p = s->rec.tail; *p != '\0' && *p != '='; p++)
		n++;
	n = n * 3 / 4 - SEAL_OVERHEAD;
	note.position = s->rec.front_offset - n;
	s->tail = mem_alloc(SEAL_SEGMENT);
	room.p = s->tail;
	if (decode(s, &note, s->rec.tail, &room, err) < 0) {
		free(s->tail);
		s->tail = NULL;
		return -1;
	}
	s->tail_n = room.n;
	return 0;
}

/* --- the hash so far ------------------------------------------------------ */

void
session_note_cursor(struct session *s)
{
	const struct seal_note note = { HASH, s->rec.id, s->cursor.size };
	unsigned char bytes[STATE_SIZE];
	struct sha256_state state;

	sha256_save(&s->cursor.sha, &state);
	for (size_t i = 0; i < STATE_SIZE; i++)
		bytes[i] =
		    (unsigned char)(state.h[i / 4] >> (24 - 8 * (i % 4)));
	free(s->rec.hash_state);
	s->rec.hash_state = encode(s, &note, bytes, sizeof(bytes));
	s->rec.hash_offset = s->cursor.size;
	s->rec.hash_crc32 = s->cursor.crc32;
	s->cursor_saved = s->cursor.size;
	mem_wipe(bytes, sizeof(bytes));
	mem_wipe(&state, sizeof(state));
}

/* Chunks in their places move the front on without a record of it: there is
 * no tail then, and what was hashed lies in the file. */
static bool
is_ahead(const struct session *s)
{
	return s->rec.hash_offset > s->rec.front_offset;
}

/* The bytes behind the last whole block, which are nowhere but in the file. */
static int
read_partial(struct session *s, uint64_t from, uint64_t n, struct err *err)
{
	unsigned char bytes[SHA256_BLOCK];
	uint64_t settled =
	    is_ahead(s) ? s->rec.hash_offset : s->rec.front_offset - s->tail_n;
	size_t stored = 0;
	int rc = 0;

	if (from < settled)
		stored =
		    settled - from < n ? (size_t)(settled - from) : (size_t)n;
	if (stored > 0) {
		struct session_piece p = session_front(s, from, stored);
		struct source *src;

		rc = session_read(s, &p, &src, err);
		if (rc == 0) {
			if (source_read_full(src, bytes, stored, err) !=
			    (ssize_t)stored)
				rc = -1;
			source_close(src);
		}
	}
	if (rc == 0 && n > stored)
		memcpy(bytes + stored, s->tail + (from + stored - settled),
		    (size_t)n - stored);
	if (rc == 0)
		sha256_update(&s->cursor.sha, bytes, (size_t)n);
	mem_wipe(bytes, sizeof(bytes));
	return rc;
}

int
session_read_cursor(struct session *s, struct err *err)
{
	const struct seal_note note = { HASH, s->rec.id, s->rec.hash_offset };
	uint64_t partial = s->rec.hash_offset % SHA256_BLOCK;
	struct sha256_state state = { .n = s->rec.hash_offset - partial };
	unsigned char bytes[STATE_SIZE];
	struct room room = { bytes, sizeof(bytes), 0 };

	digest_state_init(&s->cursor);
	s->cursor_saved = 0;
	if (s->rec.hash_state == NULL)
		return 0;
	/* The file's last segment, which opens only where the end is known:
	 * its hash begins anew. */
	if (partial > 0 && is_ahead(s) && s->rec.layout == REC_SEALED)
		return 0;
	if (decode(s, &note, s->rec.hash_state, &room, err) < 0)
		return -1;
	if (room.n != sizeof(bytes))
		return err_set(err, ERR_DATABASE,
		    "the record of the upload '%s' is damaged", s->rec.id);
	for (size_t i = 0; i < STATE_SIZE; i++)
		state.h[i / 4] |= (uint32_t)bytes[i] << (24 - 8 * (i % 4));
	sha256_resume(&s->cursor.sha, &state);
	mem_wipe(bytes, sizeof(bytes));
	mem_wipe(&state, sizeof(state));
	if (partial > 0 &&
	    read_partial(s, s->rec.hash_offset - partial, partial, err) < 0)
		return -1;
	s->cursor.size = s->rec.hash_offset;
	s->cursor.crc32 = s->rec.hash_crc32;
	s->cursor_saved = s->cursor.size;
	return 0;
}
