/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/mem.h"
#include "crypto/sha256.h"

#define TEXT_MAX (16u * 1024)
#define BOUNDARY "----bench-4f1c9d27b6"

/* xorshift64*: bytes that no file system or network compresses. */
static void
fill(uint64_t *words, size_t n)
{
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);
	size_t i;

	for (i = 0; i < n; i++) {
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		words[i] = x * UINT64_C(0x2545f4914f6cdd1d);
	}
}

static int
hash_chunks(struct plan *p, struct err *err)
{
	unsigned char sum[SHA256_SIZE];

	if (p->chunked == NULL)
		return 0;
	if (p->size == 0 || PLAN_PAYLOAD % p->size != 0)
		return err_set(err, ERR_USAGE, "a chunk's size must divide %u",
		    PLAN_PAYLOAD);
	p->distinct = PLAN_PAYLOAD / p->size;
	p->hashes = mem_calloc((size_t)p->distinct, sizeof(*p->hashes));
	for (uint64_t i = 0; i < p->distinct; i++) {
		sha256(p->payload + i * p->size, (size_t)p->size, sum);
		hex_encode(sum, sizeof(sum), p->hashes[i]);
	}
	return 0;
}

int
plan_open(struct plan *p, struct err *err)
{
	void *map;

	p->payload_fd = -1;
	p->payload = NULL;
	if (p->size == 0)
		return 0;
	p->payload_fd = memfd_create("bench-payload", MFD_CLOEXEC);
	if (p->payload_fd < 0)
		return err_set_errno(err, ERR_IO, "memfd_create");
	if (ftruncate(p->payload_fd, PLAN_PAYLOAD) < 0) {
		err_set_errno(err, ERR_IO, "ftruncate");
		goto fail;
	}
	map = mmap(NULL, PLAN_PAYLOAD, PROT_READ | PROT_WRITE, MAP_SHARED,
	    p->payload_fd, 0);
	if (map == MAP_FAILED) {
		err_set_errno(err, ERR_IO, "mmap");
		goto fail;
	}
	fill(map, PLAN_PAYLOAD / sizeof(uint64_t));
	p->payload = map;
	return hash_chunks(p, err);
fail:
	close(p->payload_fd);
	p->payload_fd = -1;
	return -1;
}

void
plan_close(struct plan *p)
{
	if (p->payload != NULL)
		munmap((void *)(uintptr_t)p->payload, PLAN_PAYLOAD);
	if (p->payload_fd >= 0)
		close(p->payload_fd);
	free(p->hashes);
	p->hashes = NULL;
	p->payload = NULL;
	p->payload_fd = -1;
}

void
plan_request_init(struct plan_request *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->head, TEXT_MAX + PLAN_SMALL);
	buf_init(&r->tail, TEXT_MAX);
}

void
plan_request_fini(struct plan_request *r)
{
	buf_fini(&r->head);
	buf_fini(&r->tail);
}

/* Text with each '#' replaced by the number. */
static int
put_numbered(struct buf *b, const char *text, uint64_t job)
{
	const char *mark;
	size_t n;

	while ((mark = strchr(text, '#')) != NULL) {
		n = (size_t)(mark - text);
		if (buf_append(b, text, n) < 0 ||
		    buf_printf(b, "%" PRIu64, job) < 0)
			return -1;
		text = mark + 1;
	}
	return buf_append_str(b, text);
}

/* The head, for a body of ${length} bytes. */
static int
put_head(const struct plan *p, uint64_t job, uint64_t length, struct buf *b)
{
	bool is_form = p->form_file != NULL || p->chunked != NULL;
	bool has_body = is_form || strcmp(p->method, "PUT") == 0 ||
	                strcmp(p->method, "PATCH") == 0;

	if (buf_printf(b, "%s ", p->method) < 0 ||
	    put_numbered(b, p->target, job) < 0 ||
	    buf_printf(b, " HTTP/1.1\r\nHost: %s\r\n", p->host) < 0)
		return -1;
	if (p->fields != NULL && buf_printf(b, "%s\r\n", p->fields) < 0)
		return -1;
	if (is_form && buf_append_str(b, "Content-Type: multipart/form-data; "
	                                 "boundary=" BOUNDARY "\r\n") < 0)
		return -1;
	if (has_body &&
	    buf_printf(b, "Content-Length: %" PRIu64 "\r\n", length) < 0)
		return -1;
	return buf_append_str(b, "\r\n");
}

