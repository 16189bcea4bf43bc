/* SPDX-License-Identifier: MIT */
#include "sft/chunking.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/thread.h"
#include "sft/chunk_body.h"
#include "sft/out.h"
#include "sft/text.h"
#include "sft/url.h"

#define HASH_STEP ((size_t)1024 * 1024)
#define LOOK_NS (100 * 1000000LL)
/* Chunks are multiples of it where there is a choice: encrypted ones go
 * straight to their places then. */
#define ALIGNMENT ((uint64_t)65536)

/* One file on its way. */
struct chunking {
	struct cli *cli;
	const struct chunking_options *o;
	int fd;
	uint64_t size;
	uint64_t chunk_size;
	uint64_t count;
	unsigned threads;
	unsigned char *there; /* bits: what the server has */
	uint64_t missing;     /* of them, not handed out yet */
	uint64_t cursor;

	pthread_mutex_t lock;   /* over all below */
	pthread_cond_t changed; /* allowed, active; hash */
	unsigned active;        /* chunks under way */
	unsigned allowed;       /* at once; halved when connections break */
	bool must_shrink; /* a chunk is too large for what is in between */
	uint64_t acknowledged;
	json_t *answer; /* that it is complete */

	pthread_t hasher;
	bool has_hasher;
	_Atomic bool is_stopping;
	bool is_hashed;
	struct err hash_err;
	char hash[SHA256_HEX_SIZE];
};

