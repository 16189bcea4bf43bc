/* SPDX-License-Identifier: MIT */
#include "sft/receiving.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/slice.h"

struct receiving {
	struct http_sink sink;
	struct receiving_options options;
	/* One of them once the head has come. */
	struct landing *landing;
	struct resumable *resumable;
	struct progress *progress;
	struct sha256 hash;
	unsigned char expected[SHA256_SIZE];
	bool raw;
	bool is_checked; /* by what is expected */
	int64_t length;  /* or HTTP_SIZE_UNKNOWN */
	uint64_t size;   /* so far */
	char hex[SHA256_HEX_SIZE];
};

/* One of "sha-512=:...:, sha-256=:...:". */
static bool
from_repr_digest(struct slice field, unsigned char ret[SHA256_SIZE])
{
	unsigned char sum[SHA256_SIZE];
	struct slice part, name;
	size_t n;

	while (slice_next(&field, ',', &part)) {
		if (!slice_next(&part, '=', &name) ||
		    !slice_eq_nocase(slice_trim(name), "sha-256"))
			continue;
		part = slice_trim(part);
		if (part.n < 2 || part.p[0] != ':' || part.p[part.n - 1] != ':')
			continue;
		part.p++;
		part.n -= 2;
		if (!base64_decode(part, sum, sizeof(sum), &n) ||
		    n != sizeof(sum))
			continue;
		memcpy(ret, sum, sizeof(sum));
		return true;
	}
	return false;
}

bool
receiving_expected(const struct http_head *head, unsigned char ret[SHA256_SIZE])
{
	struct slice tag = slice_str(head->etag);

	if (from_repr_digest(slice_str(head->repr_digest), ret))
		return true;
	/* a proxy may have made it a weak one */
	if (slice_starts(tag, "W/")) {
		tag.p += 2;
		tag.n -= 2;
	}
	if (tag.n != SHA256_HEX_SIZE + 1 || tag.p[0] != '"' ||
	    tag.p[tag.n - 1] != '"')
		return false;
	tag.p++;
	tag.n -= 2;
	return hex_decode(tag, ret, SHA256_SIZE);
}

/* One that is fetched twice at once is so without a journal. */
static int
open_landing(struct receiving *r, const struct http_head *head, struct err *err)
{
	const struct landing_options *o = r->options.landing;
	const struct resumable_key key = {
		.url = r->options.url,
		.etag = head->etag,
		.size = (uint64_t)head->length,
	};
	struct err e = ERR_INIT;

	if (key.url != NULL && head->length != HTTP_SIZE_UNKNOWN &&
	    key.size > RESUMABLE_PIECE && head->etag[0] == '"' &&
	    landing_is_file(o->path)) {
		if (resumable_new(o, &key, &r->resumable, &e) == 0)
			return 0;
		if (e.code != ERR_EXISTS) {
			*err = e;
			return -1;
		}
	}
	return landing_open(o, &r->landing, err);
}

static int
do_head(void *arg, const struct http_head *head, struct err *err)
{
	struct receiving *r = arg;

	if (head->status != 200)
		return err_set(err, ERR_IO,
		    "the server answered %d %s where a file should come",
		    head->status, head->reason);
	r->is_checked = receiving_expected(head, r->expected);
	if (!r->is_checked && !r->raw)
		return err_set(err, ERR_IO,
		    "the server names no SHA-256, so what comes could not be "
		    "checked: is it an sftd?");
	r->length = head->length;
	if (r->length != HTTP_SIZE_UNKNOWN)
		progress_expect(r->progress, (uint64_t)r->length);
	return open_landing(r, head, err);
}

static int
write_resumable(struct receiving *r, const void *p, size_t n, struct err *err)
{
	uint64_t before = r->size - n;

	if (resumable_write(r->resumable, before, p, n, err) < 0)
		return -1;
	for (uint64_t i = before / RESUMABLE_PIECE;
	     i < resumable_count(r->resumable); i++) {
		uint64_t end = (i + 1) * RESUMABLE_PIECE;

		if (end > resumable_size(r->resumable))
			end = resumable_size(r->resumable);
		if (end > r->size)
			break;
		if (end > before && resumable_done(r->resumable, i, err) < 0)
			return -1;
	}
	return 0;
}

static int
do_write(void *arg, const void *p, size_t n, struct err *err)
{
	struct receiving *r = arg;

	sha256_update(&r->hash, p, n);
	r->size += n;
	progress_add(r->progress, n);
	if (r->resumable != NULL)
		return write_resumable(r, p, n, err);
	return landing_write(r->landing, p, n, err);
}

struct receiving *
receiving_new(const struct receiving_options *o)
{
	struct receiving *r = mem_calloc(1, sizeof(*r));

	r->sink.head = do_head;
	r->sink.write = do_write;
	r->sink.arg = r;
	r->options = *o;
	r->progress = o->progress;
	r->raw = o->raw;
	r->length = HTTP_SIZE_UNKNOWN;
	sha256_init(&r->hash);
	return r;
}

void
receiving_free(struct receiving *r)
{
	if (r == NULL)
		return;
	landing_close(r->landing);
	if (r->resumable != NULL)
		resumable_discard(r->resumable);
	free(r);
}

struct resumable *
receiving_take_resumable(struct receiving *r)
{
	struct resumable *taken = r->resumable;

	r->resumable = NULL;
	return taken;
}

const struct http_sink *
receiving_sink(struct receiving *r)
{
	return &r->sink;
}

int
receiving_finish(struct receiving *r, struct err *err)
{
	unsigned char sum[SHA256_SIZE];

	if (r->landing == NULL && r->resumable == NULL)
		return err_set(err, ERR_IO, "the server sent no file");
	sha256_final(&r->hash, sum);
	hex_encode(sum, sizeof(sum), r->hex);
	if (r->length != HTTP_SIZE_UNKNOWN && r->size != (uint64_t)r->length)
		return err_set(err, ERR_SIZE_MISMATCH,
		    "%" PRIu64 " bytes came where %" PRId64 " were announced",
		    r->size, r->length);
	if (r->is_checked && memcmp(sum, r->expected, sizeof(sum)) != 0)
		return err_set(err, ERR_HASH_MISMATCH,
		    "what came is damaged: its SHA-256 is not the one that the "
		    "server names");
	if (r->resumable == NULL)
		return landing_commit(r->landing, err);
	if (resumable_commit(r->resumable, err) < 0)
		return -1;
	resumable_close(receiving_take_resumable(r));
	return 0;
}

uint64_t
receiving_size(const struct receiving *r)
{
	return r->size;
}

const char *
receiving_hash(const struct receiving *r)
{
	return r->hex;
}

bool
receiving_is_checked(const struct receiving *r)
{
	return r->is_checked;
}