static int
put_field(struct buf *b, const char *name, const char *value)
{
	return buf_printf(b,
	    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\""
	    "\r\n\r\n%s\r\n",
	    name, value);
}

static int
put_chunk_head(const struct plan *p, uint64_t job, struct buf *b)
{
	char number[24], total[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, job);
	(void)snprintf(total, sizeof(total), "%" PRIu64, p->chunks);
	if (put_field(b, "filename", p->chunked) < 0 ||
	    put_field(b, "chunk_number", number) < 0 ||
	    put_field(b, "total_chunks", total) < 0 ||
	    put_field(b, "encryption", p->encryption) < 0 ||
	    put_field(b, "chunk_hash", p->hashes[job & (p->distinct - 1)]) < 0)
		return -1;
	return buf_append_str(b, "--" BOUNDARY "\r\nContent-Disposition: "
	                         "form-data; name=\"chunk\"; "
	                         "filename=\"chunk\"\r\n\r\n");
}

static int
put_part_head(const struct plan *p, uint64_t job, struct buf *b)
{
	if (p->chunked != NULL)
		return put_chunk_head(p, job, b);
	if (buf_append_str(b, "--" BOUNDARY "\r\nContent-Disposition: "
	                      "form-data; name=\"file\"; filename=\"") < 0 ||
	    put_numbered(b, p->form_file, job) < 0)
		return -1;
	return buf_append_str(
	    b, "\"\r\nContent-Type: application/octet-stream\r\n\r\n");
}

/* A small body follows its head in the same buffer: one system call. */
static int
put_small_body(const struct plan *p, struct plan_request *r)
{
	uint64_t room = PLAN_PAYLOAD - r->body_off;
	size_t first = (size_t)(r->body_left < room ? r->body_left : room);
	size_t rest = (size_t)r->body_left - first;

	if (buf_append(&r->head, p->payload + r->body_off, first) < 0 ||
	    buf_append(&r->head, p->payload, rest) < 0 ||
	    buf_append_slice(&r->head, buf_slice(&r->tail)) < 0)
		return -1;
	r->body_left = 0;
	buf_clear(&r->tail);
	return 0;
}

int
plan_request_set(
    const struct plan *p, uint64_t job, struct plan_request *r, struct err *err)
{
	struct buf part;
	int rc = -1;

	buf_init(&part, TEXT_MAX);
	buf_clear(&r->head);
	buf_clear(&r->tail);
	r->body_left = p->size;
	/* other bytes for other files, where it costs nothing */
	r->body_off = p->size > 0 ? (job * 65536) % PLAN_PAYLOAD : 0;
	if (p->chunked != NULL)
		r->body_off = job * p->size % PLAN_PAYLOAD;
	if ((p->form_file != NULL || p->chunked != NULL) &&
	    (put_part_head(p, job, &part) < 0 ||
	        buf_append_str(&r->tail, "\r\n--" BOUNDARY "--\r\n") < 0))
		goto out;
	if (put_head(p, job, part.len + p->size + r->tail.len, &r->head) < 0 ||
	    buf_append_slice(&r->head, buf_slice(&part)) < 0)
		goto out;
	if (p->size <= PLAN_SMALL && put_small_body(p, r) < 0)
		goto out;
	rc = 0;
out:
	buf_fini(&part);
	if (rc < 0)
		return err_set(err, ERR_USAGE, "the request is too long");
	return 0;
}
