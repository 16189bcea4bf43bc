/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proto/limits.h"
#include "sft/batch_body.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/retry.h"
#include "sft/table.h"
#include "sft/text.h"
#include "sft/turn.h"
#include "sft/url.h"
#include "sft/walk.h"

#define TABLE_MAX (64u * 1024 * 1024)

struct options {
	uint64_t priority;
	bool priority_is_given;
	bool encrypt;
	const char *client_id;
	const char *if_exists;
	struct retry_options retry;
};

struct batch {
	struct cli *cli;
	const struct options *o;
	struct walk files;
	json_t *lost;    /* results of what could not be sent */
	json_t *results; /* ... and the server's; NULL: there is no answer */
};

/* --- what is to be sent --------------------------------------------------- */

static json_t *
failure(const char *path, const struct err *err)
{
	json_t *one = cli_error_json(err);

	json_object_del(one, "success");
	json_object_set_new(one, "status", json_string("failed"));
	json_object_set_new(one, "path", json_str_or_null(path));
	return one;
}

static void
cannot_send(void *arg, const char *path, const struct err *err)
{
	struct batch *b = arg;

	cli_fail(b->cli, path, err);
	json_array_append_new(b->lost, failure(path, err));
}

static void
left_out(void *arg, const char *path, const char *why)
{
	struct batch *b = arg;

	if (!b->cli->quiet)
		cli_say(b->cli, "'%s' is left out: it is %s", path, why);
}

static int
gather(struct batch *b, struct err *err)
{
	const struct options *o = b->o;

	if (o->if_exists != NULL && strcmp(o->if_exists, "replace") != 0 &&
	    strcmp(o->if_exists, "error") != 0)
		return err_set(err, ERR_USAGE,
		    "option '--if-exists' is replace or error, not '%.64s'",
		    o->if_exists);
	for (int i = 0; i < b->cli->argc; i++)
		walk_add(&b->files, b->cli->argv[i]);
	if (b->files.count > LIMIT_BATCH_FILES)
		return err_set(err, ERR_USAGE,
		    "these are %zu files, and a batch has %u at most: send "
		    "folder by folder",
		    b->files.count, LIMIT_BATCH_FILES);
	if (b->files.count == 0 && json_array_size(b->lost) == 0)
		return err_set(err, ERR_USAGE, "there is no file to send");
	return walk_check(&b->files, err);
}

/* --- sending -------------------------------------------------------------- */

static void
add_target(const struct options *o, struct buf *b)
{
	char priority[TEXT_SIZE];

	(void)snprintf(priority, sizeof(priority), "%" PRIu64, o->priority);
	buf_append_str(b, "/upload_batch");
	url_add_query(b, "paths", "keep");
	/* Said in front, so that nothing has to wait for it. */
	url_add_query(b, "encryption", o->encrypt ? "true" : "false");
	url_add_query(b, "priority", o->priority_is_given ? priority : NULL);
	url_add_query(b, "client_id", o->client_id);
	url_add_query(b, "if_exists", o->if_exists);
}

static void
begin_progress(struct batch *b)
{
	char *label = b->files.count == 1
	                  ? mem_strdup(b->files.files[0].name)
	                  : mem_printf("%zu files", b->files.count);

	progress_begin(b->cli->progress, label, walk_bytes(&b->files));
	free(label);
}

static int
request(struct batch *b, const struct http_request *req,
    struct http_reply *reply, struct err *err)
{
	struct cli *cli = b->cli;
	struct retry retry;
	int rc;

	retry_init(&retry, cli, &b->o->retry);
	begin_progress(b);
	do {
		rc = http_do(cli->http, req, reply, err);
	} while (rc < 0 && retry_may(err, http_failure(cli->http)) &&
	         req->body->rewind(req->body->source) &&
	         retry_wait(&retry, cli->http, err));
	progress_end(cli->progress);
	if (rc < 0 && err->code == ERR_INTERRUPTED)
		(void)err_set(
		    err, ERR_INTERRUPTED, "interrupted, and nothing was kept");
	return rc;
}

