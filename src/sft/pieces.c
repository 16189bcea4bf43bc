/* SPDX-License-Identifier: MIT */
#include "sft/pieces.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "sft/crew.h"

struct pieces {
	struct cli *cli;
	const struct pieces_options *o;
	struct resumable *r;
	uint64_t cursor; /* under the crew's lock */
	_Atomic bool is_replaced;
};

/* A range on its way; its thread's. */
struct range {
	struct pieces *p;
	uint64_t at;  /* the next byte */
	uint64_t end; /* behind the last */
};

static uint64_t
piece_end(const struct pieces *p, uint64_t piece)
{
	uint64_t end = (piece + 1) * RESUMABLE_PIECE;

	return end < resumable_size(p->r) ? end : resumable_size(p->r);
}

/* --- a range's answer ----------------------------------------------------- */

static int
replaced(struct pieces *p, struct err *err)
{
	atomic_store(&p->is_replaced, true);
	return err_set(err, ERR_FILE_DAMAGED,
	    "the file was replaced on the server while it was being fetched");
}

static int
do_head(void *arg, const struct http_head *head, struct err *err)
{
	struct range *g = arg;
	char begin[64];

	if (head->status != 206)
		return replaced(g->p, err);
	(void)snprintf(begin, sizeof(begin), "bytes %" PRIu64 "-", g->at);
	if (strncmp(head->content_range, begin, strlen(begin)) == 0)
		return 0;
	return err_set(err, ERR_IO,
	    "the server sent another range than the one that was asked for");
}

static int
do_write(void *arg, const void *data, size_t n, struct err *err)
{
	struct range *g = arg;
	const char *p = data;

	if (n > g->end - g->at)
		return err_set(
		    err, ERR_IO, "the server sent more than was asked for");
	while (n > 0) {
		uint64_t piece = g->at / RESUMABLE_PIECE;
		uint64_t end = piece_end(g->p, piece);
		size_t step = n < end - g->at ? n : (size_t)(end - g->at);

		if (resumable_write(g->p->r, g->at, p, step, err) < 0)
			return -1;
		g->at += step;
		p += step;
		n -= step;
		progress_add(g->p->cli->progress, step);
		if (g->at == end && resumable_done(g->p->r, piece, err) < 0)
			return -1;
	}
	return 0;
}

static int
fetch_range(struct range *g, struct http *h, struct err *err)
{
	const struct http_sink sink = { do_head, do_write, g };
	char range[64];
	const struct http_request req = {
		.method = "GET",
		.target = g->p->o->target,
		.sink = &sink,
		.range = range,
		.if_range = resumable_etag(g->p->r),
		.stands_still = turn_waits,
		.still_arg = g->p->o->turn,
	};

	(void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64,
	    g->at, g->end - 1);
	if (http_do(h, &req, NULL, err) < 0) {
		/* It is shorter now. */
		if (err->code == ERR_RANGE_NOT_SATISFIABLE)
			return replaced(g->p, err);
		return -1;
	}
	if (g->at < g->end)
		return err_set(
		    err, ERR_CLOSED, "the connection broke before the end");
	return 0;
}

/* --- the work ------------------------------------------------------------- */

static bool
next(void *arg, uint64_t *ret_piece)
{
	struct pieces *p = arg;
	uint64_t count = resumable_count(p->r);

	while (p->cursor < count && resumable_has(p->r, p->cursor))
		p->cursor++;
	if (p->cursor == count)
		return false;
	*ret_piece = p->cursor++;
	/* One at a time fetches all up to what is there in one go. */
	while (p->o->parallel == 1 && p->cursor < count &&
	       !resumable_has(p->r, p->cursor))
		p->cursor++;
	return true;
}

/* Where the range that begins with ${piece} ends. */
static uint64_t
range_end(const struct pieces *p, uint64_t piece)
{
	uint64_t last = piece;

	if (p->o->parallel == 1)
		while (last + 1 < resumable_count(p->r) &&
		       !resumable_has(p->r, last + 1))
			last++;
	return piece_end(p, last);
}

static int
run(void *arg, struct http *h, uint64_t piece, struct err *err)
{
	struct pieces *p = arg;
	struct range g = { p, piece * RESUMABLE_PIECE, range_end(p, piece) };
	struct retry retry;
	uint64_t before;
	int rc;

	retry_init(&retry, p->cli, p->o->retry);
	retry_reset(&retry);
	do {
		before = g.at;
		err_clear(err);
		rc = fetch_range(&g, h, err);
		if (g.at > before)
			retry_reset(&retry);
	} while (rc < 0 && !atomic_load(&p->is_replaced) &&
	         retry_wait(&retry, h, err));
	return rc;
}

int
pieces_run(struct cli *cli, const struct pieces_options *o, struct resumable *r,
    bool *ret_replaced, struct err *err)
{
	struct pieces p = { .cli = cli, .o = o, .r = r };
	const struct crew_work work = { next, run, NULL, &p };
	uint64_t missing = 0;
	unsigned threads = o->parallel;
	int rc;

	for (uint64_t i = 0; i < resumable_count(r); i++)
		missing += resumable_has(r, i) ? 0 : 1;
	*ret_replaced = false;
	if (missing == 0)
		return 0;
	if (threads > missing)
		threads = (unsigned)missing;
	rc = crew_run(cli, threads, &work, err);
	*ret_replaced = atomic_load(&p.is_replaced);
	return rc;
}
