/* SPDX-License-Identifier: MIT */

/*
 * An archive of stored files as a stream that can begin anywhere.  Its pieces,
 * in their order: a local header and a file's bytes for each member, a central
 * header for each, the end.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "engine/archive_priv.h"

/* From so many bytes on the kernel had better send a member by itself. */
#define EXTENT_MIN ((uint64_t)64 * 1024)

struct archive_source {
	struct source source;
	struct archive *archive;
	size_t piece; /* the one that the next byte is of */
	uint64_t at;  /* in it */
	uint64_t left;
	struct buf header;     /* the piece, when it is one */
	struct source *member; /* the piece from ${at}, when it is one */
};

/* --- pieces --------------------------------------------------------------- */

static bool
is_member(const struct archive *a, size_t piece)
{
	return piece < 2 * a->count && piece % 2 == 1;
}

static uint64_t
piece_size(const struct archive *a, size_t piece)
{
	size_t n = a->count;

	if (piece >= 3 * n)
		return zip_end_size(&a->end);
	if (piece >= 2 * n)
		return zip_central_size(&a->members[piece - 2 * n].entry);
	if (is_member(a, piece))
		return a->members[piece / 2].file.size;
	return zip_local_size(&a->members[piece / 2].entry);
}

static void
put_header(const struct archive *a, size_t piece, struct buf *b)
{
	size_t n = a->count;

	buf_clear(b);
	if (piece >= 3 * n)
		zip_put_end(&a->end, b);
	else if (piece >= 2 * n)
		zip_put_central(&a->members[piece - 2 * n].entry, b);
	else
		zip_put_local(&a->members[piece / 2].entry, b);
}

/* --- reading -------------------------------------------------------------- */

static void
leave_piece(struct archive_source *s)
{
	source_close(s->member);
	s->member = NULL;
	buf_clear(&s->header);
	s->piece++;
	s->at = 0;
}

static ssize_t
read_header(struct archive_source *s, void *p, size_t n)
{
	if (s->header.len == 0)
		put_header(s->archive, s->piece, &s->header);
	if (n > s->header.len - s->at)
		n = (size_t)(s->header.len - s->at);
	memcpy(p, s->header.p + s->at, n);
	return (ssize_t)n;
}

static int
open_member(struct archive_source *s, struct err *err)
{
	struct archive *a = s->archive;

	if (s->member != NULL)
		return 0;
	return archive_open_member(
	    a, &a->members[s->piece / 2], s->at, &s->member, err);
}

static ssize_t
read_member(struct archive_source *s, void *p, size_t n, struct err *err)
{
	const struct rec_file *f = &s->archive->members[s->piece / 2].file;
	ssize_t got;

	if (open_member(s, err) < 0)
		return -1;
	got = source_read(s->member, p, n, err);
	if (got == 0)
		return err_set(err, ERR_FILE_DAMAGED,
		    "'%s' ends after %" PRIu64 " of %" PRIu64 " bytes",
		    f->filename, s->at, f->size);
	return got;
}

/* Some bytes of one piece. */
static ssize_t
read_piece(struct archive_source *s, char *p, size_t n, struct err *err)
{
	uint64_t size = piece_size(s->archive, s->piece);
	ssize_t got;

	if (n > size - s->at)
		n = (size_t)(size - s->at);
	if (n == 0)
		got = 0;
	else if (is_member(s->archive, s->piece))
		got = read_member(s, p, n, err);
	else
		got = read_header(s, p, n);
	if (got < 0)
		return -1;
	s->at += (uint64_t)got;
	s->left -= (uint64_t)got;
	if (s->at == size)
		leave_piece(s);
	return got;
}

/* A member that was taken as an extent stayed open until now. */
static void
leave_taken(struct archive_source *s)
{
	if (s->member != NULL && s->at == piece_size(s->archive, s->piece))
		leave_piece(s);
}

static bool
is_extent_next(const struct archive_source *s)
{
	const struct archive *a = s->archive;

	return is_member(a, s->piece) && s->left >= EXTENT_MIN &&
	       a->members[s->piece / 2].file.layout == REC_PLAIN &&
	       piece_size(a, s->piece) - s->at >= EXTENT_MIN;
}

static bool
archive_take_extent(struct source *source, struct extent *ret)
{
	struct archive_source *s =
	    CONTAINER_OF(source, struct archive_source, source);

	leave_taken(s);
	/* What is wrong with it is said when it is read. */
	if (!is_extent_next(s) || open_member(s, NULL) < 0 ||
	    !source_extent(s->member, ret))
		return false;
	if (ret->length > s->left)
		ret->length = s->left;
	s->at += ret->length;
	s->left -= ret->length;
	return true;
}

/* Over as many pieces as it takes: small files go out together.  A large one
 * gives what suits it (whole segments), and is not asked for crumbs. */
static ssize_t
archive_read(struct source *source, void *buf, size_t n, struct err *err)
{
	struct archive_source *s =
	    CONTAINER_OF(source, struct archive_source, source);
	char *p = buf;
	size_t done = 0;
	ssize_t got;

	leave_taken(s);
	if (n > s->left)
		n = (size_t)s->left;
	while (done < n && (done == 0 || !is_extent_next(s))) {
		got = read_piece(s, p + done, n - done, err);
		if (got < 0)
			return -1;
		done += (size_t)got;
		if (s->at > 0)
			break;
	}
	return (ssize_t)done;
}

static void
archive_source_close(struct source *source)
{
	struct archive_source *s =
	    CONTAINER_OF(source, struct archive_source, source);

	source_close(s->member);
	buf_fini(&s->header);
	free(s);
}

/* Where there is something to open, that is what takes the time. */
static bool
is_all_plain(const struct archive *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->members[i].file.layout != REC_PLAIN)
			return false;
	return true;
}

struct source *
archive_source_open(struct archive *a, uint64_t offset, uint64_t length)
{
	struct archive_source *s = mem_calloc(1, sizeof(*s));
	uint64_t size;

	s->source.read = archive_read;
	if (is_all_plain(a))
		s->source.take_extent = archive_take_extent;
	s->source.close = archive_source_close;
	s->archive = a;
	s->left = length;
	buf_init(&s->header, ZIP_HEADER_MAX);
	while (offset >= (size = piece_size(a, s->piece)) &&
	       s->piece < 3 * a->count) {
		offset -= size;
		s->piece++;
	}
	s->at = offset;
	return &s->source;
}