/* Nothing is kept of a request that broke, so it is repeated as a whole. */
static int
send_all(struct batch *b, struct http_reply *reply, struct err *err)
{
	struct http_request req = { .method = "POST" };
	struct batch_body *body;
	struct turn *turn = NULL;
	struct buf target;
	int rc;

	if (turn_new(b->cli, b->files.files[0].name, &turn, err) < 0)
		return -1;
	buf_init(&target, URL_MAX);
	add_target(b->o, &target);
	body = batch_body_new(&b->files, b->cli->progress);
	req.target = buf_str(&target);
	req.body = batch_body_get(body);
	req.stands_still = turn_waits;
	req.still_arg = turn;
	rc = request(b, &req, reply, err);
	batch_body_free(body);
	buf_fini(&target);
	turn_free(turn);
	return rc;
}

/* --- what became of it ---------------------------------------------------- */

/* Does the server have what was sent?  An error of one file. */
static int
check_result(const struct walk_file *f, const json_t *result, struct err *err)
{
	const char *stored = out_str(result, "hash");
	enum err_code code;

	if (strcmp(out_str(result, "status"), "success") != 0) {
		code = err_code_of_name(out_str(result, "code"));
		return err_set(err, code == ERR_NONE ? ERR_IO : code, "%s",
		    out_str(result, "error"));
	}
	if (strcmp(f->sha256, stored) == 0 &&
	    f->size == out_uint(result, "size"))
		return 0;
	return err_set(err, ERR_HASH_MISMATCH,
	    "the server holds other bytes than were sent (SHA-256 %.64s, not "
	    "%s): send it again",
	    stored, f->sha256);
}

/* The results stand in the order of the files. */
static int
judge(struct batch *b, const json_t *answer, struct err *err)
{
	json_t *results = json_object_get(answer, "results");

	if (json_array_size(results) != b->files.count)
		return err_set(err, ERR_IO,
		    "the server answers for %zu files, not for the %zu that "
		    "were sent: 'sft ls' shows what is there",
		    json_array_size(results), b->files.count);
	for (size_t i = 0; i < b->files.count; i++) {
		const struct walk_file *f = &b->files.files[i];
		json_t *one = json_array_get(results, i);
		struct err e = ERR_INIT;

		if (check_result(f, one, &e) < 0) {
			cli_fail(b->cli, f->path, &e);
			one = failure(f->path, &e);
			json_object_set_new(
			    one, "filename", json_str_or_null(f->name));
		} else {
			one = json_incref(one);
			json_object_set_new(
			    one, "path", json_str_or_null(f->path));
		}
		json_array_append_new(b->results, one);
	}
	return 0;
}

static size_t
count_good(const json_t *results)
{
	const json_t *one;
	size_t i, n = 0;

	json_array_foreach(results, i, one)
	{
		n += strcmp(out_str(one, "status"), "success") == 0;
	}
	return n;
}

static void
add_summary(const struct batch *b, struct buf *text)
{
	size_t all = json_array_size(b->results);
	size_t good = count_good(b->results);

	buf_printf(
	    text, "%zu of %zu %s sent", good, all, all == 1 ? "file" : "files");
	progress_summary(b->cli->progress, text);
	buf_append_char(text, '\n');
}

