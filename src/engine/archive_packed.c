/* SPDX-License-Identifier: MIT */

/*
 * An archive whose files are deflated as they pass: sizes are known only behind
 * them, so it has no length, and begins at the beginning.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "engine/archive_priv.h"

#define INPUT_SIZE ((size_t)64 * 1024)
/* What deflate adds to what it cannot pack, and more. */
#define EXPANSION(n) ((n) / 1000 + 4096)
/* Of the window and of memory, as zlib has them by default; without its own
 * head and tail. */
#define WINDOW_BITS (-15)
#define MEMORY 8

enum step { STEP_LOCAL, STEP_DATA, STEP_CENTRAL, STEP_END };

struct packed_source {
	struct source source;
	struct archive *archive;
	enum step step;
	size_t member;     /* the one that it is about */
	uint64_t written;  /* bytes of the archive */
	struct buf header; /* waits to be read */
	struct source *inner;
	uint64_t left; /* of the member's bytes */
	bool has_stream;
	z_stream stream;
	unsigned char input[INPUT_SIZE];
};

/* --- headers -------------------------------------------------------------- */

static struct archive_member *
member_of(struct packed_source *s)
{
	return &s->archive->members[s->member];
}

static int
begin_member(struct packed_source *s, struct err *err)
{
	struct archive_member *m = member_of(s);

	m->entry.method = ZIP_DEFLATED;
	m->entry.has_descriptor = true;
	m->entry.packed = m->file.size + EXPANSION(m->file.size);
	m->entry.offset = s->written;
	if (archive_open_member(s->archive, m, 0, &s->inner, err) < 0)
		return -1;
	s->left = m->file.size;
	if (deflateInit2(&s->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
	        WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(err, ERR_UNAVAILABLE, "no memory to compress");
	s->has_stream = true;
	zip_put_local(&m->entry, &s->header);
	s->step = STEP_DATA;
	return 0;
}

static void
end_stream(struct packed_source *s)
{
	if (s->has_stream)
		(void)deflateEnd(&s->stream);
	s->has_stream = false;
	source_close(s->inner);
	s->inner = NULL;
}

static void
end_member(struct packed_source *s)
{
	struct archive_member *m = member_of(s);
	bool was_large = zip_is_large(&m->entry);

	m->entry.packed = s->stream.total_out;
	end_stream(s);
	zip_put_descriptor(&m->entry, was_large, &s->header);
	s->step = STEP_LOCAL;
	if (++s->member == s->archive->count) {
		s->member = 0;
		s->step = STEP_CENTRAL;
	}
}

static void
put_central(struct packed_source *s)
{
	if (s->member == 0)
		s->archive->end.offset = s->written;
	zip_put_central(&member_of(s)->entry, &s->header);
	if (++s->member == s->archive->count)
		s->step = STEP_END;
}

/* --- reading -------------------------------------------------------------- */

static int
fill_input(struct packed_source *s, struct err *err)
{
	const struct rec_file *f = &member_of(s)->file;
	size_t n = s->left < INPUT_SIZE ? (size_t)s->left : INPUT_SIZE;
	ssize_t got;

	if (s->stream.avail_in > 0 || n == 0)
		return 0;
	got = source_read(s->inner, s->input, n, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(err, ERR_FILE_DAMAGED,
		    "'%s' ends %" PRIu64 " bytes too early", f->filename,
		    s->left);
	s->left -= (uint64_t)got;
	s->stream.next_in = s->input;
	s->stream.avail_in = (uInt)got;
	return 0;
}

/* Some bytes of the member; 0 when it wants more of its own, or has ended. */
static ssize_t
read_data(struct packed_source *s, char *p, size_t n, struct err *err)
{
	int rc;

	if (fill_input(s, err) < 0)
		return -1;
	s->stream.next_out = (unsigned char *)p;
	s->stream.avail_out = (uInt)n;
	rc = deflate(&s->stream, s->left == 0 ? Z_FINISH : Z_NO_FLUSH);
	n -= s->stream.avail_out;
	if (rc == Z_STREAM_END)
		end_member(s);
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return err_set(err, ERR_INTERNAL, "deflate() says %d", rc);
	return (ssize_t)n;
}

static ssize_t
read_header(struct packed_source *s, char *p, size_t n)
{
	if (n > s->header.len)
		n = s->header.len;
	memcpy(p, s->header.p, n);
	buf_consume(&s->header, n);
	return (ssize_t)n;
}

/* 1: there are bytes waiting, or of the member; 0: the end. */
static int
next_step(struct packed_source *s, struct err *err)
{
	struct zip_end *end = &s->archive->end;

	if (s->header.len > 0)
		return 1;
	switch (s->step) {
	case STEP_LOCAL:
		return begin_member(s, err) < 0 ? -1 : 1;
	case STEP_DATA:
		return 1;
	case STEP_CENTRAL:
		put_central(s);
		return 1;
	case STEP_END:
		break;
	}
	if (s->member == 0)
		return 0;
	s->member = 0;
	end->size = s->written - end->offset;
	zip_put_end(end, &s->header);
	return 1;
}

static ssize_t
packed_read(struct source *source, void *buf, size_t n, struct err *err)
{
	struct packed_source *s =
	    CONTAINER_OF(source, struct packed_source, source);
	char *p = buf;
	size_t done = 0;
	ssize_t got;
	int rc;

	while (done < n) {
		rc = next_step(s, err);
		if (rc == 0)
			break;
		got = rc < 0 ? -1
		      : s->header.len > 0
		          ? read_header(s, p + done, n - done)
		          : read_data(s, p + done, n - done, err);
		if (got < 0)
			return -1;
		done += (size_t)got;
		s->written += (uint64_t)got;
	}
	return (ssize_t)done;
}

static void
packed_close(struct source *source)
{
	struct packed_source *s =
	    CONTAINER_OF(source, struct packed_source, source);

	end_stream(s);
	buf_fini(&s->header);
	free(s);
}

struct source *
archive_packed_open(struct archive *a)
{
	struct packed_source *s = mem_calloc(1, sizeof(*s));

	s->source.read = packed_read;
	s->source.close = packed_close;
	s->archive = a;
	buf_init(&s->header, ZIP_HEADER_MAX);
	return &s->source;
}
