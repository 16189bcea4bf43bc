/* SPDX-License-Identifier: MIT */
#include "net/multipart.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/multipart_priv.h"

/* How much is read at once where the caller has no room of its own, and from
 * which size on the caller's room is read into. */
#define STEP 4096
/* More held memory than this is given back once it is not needed. */
#define HELD_KEEP (2 * STEP)
/* What nobody wants is read in steps of this size, on the stack. */
#define JUNK_STEP (4 * STEP)

enum state {
	IN_PREAMBLE,  /* content that nobody sees */
	IN_PART,      /* content of the present part */
	AT_DELIMITER, /* the held bytes begin with one */
	ENDED,        /* the body was read to its end */
	BROKEN,
};

struct multipart {
	struct source source; /* the present part's body */
	struct source *body;
	struct multipart_limits limits;
	enum state state;
	size_t n_parts;
	struct multipart_head head; /* of the present part */

	/*
	 * Bytes that were read and not yet passed on: those of held from
	 * ${at}.  The first ${clean} of them are known to be content; if
	 * ${found}, a delimiter and at least one byte more (two, unless that
	 * one is a space) come right after them.
	 */
	struct buf held;
	size_t at;
	size_t clean;
	bool found;
	/*
	 * The CRLF that ends the head stands at ${at}.  It is no content, but
	 * it may be the delimiter's (a part of a head only, RFC 2046 5.1.1).
	 * clean is 0 and found is false.
	 */
	bool fresh;

	size_t delim_n;
	char delim[4 + MULTIPART_BOUNDARY_MAX]; /* CRLF "--" boundary */
};

static size_t
left(const struct multipart *mp)
{
	return mp->held.len - mp->at;
}

static const char *
front(const struct multipart *mp)
{
	return mp->held.p + mp->at;
}

static int
fail(struct multipart *mp, struct err *err, const char *what)
{
	mp->state = BROKEN;
	return err_set(
	    err, ERR_MALFORMED_REQUEST, "the form is malformed: %s", what);
}

static int
fail_memory(struct multipart *mp, struct err *err)
{
	mp->state = BROKEN;
	return err_set(err, ERR_SERVER_BUSY, "no memory for a form");
}

/* Drops ${n} held bytes; what a large read left is freed with the last. */
static void
drop(struct multipart *mp, size_t n)
{
	mp->at += n;
	if (mp->at < mp->held.len)
		return;
	mp->at = 0;
	if (mp->held.cap > HELD_KEEP)
		buf_fini(&mp->held);
	else
		buf_clear(&mp->held);
}

/* Moves the held bytes to the front of their memory, or of a smaller one. */
static int
compact(struct multipart *mp)
{
	struct buf small;

	if (mp->held.cap <= HELD_KEEP || left(mp) > STEP) {
		buf_consume(&mp->held, mp->at);
		mp->at = 0;
		return 0;
	}
	buf_init(&small, mp->held.max);
	if (buf_append(&small, front(mp), left(mp)) < 0)
		return -1;
	buf_fini(&mp->held);
	mp->held = small;
	mp->at = 0;
	return 0;
}

/* Reads some more into the held bytes: 1, 0 at the body's end, or -1. */
static int
pull(struct multipart *mp, struct err *err)
{
	ssize_t got;
	void *room;

	if (compact(mp) < 0)
		return fail_memory(mp, err);
	room = buf_reserve(&mp->held, STEP);
	if (room == NULL)
		return fail_memory(mp, err);
	got = source_read(mp->body, room, STEP, err);
	if (got < 0) {
		mp->state = BROKEN;
		return -1;
	}
	buf_add(&mp->held, (size_t)got);
	return got > 0;
}

static int
truncated(struct multipart *mp, struct err *err)
{
	return fail(mp, err, "it ends without its last delimiter");
}

/* The same where the body must not end yet: 0 or -1. */
static int
pull_more(struct multipart *mp, struct err *err)
{
	int rc = pull(mp, err);

	if (rc < 0)
		return -1;
	return rc > 0 ? 0 : truncated(mp, err);
}

enum follows { FOLLOWS_YES, FOLLOWS_NO, FOLLOWS_UNKNOWN };