bool
chunking_can(const char *path, uint64_t *ret_size)
{
	struct stat st;

	if (strcmp(path, "-") == 0 || stat(path, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	*ret_size = (uint64_t)st.st_size;
	return true;
}

static bool
bit(const unsigned char *bits, uint64_t i)
{
	return (bits[i / 8] >> (i % 8) & 1) != 0;
}

/* --- the file's hash ------------------------------------------------------ */

static int
hash_file(struct chunking *c, char ret[SHA256_HEX_SIZE], struct err *err)
{
	unsigned char sum[SHA256_SIZE];
	unsigned char *buf = mem_alloc(HASH_STEP);
	struct sha256 s;
	uint64_t at = 0;
	ssize_t n = 0;

	sha256_init(&s);
	while (at < c->size && !atomic_load(&c->is_stopping)) {
		n = file_pread_full(c->fd, buf, HASH_STEP, at, err);
		if (n <= 0)
			break;
		sha256_update(&s, buf, (size_t)n);
		at += (uint64_t)n;
	}
	free(buf);
	if (n < 0)
		return -1;
	sha256_final(&s, sum);
	hex_encode(sum, sizeof(sum), ret);
	return 0;
}

static void *
run_hasher(void *arg)
{
	struct chunking *c = arg;
	char hash[SHA256_HEX_SIZE] = "";
	struct err err = ERR_INIT;

	(void)hash_file(c, hash, &err);
	pthread_mutex_lock(&c->lock);
	memcpy(c->hash, hash, sizeof(hash));
	c->hash_err = err;
	c->is_hashed = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* The hash when it is known, or once it is: "" where it need not be. */
static int
get_hash(struct chunking *c, bool is_needed, char ret[SHA256_HEX_SIZE],
    struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	while (is_needed && !c->is_hashed && rc == 0) {
		(void)thread_cond_wait_until(&c->changed, &c->lock,
		    clock_mono_ns(clock_system()) + LOOK_NS);
		rc = interrupt_check(c->cli->interrupt, err);
	}
	memcpy(ret, c->hash, SHA256_HEX_SIZE);
	if (rc == 0 && c->hash_err.code != ERR_NONE) {
		*err = c->hash_err;
		rc = -1;
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* --- what to send --------------------------------------------------------- */

static uint64_t
count_of(uint64_t size, uint64_t chunk_size)
{
	return size == 0 ? 1 : (size + chunk_size - 1) / chunk_size;
}

/* So large that the most chunks suffice. */
static uint64_t
fit_size(uint64_t size, uint64_t chunk_size)
{
	uint64_t least = (size + CHUNKING_COUNT_MAX - 1) / CHUNKING_COUNT_MAX;

	if (chunk_size >= least)
		return chunk_size;
	return (least + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* What the server thinks of the connection; without an opinion, something that
 * suits most. */
static void
ask_advice(struct chunking *c)
{
	json_t *body = json_pack(
	    "{s:f}", "timestamp", (double)clock_wall_ms(clock_system()) / 1e3);
	const struct cli_ask ask = { "POST", "/ping", body };
	struct err ignored = ERR_INIT;
	json_t *answer = NULL;
	uint64_t size = 0, parallel = 0;

	if (cli_ask(c->cli, &ask, &answer, &ignored) == 0) {
		size = out_uint(answer, "recommended_chunk_size");
		parallel = out_uint(answer, "recommended_parallel");
	}
	json_decref(answer);
	json_decref(body);
	c->chunk_size = size >= CHUNKING_SIZE_MIN && size <= CHUNKING_SIZE_MAX
	                    ? size
	                    : CHUNKING_SIZE_DEFAULT;
	c->threads = parallel >= 1 && parallel <= CREW_MAX
	                 ? (unsigned)parallel
	                 : CHUNKING_PARALLEL_DEFAULT;
}

static void
choose(struct chunking *c)
{
	c->chunk_size = c->o->chunk_size;
	c->threads = (unsigned)c->o->parallel;
	if (c->chunk_size == 0 || c->threads == 0) {
		ask_advice(c);
		if (c->o->chunk_size != 0)
			c->chunk_size = c->o->chunk_size;
		if (c->o->parallel != 0)
			c->threads = (unsigned)c->o->parallel;
	}
	c->chunk_size = fit_size(c->size, c->chunk_size);
	c->count = count_of(c->size, c->chunk_size);
}

static int
ask_resume(struct chunking *c, json_t **ret_info, struct err *err)
{
	struct cli_ask ask = { .method = "GET" };
	struct buf target;
	int rc;

	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/resume_info/");
	url_add_name(&target, c->o->name);
	ask.target = buf_str(&target);
	rc = cli_ask(c->cli, &ask, ret_info, err);
	buf_fini(&target);
	return rc;
}

static void
take_ranges(struct chunking *c, const json_t *ranges)
{
	size_t i;
	const json_t *one;

	json_array_foreach(ranges, i, one)
	{
		json_int_t first = json_integer_value(json_array_get(one, 0));
		json_int_t last = json_integer_value(json_array_get(one, 1));

		for (json_int_t n = first;
		     n >= 0 && n <= last && (uint64_t)n < c->count; n++)
			c->there[n / 8] |= (unsigned char)(1u << (n % 8));
	}
}

/* What there is of an upload under way, when it is cut as ours is or can be. */
static int
plan(struct chunking *c, struct err *err)
{
	json_t *info = NULL;
	uint64_t total, grid;

	if (ask_resume(c, &info, err) < 0)
		return -1;
	total = out_uint(info, "total_chunks");
	grid = out_uint(info, "chunk_size");
	/* An upload is gone on with in chunks of its own size. */
	if (grid >= 1 && count_of(c->size, grid) == total) {
		c->chunk_size = grid;
		c->count = total;
	}
	c->there = mem_calloc((size_t)(c->count / 8 + 1), 1);
	if (json_is_true(json_object_get(info, "can_resume")) &&
	    total == c->count)
		take_ranges(c, json_object_get(info, "received_ranges"));
	json_decref(info);
	c->missing = 0;
	c->cursor = 0;
	for (uint64_t i = 0; i < c->count; i++)
		c->missing += bit(c->there, i) ? 0 : 1;
	return 0;
}

/* --- one chunk ------------------------------------------------------------ */

static bool
next(void *arg, uint64_t *ret_piece)
{
	struct chunking *c = arg;

	while (c->cursor < c->count && bit(c->there, c->cursor))
		c->cursor++;
	if (c->cursor == c->count || c->must_shrink)
		return false;
	*ret_piece = c->cursor++;
	pthread_mutex_lock(&c->lock);
	c->missing--;
	pthread_mutex_unlock(&c->lock);
	return true;
}

static int
take_turn(struct chunking *c, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	while (c->active >= c->allowed && rc == 0) {
		(void)thread_cond_wait_until(&c->changed, &c->lock,
		    clock_mono_ns(clock_system()) + LOOK_NS);
		rc = interrupt_check(c->cli->interrupt, err);
	}
	if (rc == 0)
		c->active++;
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static void
end_turn(struct chunking *c, const struct err *err)
{
	pthread_mutex_lock(&c->lock);
	c->active--;
	if ((err->code == ERR_CLOSED || err->code == ERR_TIMEOUT) &&
	    c->allowed > 1)
		c->allowed /= 2;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static struct chunk_part
part_of(const struct chunking *c, uint64_t piece)
{
	struct chunk_part p = {
		.fd = c->fd,
		.offset = piece * c->chunk_size,
		.progress = c->cli->progress,
	};

	p.n = c->size - p.offset < c->chunk_size ? c->size - p.offset
	                                         : c->chunk_size;
	return p;
}

static void
add_number(struct chunk_body *b, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	chunk_body_field(b, name, text);
}

static int
make_body(struct chunking *c, uint64_t piece, struct chunk_body **ret_body,
    struct err *err)
{
	const struct chunk_part part = part_of(c, piece);
	char chunk_hash[SHA256_HEX_SIZE], file_hash[SHA256_HEX_SIZE];
	struct chunk_body *b;
	bool is_last;

	pthread_mutex_lock(&c->lock);
	is_last = c->missing == 0;
	pthread_mutex_unlock(&c->lock);
	if (chunk_body_hash(&part, chunk_hash, err) < 0 ||
	    get_hash(c, is_last, file_hash, err) < 0)
		return -1;
	b = chunk_body_new(&part);
	chunk_body_field(b, "filename", c->o->name);
	add_number(b, "chunk_number", piece);
	add_number(b, "total_chunks", c->count);
	chunk_body_field(b, "chunk_hash", chunk_hash);
	add_number(b, "total_size", c->size);
	chunk_body_field(
	    b, "file_hash", file_hash[0] == '\0' ? NULL : file_hash);
	chunk_body_field(b, "encryption", c->o->encrypt ? "true" : "false");
	chunk_body_field(b, "priority", c->o->priority);
	chunk_body_field(b, "client_id", c->o->client_id);
	*ret_body = b;
	return 0;
}

static void
acknowledge(struct chunking *c, json_t *answer)
{
	pthread_mutex_lock(&c->lock);
	c->acknowledged++;
	if (strcmp(out_str(answer, "status"), "completed") == 0 &&
	    c->answer == NULL)
		c->answer = json_incref(answer);
	pthread_mutex_unlock(&c->lock);
}

static int
send_once(struct chunking *c, struct http *h, struct chunk_body *b,
    const struct http_body *body, struct err *err)
{
	const struct http_request req = {
		.method = "POST",
		.target = "/upload_chunk",
		.body = body,
	};
	struct http_reply reply = { 0 };
	int rc;

	if (take_turn(c, err) < 0)
		return -1;
	chunk_body_restart(b);
	rc = http_do(h, &req, &reply, err);
	end_turn(c, err);
	if (rc == 0)
		acknowledge(c, reply.json);
	else
		chunk_body_restart(b);
	http_reply_fini(&reply);
	return rc;
}

/* A proxy may take less than the server: 413, but not with its limit. */
static bool
is_too_large_for_a_proxy(const struct http *h)
{
	return http_failure(h)->status == 413 && !http_failure(h)->names_limit;
}

static int
send_piece(void *arg, struct http *h, uint64_t piece, struct err *err)
{
	struct chunking *c = arg;
	const struct http_body *body;
	struct chunk_body *b;
	struct retry retry;
	int rc;

	if (make_body(c, piece, &b, err) < 0)
		return -1;
	body = chunk_body_get(b);
	retry_init(&retry, c->cli, c->o->retry);
	/* It answered when it was asked what is there. */
	retry_reset(&retry);
	do {
		err_clear(err);
		rc = send_once(c, h, b, body, err);
	} while (rc < 0 && retry_wait(&retry, h, err));
	if (rc < 0 && is_too_large_for_a_proxy(h)) {
		pthread_mutex_lock(&c->lock);
		c->must_shrink = c->acknowledged == 0;
		pthread_mutex_unlock(&c->lock);
	}
	chunk_body_free(b);
	return rc;
}

/* --- all of them ---------------------------------------------------------- */

static int
check_answer(struct chunking *c, struct err *err)
{
	char hash[SHA256_HEX_SIZE];

	if (c->answer == NULL)
		return err_set(err, ERR_IO,
		    "the server has all chunks, and does not say that the "
		    "file is complete: ask 'sft status --file'");
	if (get_hash(c, true, hash, err) < 0)
		return -1;
	if (strcmp(hash, out_str(c->answer, "hash")) == 0)
		return 0;
	return err_set(err, ERR_HASH_MISMATCH,
	    "the server holds other bytes than the file has (SHA-256 %.64s, "
	    "not %s): send it again",
	    out_str(c->answer, "hash"), hash);
}

static int
send_missing(struct chunking *c, struct err *err)
{
	const struct crew_work work = { next, send_piece, c };
	unsigned threads = c->threads;

	if (threads > c->missing)
		threads = c->missing == 0 ? 1 : (unsigned)c->missing;
	c->allowed = threads;
	c->must_shrink = false;
	progress_begin(c->cli->progress, c->o->name, c->size);
	for (uint64_t i = 0; i < c->count; i++)
		if (bit(c->there, i))
			progress_add(c->cli->progress, part_of(c, i).n);
	return crew_run(c->cli, threads, &work, err);
}

static int
run(struct chunking *c, struct err *err)
{
	int rc;

	choose(c);
	for (;;) {
		if (plan(c, err) < 0)
			return -1;
		rc = send_missing(c, err);
		progress_end(c->cli->progress);
		if (rc == 0 || !c->must_shrink ||
		    c->chunk_size / 2 < CHUNKING_SIZE_MIN ||
		    c->o->chunk_size != 0)
			break;
		if (count_of(c->size, c->chunk_size / 2) > CHUNKING_COUNT_MAX)
			break;
		c->chunk_size /= 2;
		c->count = count_of(c->size, c->chunk_size);
		free(c->there);
		c->there = NULL;
		err_clear(err);
	}
	if (rc < 0 && err->code == ERR_INTERRUPTED)
		err_set(err, ERR_INTERRUPTED,
		    "interrupted; the same command goes on with what is "
		    "missing");
	return rc < 0 ? -1 : check_answer(c, err);
}

static int
start_hasher(struct chunking *c, struct err *err)
{
	static const struct thread_options options = { "sft-hash", 0 };

	if (thread_start(&options, run_hasher, c, &c->hasher, err) < 0)
		return -1;
	c->has_hasher = true;
	return 0;
}

static int
open_file(struct chunking *c, struct err *err)
{
	struct stat st;

	c->fd = file_open(AT_FDCWD, c->o->path, O_RDONLY, 0, err);
	if (c->fd < 0)
		return -1;
	if (fstat(c->fd, &st) < 0)
		return err_set_errno(
		    err, ERR_IO, "cannot read '%s'", c->o->path);
	c->size = (uint64_t)st.st_size;
	if (c->o->chunk_size != 0 &&
	    count_of(c->size, c->o->chunk_size) > CHUNKING_COUNT_MAX)
		return err_set(err, ERR_USAGE,
		    "--chunk-size is too small: a file can have 1000000 chunks "
		    "at most");
	return 0;
}

int
chunking_send(struct cli *cli, const struct chunking_options *o,
    json_t **ret_answer, struct err *err)
{
	struct chunking c = { .cli = cli, .o = o, .fd = -1 };
	int rc = -1;

	pthread_mutex_init(&c.lock, NULL);
	thread_cond_init(&c.changed);
	if (open_file(&c, err) == 0 && start_hasher(&c, err) == 0)
		rc = run(&c, err);
	atomic_store(&c.is_stopping, true);
	if (c.has_hasher)
		pthread_join(c.hasher, NULL);
	if (rc == 0)
		*ret_answer = json_incref(c.answer);
	json_decref(c.answer);
	file_close(c.fd);
	free(c.there);
	pthread_cond_destroy(&c.changed);
	pthread_mutex_destroy(&c.lock);
	return rc;
}
