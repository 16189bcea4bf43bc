/* SPDX-License-Identifier: MIT */
#include "sft/fetching.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sft/pieces.h"
#include "sft/receiving.h"
#include "sft/resumable.h"
#include "sft/turn.h"
#include "sft/url.h"

/* A file that is replaced more often than that while it is fetched. */
#define STARTS_MAX 3

struct fetching {
	struct cli *cli;
	const struct fetching_options *o;
	struct buf target; /* "/download..." */
	char *url;         /* with the server */
	struct turn *turn;
};

/* --- in ranges ------------------------------------------------------------ */

/* What is fetched, as its head says. */
struct subject {
	struct http_head head;
	bool has_head;
};

static int
take_head(void *arg, const struct http_head *head, struct err *err)
{
	struct subject *s = arg;

	(void)err;
	s->head = *head;
	s->has_head = true;
	return 0;
}

static int
take_nothing(void *arg, const void *p, size_t n, struct err *err)
{
	(void)arg;
	(void)p;
	(void)n;
	(void)err;
	return 0;
}

/* An answer to HEAD cannot say why there is none, so a byte is asked for
 * then: -1, or 0 and nothing is known. */
static int
ask_why(struct fetching *f, struct err *err)
{
	struct subject ignored = { 0 };
	const struct http_sink sink = { take_head, take_nothing, &ignored };
	const struct http_request req = {
		.method = "GET",
		.target = buf_str(&f->target),
		.sink = &sink,
		.range = "bytes=0-0",
	};

	err_clear(err);
	return http_do(f->cli->http, &req, NULL, err);
}

static int
ask_head(struct fetching *f, struct subject *ret, struct err *err)
{
	const struct http_sink sink = { take_head, take_nothing, ret };
	const struct http_request req = {
		.method = "HEAD",
		.target = buf_str(&f->target),
		.sink = &sink,
	};
	struct retry retry;
	int rc;

	memset(ret, 0, sizeof(*ret));
	retry_init(&retry, f->cli, f->o->retry);
	do {
		rc = http_do(f->cli->http, &req, NULL, err);
	} while (rc < 0 && retry_wait(&retry, f->cli->http, err));
	if (rc < 0 && http_failure(f->cli->http)->status != 0)
		rc = ask_why(f, err);
	return rc;
}

/* Can ranges of it be asked for? */
static bool
is_rangeable(const struct http_head *head)
{
	return head->status == 200 && head->length > 0 && head->etag[0] == '"';
}

static int
begin_anew(struct fetching *f, struct resumable **ret_r, struct err *err)
{
	struct subject s;
	struct resumable_key key = { .url = f->url };

	if (ask_head(f, &s, err) < 0)
		return -1;
	if (!s.has_head || !is_rangeable(&s.head))
		return err_set(err, ERR_IO,
		    "the server does not say what the file is, so that it "
		    "could be fetched in parts");
	key.etag = s.head.etag;
	key.size = (uint64_t)s.head.length;
	return resumable_new(f->o->landing, &key, ret_r, err);
}

/* Is it something of which the server names no SHA-256? */
static bool
is_unnamed(const struct fetching *f)
{
	return f->o->raw || f->o->target != NULL;
}

/* Is it what the server has?  A container has no hash that is told. */
static int
check(struct fetching *f, struct resumable *r, struct fetching_result *ret,
    struct err *err)
{
	unsigned char sum[SHA256_SIZE], expected[SHA256_SIZE];
	struct http_head head = { .status = 206 };

	(void)snprintf(head.etag, sizeof(head.etag), "%s", resumable_etag(r));
	ret->is_checked = receiving_expected(&head, expected);
	ret->size = resumable_size(r);
	if (!ret->is_checked && !is_unnamed(f))
		return err_set(err, ERR_IO,
		    "the server names no SHA-256, so what comes could not be "
		    "checked: is it an sftd?");
	if (resumable_hash(r, sum, err) < 0)
		return -1;
	hex_encode(sum, sizeof(sum), ret->hash);
	if (!ret->is_checked || memcmp(sum, expected, sizeof(sum)) == 0)
		return 0;
	return err_set(err, ERR_HASH_MISMATCH,
	    "what came is damaged: its SHA-256 is not the one that the server "
	    "names");
}

/* What is there stays, for who goes on with it. */
static void
keep(struct resumable *r, struct fetching_result *ret)
{
	resumable_close(r);
	ret->is_kept = true;
}

/* Checks what is whole, and gives it its name.  Takes ${r}. */
static int
conclude(struct fetching *f, struct resumable *r, struct fetching_result *ret,
    struct err *err)
{
	int rc = check(f, r, ret, err);

	if (rc == 0)
		rc = resumable_commit(r, err);
	/* What is damaged is of no use to anybody; the rest is. */
	if (rc == 0)
		resumable_close(r);
	else if (err->code == ERR_HASH_MISMATCH)
		resumable_discard(r);
	else
		keep(r, ret);
	return rc;
}

/* Takes ${r}. */
static int
fetch_pieces(struct fetching *f, struct resumable *r,
    struct fetching_result *ret, struct err *err)
{
	const struct pieces_options po = {
		.target = buf_str(&f->target),
		.parallel = f->o->parallel,
		.retry = f->o->retry,
		.turn = f->turn,
	};

	for (int starts = 1;; starts++) {
		bool is_replaced;
		int rc;

		progress_begin(f->cli->progress, f->o->name, resumable_size(r));
		progress_skip(f->cli->progress, resumable_there(r));
		rc = pieces_run(f->cli, &po, r, &is_replaced, err);
		if (rc == 0)
			return conclude(f, r, ret, err);
		if (!is_replaced || starts == STARTS_MAX) {
			keep(r, ret);
			return -1;
		}
		resumable_discard(r);
		err_clear(err);
		if (begin_anew(f, &r, err) < 0)
			return -1;
	}
}