/* Do the ${n} bytes at ${p}, after a delimiter's text, make it one? */
static enum follows
follows(const char *p, size_t n)
{
	if (n == 0)
		return FOLLOWS_UNKNOWN;
	if (p[0] == ' ' || p[0] == '\t')
		return FOLLOWS_YES;
	if (p[0] != '-' && p[0] != '\r')
		return FOLLOWS_NO;
	if (n == 1)
		return FOLLOWS_UNKNOWN;
	return p[1] == (p[0] == '-' ? '-' : '\n') ? FOLLOWS_YES : FOLLOWS_NO;
}

/*
 * How many bytes at ${p} are content for sure; *ret_found: a delimiter comes
 * right after them, else perhaps the beginning of one.
 *
 * memmem() with the whole delimiter skips about its length at a time: 20 to
 * 70 GB/s with browsers' and curl's boundaries.  The worst that a boundary
 * made for it (one letter 70 times, and that letter as content) gets is 0.24
 * GB/s: slower, but still linear.
 */
static size_t
scan(const struct multipart *mp, const char *p, size_t n, bool *ret_found)
{
	const char *end = p + n;
	const char *at = p;
	const char *tail;
	enum follows f;

	*ret_found = false;
	for (;;) {
		at = memmem(at, (size_t)(end - at), mp->delim, mp->delim_n);
		if (at == NULL)
			break;
		f = follows(at + mp->delim_n, (size_t)(end - at) - mp->delim_n);
		if (f != FOLLOWS_NO) {
			*ret_found = f == FOLLOWS_YES;
			return (size_t)(at - p);
		}
		at += mp->delim_n;
	}
	/* Only the first byte of a delimiter is a CR, so only the last CR
	 * can begin one that is not there whole. */
	tail = n < mp->delim_n ? p : end - (mp->delim_n - 1);
	at = memrchr(tail, '\r', (size_t)(end - tail));
	if (at != NULL && memcmp(at, mp->delim, (size_t)(end - at)) == 0)
		return (size_t)(at - p);
	return n;
}

/* Finds out about the held bytes, unless something is known already. */
static void
look(struct multipart *mp)
{
	if (mp->clean > 0 || mp->found || left(mp) == 0)
		return;
	mp->clean = scan(mp, front(mp), left(mp), &mp->found);
	/* CR LF at the front: both are content, or neither is for sure. */
	if (mp->fresh && (mp->clean > 0 || mp->found)) {
		mp->fresh = false;
		if (mp->clean > 0) {
			mp->clean -= 2;
			drop(mp, 2);
		}
	}
}

/*
 * Reads from the body into the caller's ${buf}, behind ${got} bytes that are
 * there already and the held ones, which must be no more than the beginning
 * of a delimiter: the bytes of content now in ${buf}, perhaps none.
 */
static ssize_t
read_direct(
    struct multipart *mp, char *buf, size_t n, size_t got, struct err *err)
{
	size_t kept = left(mp);
	ssize_t done;
	size_t content;

	if (kept > 0) {
		memcpy(buf + got, front(mp), kept);
		drop(mp, kept);
	}
	done = source_read(mp->body, buf + got + kept, n - got - kept, err);
	if (done < 0) {
		mp->state = BROKEN;
		return -1;
	}
	if (done == 0)
		return truncated(mp, err);
	kept += (size_t)done;
	content = scan(mp, buf + got, kept, &mp->found);
	if (buf_append(&mp->held, buf + got + content, kept - content) < 0)
		return fail_memory(mp, err);
	return (ssize_t)(got + content);
}

/* Gives held content, and more behind it where that needs no waiting. */
static ssize_t
serve(struct multipart *mp, char *buf, size_t n, struct err *err)
{
	size_t got = n < mp->clean ? n : mp->clean;
	int ready;

	memcpy(buf, front(mp), got);
	drop(mp, got);
	mp->clean -= got;
	if (mp->clean > 0 || mp->found || n - got < STEP)
		return (ssize_t)got;
	ready = source_wait(mp->body, 0, err);
	if (ready < 0)
		mp->state = BROKEN;
	if (ready <= 0)
		return ready < 0 ? -1 : (ssize_t)got;
	return read_direct(mp, buf, n, got, err);
}

