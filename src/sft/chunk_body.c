/* SPDX-License-Identifier: MIT */
#include "sft/chunk_body.h"

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
#define FIELDS_MAX (64u * 1024)
#define STEP ((size_t)256 * 1024)

struct chunk_body {
	struct source source;
	struct http_body body;
	struct chunk_part part;
	char boundary[BOUNDARY_SIZE];
	char type[BOUNDARY_SIZE + 40];
	struct buf front; /* fields, and the head of the part */
	char back[BOUNDARY_SIZE + 8];
	uint64_t at;    /* in all three together */
	uint64_t shown; /* bytes of the part, to the progress */
};

/* --- reading -------------------------------------------------------------- */

static int
shorter(struct err *err)
{
	return err_set(
	    err, ERR_IO, "the file became shorter while it was being sent");
}

static ssize_t
read_part(struct chunk_body *b, void *buf, size_t n, struct err *err)
{
	uint64_t at = b->at - b->front.len;
	ssize_t got;

	if (n > b->part.n - at)
		n = (size_t)(b->part.n - at);
	got = file_pread_full(b->part.fd, buf, n, b->part.offset + at, err);
	if (got >= 0 && (size_t)got < n)
		return shorter(err);
	if (got > 0) {
		progress_add(b->part.progress, (uint64_t)got);
		b->shown += (uint64_t)got;
	}
	return got;
}

static size_t
read_text(const char *text, size_t left, void *buf, size_t n)
{
	if (n > left)
		n = left;
	memcpy(buf, text, n);
	return n;
}

static ssize_t
do_read(struct source *src, void *buf, size_t n, struct err *err)
{
	struct chunk_body *b = CONTAINER_OF(src, struct chunk_body, source);
	uint64_t end = b->front.len + b->part.n;
	ssize_t got;

	if (b->at < b->front.len)
		got = (ssize_t)read_text(
		    b->front.p + b->at, b->front.len - (size_t)b->at, buf, n);
	else if (b->at < end)
		got = read_part(b, buf, n, err);
	else
		got = (ssize_t)read_text(b->back + (b->at - end),
		    strlen(b->back) - (size_t)(b->at - end), buf, n);
	if (got > 0)
		b->at += (uint64_t)got;
	return got;
}

static void
do_close(struct source *src)
{
	(void)src;
}

void
chunk_body_restart(struct chunk_body *b)
{
	progress_take_back(b->part.progress, b->shown);
	b->shown = 0;
	b->at = 0;
}

static bool
do_rewind(struct source *src)
{
	chunk_body_restart(CONTAINER_OF(src, struct chunk_body, source));
	return true;
}

/* --- making --------------------------------------------------------------- */

struct chunk_body *
chunk_body_new(const struct chunk_part *part)
{
	struct chunk_body *b = mem_calloc(1, sizeof(*b));

	b->source.read = do_read;
	b->source.close = do_close;
	b->part = *part;
	buf_init(&b->front, FIELDS_MAX);
	(void)snprintf(b->boundary, sizeof(b->boundary),
	    "sft-%016" PRIx64 "%016" PRIx64, rand_u64(), rand_u64());
	(void)snprintf(b->type, sizeof(b->type),
	    "multipart/form-data; boundary=%s", b->boundary);
	(void)snprintf(b->back, sizeof(b->back), "\r\n--%s--\r\n", b->boundary);
	return b;
}

void
chunk_body_field(struct chunk_body *b, const char *name, const char *value)
{
	if (value != NULL)
		buf_printf(&b->front,
		    "--%s\r\nContent-Disposition: form-data; name=\"%s\""
		    "\r\n\r\n%s\r\n",
		    b->boundary, name, value);
}

void
chunk_body_number(struct chunk_body *b, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	chunk_body_field(b, name, text);
}

const struct http_body *
chunk_body_get(struct chunk_body *b)
{
	buf_printf(&b->front,
	    "--%s\r\nContent-Disposition: form-data; name=\"chunk\"; "
	    "filename=\"chunk\"\r\nContent-Type: application/octet-stream"
	    "\r\n\r\n",
	    b->boundary);
	b->body = (struct http_body){
		.source = &b->source,
		.size = (int64_t)(b->front.len + b->part.n + strlen(b->back)),
		.type = b->type,
		.wait_fd = -1,
		.rewind = do_rewind,
	};
	return &b->body;
}

void
chunk_body_free(struct chunk_body *b)
{
	if (b == NULL)
		return;
	buf_fini(&b->front);
	free(b);
}

int
chunk_body_hash(
    const struct chunk_part *part, char ret[SHA256_HEX_SIZE], struct err *err)
{
	unsigned char sum[SHA256_SIZE];
	unsigned char *buf = mem_alloc(STEP);
	uint64_t at = 0;
	struct sha256 s;
	int rc = -1;

	sha256_init(&s);
	while (at < part->n) {
		size_t n = part->n - at < STEP ? (size_t)(part->n - at) : STEP;
		ssize_t got =
		    file_pread_full(part->fd, buf, n, part->offset + at, err);

		if (got < 0)
			goto out;
		if ((size_t)got < n) {
			(void)shorter(err);
			goto out;
		}
		sha256_update(&s, buf, n);
		at += n;
	}
	sha256_final(&s, sum);
	hex_encode(sum, sizeof(sum), ret);
	rc = 0;
out:
	free(buf);
	return rc;
}
