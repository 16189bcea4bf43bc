/* SPDX-License-Identifier: MIT */
#include "net/multipart.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/multipart_head.h"
#include "net/multipart_stream.h"

/* What nobody wants is read in steps of this size, on the stack. */
#define JUNK_STEP (16 * 1024)

enum state {
	IN_PREAMBLE,  /* content that nobody sees */
	IN_PART,      /* content of the present part */
	AT_DELIMITER, /* the held bytes begin with one */
	ENDED,        /* the body was read to its end */
	BROKEN,
};

struct multipart {
	struct source source; /* the present part's body */
	struct multipart_stream stream;
	struct multipart_limits limits;
	enum state state;
	size_t n_parts;
	struct multipart_head head; /* of the present part */
};

static int
fail(struct multipart *mp, struct err *err, const char *what)
{
	mp->state = BROKEN;
	return err_set(
	    err, ERR_MALFORMED_REQUEST, "the form is malformed: %s", what);
}

/* Content, of a part or of the preamble. */
static ssize_t
read_content(struct multipart *mp, void *buf, size_t n, struct err *err)
{
	ssize_t got = multipart_stream_read(&mp->stream, buf, n, err);

	if (got < 0)
		mp->state = BROKEN;
	if (got == 0)
		mp->state = AT_DELIMITER;
	return got;
}

static ssize_t
part_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct multipart *mp = CONTAINER_OF(s, struct multipart, source);

	if (mp->state == BROKEN)
		return fail(mp, err, "it was given up");
	return mp->state == IN_PART ? read_content(mp, buf, n, err) : 0;
}

static int
part_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct multipart *mp = CONTAINER_OF(s, struct multipart, source);
	int rc;

	if (mp->state != IN_PART)
		return 1;
	rc = multipart_stream_wait(&mp->stream, timeout_ms, err);
	if (rc < 0)
		mp->state = BROKEN;
	return rc;
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
	struct multipart *mp = NULL;
	char *boundary = NULL;
	int rc = -1;

	if (multipart_head_boundary(content_type, &boundary, err) < 0)
		goto out;
	mp = mem_calloc(1, sizeof(*mp));
	mp->source.read = part_read;
	mp->source.wait = part_wait;
	mp->source.close = part_close;
	mp->limits = *limits;
	if (multipart_stream_init(&mp->stream, body, boundary, err) < 0)
		goto out;
	*ret_mp = mp;
	mp = NULL;
	rc = 0;
out:
	free(boundary);
	multipart_free(mp);
	return rc;
}

void
multipart_free(struct multipart *mp)
{
	if (mp == NULL)
		return;
	multipart_head_fini(&mp->head);
	multipart_stream_fini(&mp->stream);
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

/* Are the held bytes, from the front, those of ${text}? */
static bool
starts(const struct multipart_stream *st, const char *text)
{
	return slice_starts((struct slice){ multipart_stream_front(st),
	                        multipart_stream_left(st) },
	    text);
}

/* Drops spaces and tabs after a delimiter. */
static void
drop_padding(struct multipart_stream *st)
{
	while (starts(st, " ") || starts(st, "\t"))
		multipart_stream_drop(st, 1);
}

/* Reads the body to its end, whatever is in it. */
static int
skip_body(struct multipart *mp, struct err *err)
{
	char junk[JUNK_STEP];
	ssize_t got;

	do {
		got = source_read(mp->stream.body, junk, sizeof(junk), err);
	} while (got > 0);
	return got < 0 ? -1 : 0;
}

/* After the last delimiter: padding, then the body's end, or a line's end and
 * an epilogue, which says nothing. */
static int
end_form(struct multipart *mp, struct err *err)
{
	struct multipart_stream *st = &mp->stream;
	int more = 1;

	mp->state = BROKEN;
	for (;;) {
		drop_padding(st);
		if (multipart_stream_left(st) >= 2)
			break;
		more = multipart_stream_pull(st, err);
		if (more < 0)
			return -1;
		if (more == 0)
			break;
	}
	if (multipart_stream_left(st) > 0 && !starts(st, "\r\n"))
		return fail(mp, err, "something follows its last delimiter");
	multipart_stream_drop(st, multipart_stream_left(st));
	if (more > 0 && skip_body(mp, err) < 0)
		return -1;
	mp->state = ENDED;
	return 0;
}

/*
 * Holds a part's whole head, from the delimiter's line end to the empty
 * line: *ret_n bytes up to the CRLF CRLF.
 */
static int
pull_head(struct multipart *mp, size_t *ret_n, struct err *err)
{
	struct multipart_stream *st = &mp->stream;
	const char *front, *end;
	size_t seen = 0;
	size_t n;

	for (;;) {
		drop_padding(st);
		front = multipart_stream_front(st);
		n = multipart_stream_left(st);
		end = NULL;
		if (n > seen)
			end = memmem(front + seen, n - seen, "\r\n\r\n", 4);
		*ret_n = end == NULL ? n : (size_t)(end - front);
		/* 2 of the delimiter's line, 3 that may yet end the head */
		if (*ret_n > mp->limits.head_max + 2 + (end == NULL ? 3 : 0))
			return fail(mp, err, "a part's head is too large");
		if (end != NULL)
			return 0;
		seen = n < 3 ? 0 : n - 3;
		if (multipart_stream_pull_more(st, err) < 0)
			return -1;
	}
}

/* Takes a part's head off the held bytes, but for its last CRLF. */
static int
take_head(struct multipart *mp, struct err *err)
{
	struct multipart_stream *st = &mp->stream;
	struct slice text = SLICE_NULL;
	size_t n;

	mp->state = BROKEN;
	if (pull_head(mp, &n, err) < 0)
		return -1;
	if (!starts(st, "\r\n"))
		return fail(mp, err, "something follows a delimiter");
	/* Where there is no field, one CRLF is the line's and the head's. */
	if (n > 2)
		text = (struct slice){ multipart_stream_front(st) + 2, n - 2 };
	if (multipart_head_parse(text, &mp->head, err) < 0)
		return -1;
	multipart_stream_drop(st, n + 2);
	multipart_stream_begin(st);
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
	multipart_stream_drop_delimiter(&mp->stream);
	if (starts(&mp->stream, "--")) {
		multipart_stream_drop(&mp->stream, 2);
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

uint64_t
multipart_expected(const struct multipart *mp, uint64_t body_length)
{
	uint64_t before = multipart_stream_position(&mp->stream);
	uint64_t after = mp->stream.delim_n + strlen("--\r\n");

	if (body_length == UINT64_MAX || body_length < before + after)
		return UINT64_MAX;
	return body_length - before - after;
}