/* Content up to the next delimiter, of a part or of the preamble. */
static ssize_t
read_content(struct multipart *mp, void *buf, size_t n, struct err *err)
{
	ssize_t got;

	for (;;) {
		look(mp);
		if (mp->clean > 0)
			return serve(mp, buf, n, err);
		if (mp->found) {
			mp->state = AT_DELIMITER;
			return 0;
		}
		if (n >= STEP && !mp->fresh) {
			got = read_direct(mp, buf, n, 0, err);
			if (got != 0)
				return got;
		} else if (pull_more(mp, err) < 0) {
			return -1;
		}
	}
}

static ssize_t
part_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct multipart *mp = CONTAINER_OF(s, struct multipart, source);

	if (mp->state == BROKEN)
		return fail(mp, err, "it was given up");
	return mp->state == IN_PART ? read_content(mp, buf, n, err) : 0;
}

/*
 * The beginning of a delimiter must not make read() wait with the caller's
 * buffer in its hands, so it is found out here what came.
 */
static int
part_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct multipart *mp = CONTAINER_OF(s, struct multipart, source);
	int rc;

	for (;;) {
		if (mp->state != IN_PART)
			return 1;
		look(mp);
		if (mp->clean > 0 || mp->found)
			return 1;
		rc = source_wait(mp->body, timeout_ms, err);
		if (rc < 0)
			mp->state = BROKEN;
		if (rc <= 0)
			return rc;
		if (pull_more(mp, err) < 0)
			return -1;
		/* The bound is on the whole, not on each dribble. */
		if (timeout_ms > 0)
			timeout_ms = 0;
	}
}

/* It is a part of the parser. */
static void
part_close(struct source *s)
{
	(void)s;
}

int
multipart_new(struct source *body, struct slice content_type,
    const struct multipart_limits *limits, struct multipart **ret_mp,
    struct err *err)
{
	struct multipart *mp;
	char *boundary;

	if (multipart_boundary(content_type, &boundary, err) < 0)
		return -1;
	mp = mem_calloc(1, sizeof(*mp));
	mp->source.read = part_read;
	mp->source.wait = part_wait;
	mp->source.close = part_close;
	mp->body = body;
	mp->limits = *limits;
	mp->delim_n = 4 + strlen(boundary);
	memcpy(mp->delim, "\r\n--", 4);
	memcpy(mp->delim + 4, boundary, mp->delim_n - 4);
	free(boundary);
	buf_init(&mp->held, SIZE_MAX);
	/* The first delimiter may stand at the very beginning. */
	if (buf_append(&mp->held, "\r\n", 2) < 0) {
		(void)fail_memory(mp, err);
		multipart_free(mp);
		return -1;
	}
	*ret_mp = mp;
	return 0;
}

void
multipart_free(struct multipart *mp)
{
	if (mp == NULL)
		return;
	multipart_head_fini(&mp->head);
	buf_fini(&mp->held);
	free(mp);
}

struct source *
multipart_body(struct multipart *mp)
{
	return &mp->source;
}

/* Reads what is left of a part, or the preamble. */
static int
skip_content(struct multipart *mp, struct err *err)
{
	char junk[JUNK_STEP];
	ssize_t got;

	do {
		got = read_content(mp, junk, sizeof(junk), err);
	} while (got > 0);
	return got < 0 ? -1 : 0;
}

/* Drops spaces and tabs after a delimiter. */
static void
drop_padding(struct multipart *mp)
{
	while (left(mp) > 0 && (front(mp)[0] == ' ' || front(mp)[0] == '\t'))
		drop(mp, 1);
}

/* After the last delimiter: padding, then the body's end or a line's end and
 * an epilogue, which says nothing. */
