/* SPDX-License-Identifier: MIT */
#include "sft/chunking.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"
#include "sft/advice.h"
#include "sft/chunk_body.h"
#include "sft/file_hash.h"
#include "sft/gate.h"
#include "sft/out.h"
#include "sft/turn.h"
#include "sft/url.h"

#define LOOK_NS (100 * 1000000LL)

/* Where connections break before a chunk is through, after so many tries and
 * down to so small chunks, smaller ones may get through. */
#define SHRINK_TRIES 2u
#define SHRINK_MIN ((uint64_t)1024 * 1024)

/* One file on its way. */
struct chunking {
	struct cli *cli;
	const struct chunking_options *o;
	int fd;
	uint64_t size;
	unsigned parallel; /* to begin with */
	bool is_advised;   /* its number of chunks at once is followed */
	struct advice advice;
	bool is_resumed; /* the server has an upload of our cut */
	struct file_hash *hash;
	struct turn *turn;

	pthread_mutex_t lock;   /* over all below */
	pthread_cond_t changed; /* gate, acknowledged */
	struct grid grid;
	struct gate gate; /* halved when connections break */
	uint64_t acknowledged;
	bool must_shrink; /* a chunk is too large for what is in between */
	bool is_over;     /* one of them failed for good: */
	struct err err;   /* why, unless others are to be cut */
	json_t *answer;   /* that it is complete */
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

/* --- what to send --------------------------------------------------------- */

static uint64_t
first_of(uint64_t given, uint64_t advised, uint64_t otherwise)
{
	return given != 0 ? given : advised != 0 ? advised : otherwise;
}

/* What is not given is as the server advises; without an opinion, something
 * that suits most. */
static void
choose(struct chunking *c)
{
	const struct chunking_options *o = c->o;
	struct advice *a = &c->advice;

	if (o->chunk_size == 0 || o->parallel == 0)
		c->is_advised = advice_ask(c->cli, a) && o->parallel == 0;
	c->parallel = (unsigned)first_of(
	    o->parallel, a->parallel, CHUNKING_PARALLEL_DEFAULT);
	grid_init(&c->grid, c->size,
	    first_of(o->chunk_size, a->chunk_size, CHUNKING_SIZE_DEFAULT));
}

/* While it runs, the number of chunks at once follows the advice. */
static void
follow(void *arg)
{
	struct chunking *c = arg;

	if (!c->is_advised || !advice_again(c->cli, &c->advice))
		return;
	pthread_mutex_lock(&c->lock);
	gate_allow(&c->gate, (unsigned)c->advice.parallel);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static int
ask_resume(struct chunking *c, json_t **ret_info, struct err *err)
{
	struct cli_ask ask = { .method = "GET" };
	struct retry retry;
	struct buf target;
	int rc;

	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/resume_info/");
	url_add_name(&target, c->o->name);
	ask.target = buf_str(&target);
	retry_init(&retry, c->cli, c->o->retry);
	do {
		rc = cli_ask(c->cli, &ask, ret_info, err);
	} while (rc < 0 && retry_wait(&retry, c->cli->http, err));
	buf_fini(&target);
	return rc;
}

/* Takes up what there is of an upload under way. */
static int
plan(struct chunking *c, struct err *err)
{
	json_t *info = NULL;

	if (ask_resume(c, &info, err) < 0)
		return -1;
	c->is_resumed = grid_resume(&c->grid, info);
	json_decref(info);
	if (c->is_resumed && c->cli->verbose)
		cli_say(c->cli,
		    "the server has %" PRIu64 " of %" PRIu64
		    " chunks of '%s' already",
		    c->grid.count - c->grid.missing, c->grid.count, c->o->name);
	return 0;
}

/* --- one chunk ------------------------------------------------------------ */

static bool
next(void *arg, uint64_t *ret_piece)
{
	struct chunking *c = arg;
	bool is_there;

	pthread_mutex_lock(&c->lock);
	is_there = !c->is_over && grid_next(&c->grid, ret_piece);
	pthread_mutex_unlock(&c->lock);
	return is_there;
}

/* A chunk on its way. */
struct carry {
	struct http *http;
	uint64_t number;
	struct chunk_body *form;
	const struct http_body *body;
	struct retry retry;
};

/* Could the chunks still be cut smaller? */
static bool
may_shrink(const struct chunking *c)
{
	const struct grid *g = &c->grid;

	return c->o->chunk_size == 0 && !c->is_resumed &&
	       c->acknowledged == 0 && g->chunk_size / 2 >= GRID_CHUNK_MIN &&
	       g->size <= g->chunk_size / 2 * GRID_COUNT_MAX;
}

/* The first one goes alone where its size may turn out wrong: the others would
 * settle it. */
static bool
must_wait(const struct chunking *c, const struct carry *one)
{
	return !gate_is_open(&c->gate, one->number) ||
	       (may_shrink(c) && one->number != 0);
}

static int
take_turn(struct chunking *c, const struct carry *one, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	gate_wait(&c->gate, one->number);
	while (rc == 0 && !c->is_over && must_wait(c, one)) {
		(void)thread_cond_wait_until(&c->changed, &c->lock,
		    clock_mono_ns(clock_system()) + LOOK_NS);
		rc = interrupt_check(c->cli->interrupt, err);
	}
	if (rc == 0 && c->is_over)
		rc = err_set(err, ERR_UNAVAILABLE, "another chunk failed");
	if (rc == 0)
		gate_enter(&c->gate, one->number);
	else
		gate_give_up(&c->gate, one->number);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

static bool
is_broken(const struct err *err)
{
	return err->code == ERR_CLOSED || err->code == ERR_TIMEOUT;
}

/* A proxy may take less than the server: 413, but without the server's
 * limit. */
static bool
is_too_large_for_a_proxy(const struct http *h)
{
	return http_failure(h)->status == 413 && !http_failure(h)->names_limit;
}

static bool
is_too_large(
    const struct chunking *c, const struct carry *one, const struct err *err)
{
	if (is_too_large_for_a_proxy(one->http))
		return true;
	return is_broken(err) && one->retry.tried >= SHRINK_TRIES &&
	       c->grid.chunk_size > SHRINK_MIN;
}

/* ${answer} is NULL when it failed. */
static void
end_turn(struct chunking *c, const struct carry *one, json_t *answer,
    const struct err *err)
{
	pthread_mutex_lock(&c->lock);
	gate_leave(&c->gate);
	if (answer != NULL) {
		c->acknowledged++;
		if (strcmp(out_str(answer, "status"), "completed") == 0 &&
		    c->answer == NULL)
			c->answer = json_incref(answer);
	} else {
		if (may_shrink(c) && is_too_large(c, one, err))
			c->must_shrink = c->is_over = true;
		if (is_broken(err))
			gate_halve(&c->gate);
	}
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static struct chunk_part
part_of(const struct chunking *c, uint64_t piece)
{
	return (struct chunk_part){
		.fd = c->fd,
		.offset = piece * c->grid.chunk_size,
		.n = grid_chunk_bytes(&c->grid, piece),
		.progress = c->cli->progress,
	};
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
	is_last = c->grid.missing == 0;
	pthread_mutex_unlock(&c->lock);
	if (chunk_body_hash(&part, chunk_hash, err) < 0 ||
	    file_hash_get(c->hash, is_last, file_hash, err) < 0)
		return -1;
	b = chunk_body_new(&part);
	chunk_body_field(b, "filename", c->o->name);
	chunk_body_number(b, "chunk_number", piece);
	chunk_body_number(b, "total_chunks", c->grid.count);
	chunk_body_field(b, "chunk_hash", chunk_hash);
	chunk_body_number(b, "total_size", c->size);
	chunk_body_field(
	    b, "file_hash", file_hash[0] == '\0' ? NULL : file_hash);
	chunk_body_field(b, "encryption", c->o->encrypt ? "true" : "false");
	chunk_body_field(b, "priority", c->o->priority);
	chunk_body_field(b, "client_id", c->o->client_id);
	chunk_body_field(b, "if_exists", c->o->if_exists);
	*ret_body = b;
	return 0;
}

static int
send_once(struct chunking *c, const struct carry *one, struct err *err)
{
	const struct http_request req = {
		.method = "POST",
		.target = "/upload_chunk",
		.body = one->body,
		.stands_still = turn_waits,
		.still_arg = c->turn,
	};
	struct http_reply reply = { 0 };
	int rc;

	if (take_turn(c, one, err) < 0)
		return -1;
	rc = http_do(one->http, &req, &reply, err);
	if (rc == 0 && reply.json == NULL)
		rc = err_set(err, ERR_IO, "the server's answer is empty");
	end_turn(c, one, reply.json, err);
	if (rc < 0)
		chunk_body_restart(one->form);
	http_reply_fini(&reply);
	return rc;
}

static bool
is_over(struct chunking *c)
{
	bool is;

	pthread_mutex_lock(&c->lock);
	is = c->is_over;
	pthread_mutex_unlock(&c->lock);
	return is;
}

/* The others need not go on. */
static int
end_all(struct chunking *c, const struct err *err)
{
	pthread_mutex_lock(&c->lock);
	if (!c->is_over)
		c->err = *err;
	c->is_over = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return -1;
}

static int
send_piece(void *arg, struct http *h, uint64_t piece, struct err *err)
{
	struct chunking *c = arg;
	struct carry one = { .http = h, .number = piece };
	int rc;

	if (make_body(c, piece, &one.form, err) < 0)
		return end_all(c, err);
	one.body = chunk_body_get(one.form);
	retry_init(&one.retry, c->cli, c->o->retry);
	/* It answered when it was asked what is there. */
	retry_reset(&one.retry);
	do {
		rc = send_once(c, &one, err);
	} while (rc < 0 && !is_over(c) && retry_wait(&one.retry, h, err));
	if (rc < 0 && is_too_large_for_a_proxy(h))
		err_set(err, ERR_FILE_TOO_LARGE,
		    "something between here and the server takes no chunk of "
		    "%" PRIu64 " bytes: 'sft cancel NAME', and then a smaller "
		    "--chunk-size",
		    c->grid.chunk_size);
	chunk_body_free(one.form);
	return rc < 0 ? end_all(c, err) : 0;
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
	if (file_hash_get(c->hash, true, hash, err) < 0)
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
	const struct crew_work work = { next, send_piece, follow, c };
	unsigned threads = c->is_advised ? ADVICE_PARALLEL_MAX : c->parallel;

	if (threads > c->grid.missing)
		threads = c->grid.missing == 0 ? 1 : (unsigned)c->grid.missing;
	gate_init(&c->gate, c->parallel, threads);
	c->must_shrink = c->is_over = false;
	progress_begin(c->cli->progress, c->o->name, c->size);
	progress_skip(c->cli->progress, grid_there(&c->grid));
	if (crew_run(c->cli, threads, &work, err) == 0)
		return 0;
	/* what the first one failed for, not those that it stopped */
	if (c->err.code != ERR_NONE)
		*err = c->err;
	return -1;
}

static int
run(struct chunking *c, struct err *err)
{
	uint64_t half;
	int rc;

	choose(c);
	for (;;) {
		if (plan(c, err) < 0)
			return -1;
		rc = send_missing(c, err);
		progress_end(c->cli->progress);
		if (rc == 0)
			return check_answer(c, err);
		if (!c->must_shrink || err->code == ERR_INTERRUPTED)
			return -1;
		err_clear(err);
		half = c->grid.chunk_size / 2;
		grid_fini(&c->grid);
		grid_init(&c->grid, c->size, half);
		if (c->cli->verbose)
			cli_say(c->cli,
			    "trying again with chunks of %" PRIu64 " bytes",
			    half);
	}
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
	    c->size > c->o->chunk_size * GRID_COUNT_MAX)
		return err_set(err, ERR_USAGE,
		    "--chunk-size is too small: a file can have %" PRIu64
		    " chunks at most",
		    GRID_COUNT_MAX);
	return 0;
}

static int
start_hash(struct chunking *c, struct err *err)
{
	const struct file_hash_options o = {
		.fd = c->fd,
		.size = c->size,
		.interrupt = c->cli->interrupt,
	};

	return file_hash_start(&o, &c->hash, err);
}

int
chunking_send(struct cli *cli, const struct chunking_options *o,
    struct chunking_result *ret, struct err *err)
{
	struct chunking c = { .cli = cli, .o = o, .fd = -1 };
	int rc = -1;

	pthread_mutex_init(&c.lock, NULL);
	thread_cond_init(&c.changed);
	if (open_file(&c, err) == 0 && start_hash(&c, err) == 0 &&
	    turn_new(cli, o->name, &c.turn, err) == 0)
		rc = run(&c, err);
	file_hash_close(c.hash);
	turn_free(c.turn);
	ret->answer = c.answer;
	ret->is_begun =
	    c.answer == NULL &&
	    (c.acknowledged > 0 || (c.is_resumed && grid_there(&c.grid) > 0));
	file_close(c.fd);
	grid_fini(&c.grid);
	pthread_cond_destroy(&c.changed);
	pthread_mutex_destroy(&c.lock);
	return rc;
}