/* --- in one answer -------------------------------------------------------- */

/* So ends what turns out damaged while it is decrypted, too. */
static int
explain(const struct receiving *r, struct err *err)
{
	if (err->code == ERR_CLOSED && receiving_size(r) > 0)
		err_set(err, ERR_CLOSED,
		    "the connection broke after %" PRIu64
		    " bytes: try again; if that happens at the same place "
		    "again, the file may be damaged on the server, where "
		    "'sftd verify' would tell",
		    receiving_size(r));
	return -1;
}

static int
take_whole(struct receiving *r, struct fetching_result *ret, struct err *err)
{
	if (receiving_finish(r, err) < 0)
		return -1;
	ret->size = receiving_size(r);
	ret->is_checked = receiving_is_checked(r);
	memcpy(ret->hash, receiving_hash(r), sizeof(ret->hash));
	return 0;
}

/* A stream cannot take its bytes back. */
static bool
may_begin_again(const struct fetching *f, const struct receiving *r)
{
	return receiving_size(r) == 0 || landing_is_file(f->o->landing->path);
}

/* 1: it broke off, and ${ret_left} is what there is of it. */
static int
fetch_once(struct fetching *f, struct retry *retry, struct fetching_result *ret,
    struct resumable **ret_left, struct err *err)
{
	const struct receiving_options ro = {
		.landing = f->o->landing,
		.progress = f->cli->progress,
		.raw = is_unnamed(f),
		.url = f->o->body == NULL ? f->url : NULL,
	};
	struct receiving *r = receiving_new(&ro);
	const struct http_request req = {
		.method = f->o->body == NULL ? "GET" : "POST",
		.target = buf_str(&f->target),
		.json = f->o->body,
		.sink = receiving_sink(r),
		.stands_still = turn_waits,
		.still_arg = f->turn,
	};
	int rc = -1;

	/* another file of the same call may have taken the place */
	if (landing_check(f->o->landing, err) < 0)
		goto out;
	progress_begin(f->cli->progress, f->o->name, PROGRESS_UNKNOWN);
	rc = http_do(f->cli->http, &req, NULL, err);
	if (rc == 0) {
		rc = take_whole(r, ret, err);
		goto out;
	}
	*ret_left = receiving_take_resumable(r);
	if (may_begin_again(f, r) && retry_wait(retry, f->cli->http, err)) {
		rc = 1;
	} else {
		if (*ret_left != NULL)
			keep(*ret_left, ret);
		rc = explain(r, err);
	}
out:
	receiving_free(r);
	return rc;
}

static int
fetch_whole(struct fetching *f, struct fetching_result *ret, struct err *err)
{
	struct resumable *left = NULL;
	struct retry retry;
	int rc;

	retry_init(&retry, f->cli, f->o->retry);
	do {
		rc = fetch_once(f, &retry, ret, &left, err);
	} while (rc > 0 && left == NULL);
	return rc > 0 ? fetch_pieces(f, left, ret, err) : rc;
}

/* --- one file ------------------------------------------------------------- */

/* Is it large enough to be fetched by several? */
static int
fetch_in_parallel(
    struct fetching *f, struct fetching_result *ret, struct err *err)
{
	struct resumable_key key = { .url = f->url };
	struct resumable *r;
	struct subject s;

	if (ask_head(f, &s, err) < 0)
		return -1;
	if (!is_rangeable(&s.head) ||
	    (uint64_t)s.head.length <= RESUMABLE_PIECE)
		return fetch_whole(f, ret, err);
	key.etag = s.head.etag;
	key.size = (uint64_t)s.head.length;
	if (resumable_new(f->o->landing, &key, &r, err) < 0)
		return -1;
	return fetch_pieces(f, r, ret, err);
}

static int
fetch(struct fetching *f, struct fetching_result *ret, struct err *err)
{
	struct resumable *r = NULL;

	if (landing_check(f->o->landing, err) < 0)
		return -1;
	if (!landing_is_file(f->o->landing->path) || f->o->body != NULL)
		return fetch_whole(f, ret, err);
	if (f->o->is_resumed) {
		int rc = resumable_take_up(f->o->landing, f->url, &r, err);

		if (rc < 0)
			return -1;
		if (rc > 0)
			return fetch_pieces(f, r, ret, err);
	}
	return f->o->parallel > 1 ? fetch_in_parallel(f, ret, err)
	                          : fetch_whole(f, ret, err);
}

int
fetching_run(struct cli *cli, const struct fetching_options *o,
    struct fetching_result *ret, struct err *err)
{
	struct fetching f = { .cli = cli, .o = o };
	int rc;

	memset(ret, 0, sizeof(*ret));
	buf_init(&f.target, URL_MAX);
	if (o->target != NULL) {
		buf_append_str(&f.target, o->target);
	} else {
		buf_append_str(
		    &f.target, o->is_preview ? "/thumbnail/" : "/download/");
		url_add_name(&f.target, o->name);
		url_add_query(&f.target, "decrypt", o->raw ? "false" : NULL);
	}
	f.url = mem_printf("%s%s", http_base(cli->http), buf_str(&f.target));
	rc = turn_new(cli, o->name, &f.turn, err);
	if (rc == 0)
		rc = fetch(&f, ret, err);
	progress_end(cli->progress);
	turn_free(f.turn);
	free(f.url);
	buf_fini(&f.target);
	return rc;
}