static int
end_form(struct multipart *mp, struct err *err)
{
	char junk[JUNK_STEP];
	ssize_t got = 1;

	while (got > 0) {
		drop_padding(mp);
		if (left(mp) >= 2)
			break;
		got = pull(mp, err);
		if (got < 0)
			return -1;
	}
	if (left(mp) > 0 &&
	    (left(mp) == 1 || memcmp(front(mp), "\r\n", 2) != 0))
		return fail(mp, err, "something follows its last delimiter");
	buf_fini(&mp->held);
	mp->at = 0;
	while (got > 0)
		got = source_read(mp->body, junk, sizeof(junk), err);
	mp->state = got < 0 ? BROKEN : ENDED;
	return got < 0 ? -1 : 0;
}

/*
 * Holds a part's whole head, from the delimiter's line end to the empty
 * line: *ret_n bytes up to the CRLF CRLF.
 */
static int
pull_head(struct multipart *mp, size_t *ret_n, struct err *err)
{
	size_t seen = 0;
	const char *end;

	for (;;) {
		drop_padding(mp);
		end = NULL;
		if (left(mp) > seen)
			end = memmem(
			    front(mp) + seen, left(mp) - seen, "\r\n\r\n", 4);
		*ret_n = end == NULL ? left(mp) : (size_t)(end - front(mp));
		/* 2 of the delimiter's line, 3 that may yet end the head */
		if (*ret_n > mp->limits.head_max + 2 + (end == NULL ? 3 : 0))
			return fail(mp, err, "a part's head is too large");
		if (end != NULL)
			return 0;
		seen = left(mp) < 3 ? 0 : left(mp) - 3;
		if (pull_more(mp, err) < 0)
			return -1;
	}
}

/* Takes a part's head off the held bytes, but for its last CRLF. */
static int
take_head(struct multipart *mp, struct err *err)
{
	struct slice text = { NULL, 0 };
	size_t n;

	if (pull_head(mp, &n, err) < 0)
		return -1;
	if (memcmp(front(mp), "\r\n", 2) != 0)
		return fail(mp, err, "something follows a delimiter");
	/* Where there is no field, one CRLF is the line's and the head's. */
	if (n > 2)
		text = (struct slice){ front(mp) + 2, n - 2 };
	if (multipart_head_parse(text, &mp->head, err) < 0) {
		mp->state = BROKEN;
		return -1;
	}
	drop(mp, n + 2);
	mp->fresh = true;
	mp->state = IN_PART;
	return 0;
}

int
multipart_next(
    struct multipart *mp, struct multipart_part *ret_part, struct err *err)
{
	multipart_head_fini(&mp->head);
	if (mp->state == ENDED)
		return 0;
	if (mp->state == BROKEN)
		return fail(mp, err, "it was given up");
	if (mp->state != AT_DELIMITER && skip_content(mp, err) < 0)
		return -1;
	drop(mp, mp->delim_n);
	mp->found = false;
	if (left(mp) >= 2 && memcmp(front(mp), "--", 2) == 0) {
		drop(mp, 2);
		return end_form(mp, err);
	}
	if (mp->n_parts++ == mp->limits.parts_max)
		return fail(mp, err, "it has too many parts");
	if (take_head(mp, err) < 0)
		return -1;
	ret_part->name = mp->head.name;
	ret_part->filename = mp->head.filename;
	ret_part->content_type = mp->head.content_type;
	return 1;
}

/* The name is the client's text: shown only where it is fit to be. */
static int
too_long(struct multipart *mp, size_t max, struct err *err)
{
	struct slice rest = slice_str(mp->head.name);
	uint32_t cp;
	size_t n;

	while (rest.n > 0) {
		n = utf8_next(rest, &cp);
		if (n == 0 || !utf8_is_printable(cp))
			return err_set(err, ERR_INVALID_PARAMETER,
			    "a field of the form is longer than %zu bytes",
			    max);
		rest = (struct slice){ rest.p + n, rest.n - n };
	}
	return err_set(err, ERR_INVALID_PARAMETER,
	    "the field '%s' is longer than %zu bytes", mp->head.name, max);
}

int
multipart_value(struct multipart *mp, struct buf *b, struct err *err)
{
	char chunk[1024];
	ssize_t got;

	for (;;) {
		got = part_read(&mp->source, chunk, sizeof(chunk), err);
		if (got <= 0)
			return got < 0 ? -1 : 0;
		if (buf_append(b, chunk, (size_t)got) < 0)
			return too_long(mp, b->max, err);
	}
}
