/* SPDX-License-Identifier: MIT */
#include "sft/batch_body.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rand.h"

#define BOUNDARY_SIZE 48
/* A name has 1,024 bytes, three characters each at worst. */
#define TEXT_MAX (8u * 1024)

/*
 * What comes next is the rest of ${text}, then the rest of the file ${index},
 * if that is open, then whatever follows.
 */
struct batch_body {
	struct source source;
	struct http_body body;
	struct walk *files;
	struct progress *progress;
	char boundary[BOUNDARY_SIZE];
	char type[BOUNDARY_SIZE + 40];
	struct buf text; /* between files */
	size_t text_at;
	size_t index;
	int fd; /* -1: none is open */
	uint64_t at;
	struct sha256 hash;
	bool has_begun;
	bool has_ended; /* ${text} is the last */
};

/* --- between files -------------------------------------------------------- */

/* As RFC 8187 has it, so that any name can stand there. */
static void
add_name(struct buf *b, const char *name)
{
	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c) != NULL)
			buf_append_char(b, *name);
		else
			buf_printf(b, "%%%02X", c);
	}
}

/* In front of file ${i}, or behind the last. */
static void
add_text(const struct batch_body *b, size_t i, struct buf *text)
{
	const char *before = i == 0 ? "" : "\r\n";

	if (i == b->files->count) {
		buf_printf(text, "%s--%s--\r\n", before, b->boundary);
		return;
	}
	buf_printf(text,
	    "%s--%s\r\nContent-Disposition: form-data; name=\"files\"; "
	    "filename*=UTF-8''",
	    before, b->boundary);
	add_name(text, b->files->files[i].name);
	buf_append_str(
	    text, "\r\nContent-Type: application/octet-stream\r\n\r\n");
}

static void
next_text(struct batch_body *b)
{
	buf_clear(&b->text);
	b->text_at = 0;
	add_text(b, b->index, &b->text);
	b->has_ended = b->index == b->files->count;
}

static uint64_t
size_of_all(const struct batch_body *b)
{
	uint64_t n = walk_bytes(b->files);
	struct buf text;

	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i <= b->files->count; i++) {
		buf_clear(&text);
		add_text(b, i, &text);
		n += text.len;
	}
	buf_fini(&text);
	return n;
}

/* --- files ---------------------------------------------------------------- */

static void
close_file(struct batch_body *b)
{
	if (b->fd >= 0)
		file_close(b->fd);
	b->fd = -1;
}

/* Does not wait, should it be a FIFO by now. */
static int
open_file(struct batch_body *b, struct err *err)
{
	const char *path = b->files->files[b->index].path;

	b->fd =
	    file_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
	b->at = 0;
	sha256_init(&b->hash);
	return b->fd < 0 ? -1 : 0;
}

static void
end_file(struct batch_body *b)
{
	unsigned char sum[SHA256_SIZE];

	sha256_final(&b->hash, sum);
	hex_encode(sum, sizeof(sum), b->files->files[b->index].sha256);
	close_file(b);
	b->index++;
	next_text(b);
}

static ssize_t
read_file(struct batch_body *b, void *buf, size_t n, struct err *err)
{
	const struct walk_file *f = &b->files->files[b->index];
	ssize_t got;

	if (n > f->size - b->at)
		n = (size_t)(f->size - b->at);
	got = file_pread_full(b->fd, buf, n, b->at, err);
	if (got >= 0 && (size_t)got < n)
		return err_set(err, ERR_IO,
		    "'%s' became shorter while it was being sent, and nothing "
		    "was kept: send it again",
		    f->path);
	if (got > 0) {
		sha256_update(&b->hash, buf, (size_t)got);
		b->at += (uint64_t)got;
		progress_add(b->progress, (uint64_t)got);
	}
	return got;
}

/* --- the source ----------------------------------------------------------- */

static size_t
read_text(struct batch_body *b, void *buf, size_t n)
{
	size_t left = b->text.len - b->text_at;

	if (n > left)
		n = left;
	memcpy(buf, b->text.p + b->text_at, n);
	b->text_at += n;
	return n;
}

/* 0: the end. */
static ssize_t
read_some(struct batch_body *b, void *buf, size_t n, struct err *err)
{
	if (!b->has_begun) {
		b->has_begun = true;
		next_text(b);
	}
	if (b->text_at < b->text.len)
		return (ssize_t)read_text(b, buf, n);
	if (b->has_ended)
		return 0;
	if (b->fd < 0 && open_file(b, err) < 0)
		return -1;
	if (b->at < b->files->files[b->index].size)
		return read_file(b, buf, n, err);
	end_file(b);
	return (ssize_t)read_text(b, buf, n);
}

/* Fills what it is given: files are small, mostly. */
static ssize_t
do_read(struct source *src, void *buf, size_t n, struct err *err)
{
	struct batch_body *b = CONTAINER_OF(src, struct batch_body, source);
	size_t done = 0;

	while (done < n) {
		ssize_t got = read_some(b, (char *)buf + done, n - done, err);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static void
do_close(struct source *src)
{
	(void)src;
}

static bool
do_rewind(struct source *src)
{
	struct batch_body *b = CONTAINER_OF(src, struct batch_body, source);

	close_file(b);
	b->index = 0;
	b->has_begun = false;
	progress_restart(b->progress);
	return true;
}

/* --- its life ------------------------------------------------------------- */

struct batch_body *
batch_body_new(struct walk *files, struct progress *progress)
{
	struct batch_body *b = mem_calloc(1, sizeof(*b));

	b->source.read = do_read;
	b->source.close = do_close;
	b->files = files;
	b->progress = progress;
	b->fd = -1;
	buf_init(&b->text, TEXT_MAX);
	(void)snprintf(b->boundary, sizeof(b->boundary),
	    "sft-%016" PRIx64 "%016" PRIx64, rand_u64(), rand_u64());
	(void)snprintf(b->type, sizeof(b->type),
	    "multipart/form-data; boundary=%s", b->boundary);
	b->body = (struct http_body){
		.source = &b->source,
		.size = (int64_t)size_of_all(b),
		.type = b->type,
		.wait_fd = -1,
		.rewind = do_rewind,
	};
	return b;
}

const struct http_body *
batch_body_get(struct batch_body *b)
{
	return &b->body;
}

void
batch_body_free(struct batch_body *b)
{
	if (b == NULL)
		return;
	close_file(b);
	buf_fini(&b->text);
	free(b);
}