static int
print(struct batch *b, struct err *err)
{
	static const struct table_column columns[] = {
		{ "STATUS", false, false },
		{ "SIZE", true, false },
		{ "FILE", false, true },
		{ NULL, false, false },
	};
	struct table *t = table_new(columns);
	char size[TEXT_SIZE];
	const json_t *one;
	struct buf text;
	size_t i;
	int rc;

	json_array_foreach(b->results, i, one)
	{
		bool is_good = strcmp(out_str(one, "status"), "success") == 0;
		const char *cells[] = { is_good ? "sent" : "failed", NULL,
			out_str(one, is_good ? "filename" : "path") };

		if (is_good) {
			text_size(out_uint(one, "size"), size);
			cells[1] = size;
		}
		table_add(t, cells);
	}
	buf_init(&text, TABLE_MAX);
	table_write(t, cli_width(), &text);
	add_summary(b, &text);
	rc = out_text(&text, err);
	buf_fini(&text);
	table_free(t);
	return rc;
}

static int
tell(struct batch *b, struct err *err)
{
	size_t all = json_array_size(b->results);
	size_t good = count_good(b->results);
	json_t *document;
	int rc;

	if (!b->cli->json)
		return b->cli->quiet ? 0 : print(b, err);
	document =
	    json_pack("{s:b, s:I, s:I, s:I, s:O}", "success", all == good,
	        "total_files", (json_int_t)all, "successful", (json_int_t)good,
	        "failed", (json_int_t)(all - good), "results", b->results);
	rc = cli_tell(b->cli, document, err);
	json_decref(document);
	return rc;
}

/* --- the command ---------------------------------------------------------- */

static int
run(struct batch *b, struct err *err)
{
	struct http_reply reply = { 0 };
	int rc = 0;

	if (gather(b, err) < 0)
		return -1;
	if (b->files.count > 0) {
		if (cli_http(b->cli, err) < 0)
			return -1;
		rc = send_all(b, &reply, err);
		if (rc == 0)
			rc = judge(b, reply.json, err);
		http_reply_fini(&reply);
	}
	if (rc == 0)
		rc = json_array_extend(b->results, b->lost) < 0 ? -1 : 0;
	if (rc < 0)
		return -1;
	/* Whatever it was that failed, it was not the batch. */
	if (b->cli->exit != FAIL_NONE)
		b->cli->exit = FAIL_FAILED;
	return tell(b, err);
}

static int
run_batch(struct cli *cli, const struct options *o, struct err *err)
{
	struct batch b = {
		.cli = cli,
		.o = o,
		.files = { .failed = cannot_send, .skipped = left_out },
		.lost = json_array(),
		.results = json_array(),
	};
	int rc;

	b.files.arg = &b;
	rc = run(&b, err);
	json_decref(b.lost);
	json_decref(b.results);
	walk_fini(&b.files);
	return rc;
}

int
cmd_batch(struct cli *cli, struct err *err)
{
	struct options o = { .retry = RETRY_OPTIONS_INIT };
	const struct opt options[] = {
		{ "priority", 0, OPT_UINT, "P",
		    "0 to 10; higher ones go first where transfers wait",
		    &o.priority, 0, LIMIT_PRIORITY, &o.priority_is_given },
		{ "encrypt", 0, OPT_FLAG, NULL, "have them stored encrypted",
		    &o.encrypt, 0, 0, NULL },
		{ "client-id", 0, OPT_STR, "ID",
		    "how this client is called in lists", &o.client_id, 0, 0,
		    NULL },
		{ "if-exists", 0, OPT_STR, "WHAT",
		    "replace files that are there, or error (replace)",
		    &o.if_exists, 0, 0, NULL },
		{ "retry", 0, OPT_UINT, "N",
		    "how often a request that broke is tried again (5)",
		    &o.retry.times, 0, RETRY_LIMIT, &o.retry.is_given },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "FILE|DIR...",
		.about =
		    "Sends files, and all that is in folders, in one request: "
		    "on the server they\nappear together, when all have "
		    "arrived. A folder's files are called\nFOLDER/FILE there; "
		    "symbolic links to folders are left out. What the server\n"
		    "stored is compared with what was sent, by SHA-256. Needs "
		    "a key that may\nwrite.\n",
		.options = options,
		.min_args = 1,
		.max_args = -1,
	};
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : run_batch(cli, &o, err);
}
