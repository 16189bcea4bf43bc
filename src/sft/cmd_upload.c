/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proto/filename.h"
#include "proto/limits.h"
#include "sft/again.h"
#include "sft/chunking.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/retry.h"
#include "sft/sending.h"
#include "sft/text.h"
#include "sft/turn.h"
#include "sft/url.h"

#define LINE_MAX_BYTES 8192u

struct options {
	const char *filename;
	uint64_t priority;
	bool priority_is_given;
	bool encrypt;
	const char *client_id;
	struct opt_choice if_exists;
	bool chunked;
	uint64_t chunk_size; /* 0: not given, as the next */
	uint64_t parallel;
	struct retry_options retry;
};

/* What became of one file. */
struct sent {
	const char *path;
	char *name;     /* on the server; owned */
	json_t *answer; /* what the server says of it; owned, NULL: failed */
	bool was_there; /* it replaced one */
	bool can_go_on; /* it failed, but the server keeps what it has */
};

/* The name that ${path} is to have on the server. */
static int
name_of(
    const char *path, const struct options *o, char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = o->filename != NULL ? o->filename
	                   : slash == NULL     ? path
	                                       : slash + 1;
	struct err why = ERR_INIT;

	if (filename_normalise(slice_str(name), ret_name, &why) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "'%.100s': %s%s", name, why.msg,
	    o->filename != NULL ? "" : "; give it another with --filename");
}

static bool
wants_chunks(const struct options *o)
{
	return o->chunked || o->chunk_size != 0 || o->parallel != 0;
}

/* Large files are worth being gone on with. */
static bool
goes_in_chunks(const char *path, const struct options *o)
{
	uint64_t size;

	if (!chunking_can(path, &size))
		return false;
	return wants_chunks(o) || size >= CHUNKING_FROM;
}

static int
check_chunked(const struct options *o, const char *path, struct err *err)
{
	uint64_t size;
	struct stat st;

	if (!wants_chunks(o))
		return 0;
	if (strcmp(path, SENDING_STDIN) == 0 ||
	    (stat(path, &st) == 0 && !chunking_can(path, &size)))
		return err_set(err, ERR_USAGE,
		    "'%s' has no size and cannot be sent in chunks: send it "
		    "without --chunked",
		    path);
	return 0;
}

/* Looks at all files before the first is sent. */
static int
check_arguments(const struct cli *cli, const struct options *o, struct err *err)
{
	struct stat st;
	char *name;
	int i;

	if (o->filename != NULL && cli->argc > 1)
		return err_set(err, ERR_USAGE,
		    "--filename names one file, and there are %d", cli->argc);
	for (i = 0; i < cli->argc; i++) {
		if (strcmp(cli->argv[i], SENDING_STDIN) == 0) {
			if (o->filename == NULL)
				return err_set(err, ERR_USAGE,
				    "standard input needs a name: --filename");
		} else if (stat(cli->argv[i], &st) == 0 &&
		           S_ISDIR(st.st_mode)) {
			return err_set(err, ERR_USAGE,
			    "'%s' is a directory; name the files in it",
			    cli->argv[i]);
		}
		if (check_chunked(o, cli->argv[i], err) < 0 ||
		    name_of(cli->argv[i], o, &name, err) < 0)
			return -1;
		free(name);
	}
	return 0;
}

static void
add_target(const char *name, const struct options *o, struct buf *b)
{
	char priority[TEXT_SIZE];

	(void)snprintf(priority, sizeof(priority), "%" PRIu64, o->priority);
	buf_append_str(b, "/upload/");
	url_add_name(b, name);
	url_add_query(b, "priority", o->priority_is_given ? priority : NULL);
	url_add_query(b, "encryption", o->encrypt ? "true" : NULL);
	url_add_query(b, "client_id", o->client_id);
	url_add_query(b, "if_exists", o->if_exists.value);
}

/* Does the server have what was sent? */
static int
check_answer(struct sending *s, const json_t *answer, struct err *err)
{
	char sent[SHA256_HEX_SIZE];
	const char *stored = out_str(answer, "hash");

	sending_hash(s, sent);
	if (strcmp(sent, stored) == 0 &&
	    out_uint(answer, "size") == sending_sent(s))
		return 0;
	return err_set(err, ERR_HASH_MISMATCH,
	    "the server holds other bytes than were sent (SHA-256 %.64s, not "
	    "%s): send it again",
	    stored, sent);
}

static int
print_sent(struct cli *cli, const struct sent *sent, struct err *err)
{
	struct buf b;
	int rc;

	if (cli->json || cli->quiet)
		return 0;
	buf_init(&b, LINE_MAX_BYTES);
	buf_append_str(&b, sent->was_there ? "replaced " : "uploaded ");
	text_clean(&b, slice_str(out_str(sent->answer, "filename")));
	progress_summary(cli->progress, &b);
	buf_append_char(&b, '\n');
	if (cli->verbose)
		buf_printf(
		    &b, "  sha256 %.64s\n", out_str(sent->answer, "hash"));
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

/* Advises chunks where there could be some. */
static int
interrupted(const char *path, struct err *err)
{
	bool can = chunking_can(path, &(uint64_t){ 0 });

	return err_set(err, ERR_INTERRUPTED,
	    "interrupted, and nothing was kept%s",
	    can ? "; with --chunked it could be gone on with" : "");
}

/* A stream that was read from cannot begin anew. */
static bool
begin_again(struct sending *s)
{
	const struct http_body *body = sending_body(s);

	return body->rewind(body->source);
}

static int
put_file(struct cli *cli, const struct options *o, struct sent *sent,
    struct err *err)
{
	struct http_request req = { .method = "PUT" };
	struct http_reply reply = { 0 };
	struct sending *s = NULL;
	struct turn *turn = NULL;
	struct retry retry;
	struct buf target;
	int rc = -1;

	buf_init(&target, URL_MAX);
	if (turn_new(cli, sent->name, &turn, err) < 0 ||
	    sending_open(sent->path, cli->progress, &s, err) < 0)
		goto out;
	req.stands_still = turn_waits;
	req.still_arg = turn;
	add_target(sent->name, o, &target);
	req.target = buf_str(&target);
	req.body = sending_body(s);
	retry_init(&retry, cli, &o->retry);
	progress_begin(cli->progress, sent->name, sending_size(s));
	do {
		rc = http_do(cli->http, &req, &reply, err);
	} while (rc < 0 && retry_may(err, http_failure(cli->http)) &&
	         begin_again(s) && retry_wait(&retry, cli->http, err));
	progress_end(cli->progress);
	if (rc == 0)
		rc = check_answer(s, reply.json, err);
	else if (err->code == ERR_INTERRUPTED)
		(void)interrupted(sent->path, err);
	if (rc == 0) {
		sent->answer = json_incref(reply.json);
		sent->was_there = reply.head.status == 200;
	}
out:
	http_reply_fini(&reply);
	sending_close(s);
	turn_free(turn);
	buf_fini(&target);
	return rc;
}

static int
send_chunks(struct cli *cli, const struct options *o, struct sent *sent,
    struct err *err)
{
	char priority[TEXT_SIZE];
	const struct chunking_options chunking = {
		.path = sent->path,
		.name = sent->name,
		.chunk_size = o->chunk_size,
		.parallel = o->parallel,
		.encrypt = o->encrypt,
		.priority = o->priority_is_given ? priority : NULL,
		.client_id = o->client_id,
		.if_exists = o->if_exists.value,
		.retry = &o->retry,
	};
	struct chunking_result result;
	int rc;

	(void)snprintf(priority, sizeof(priority), "%" PRIu64, o->priority);
	rc = chunking_send(cli, &chunking, &result, err);
	sent->answer = result.answer;
	sent->can_go_on = result.is_begun || err->code == ERR_INTERRUPTED;
	return rc;
}

static int
send_file(struct cli *cli, const struct options *o, struct sent *sent,
    struct err *err)
{
	int rc;

	if (name_of(sent->path, o, &sent->name, err) < 0)
		return -1;
	rc = goes_in_chunks(sent->path, o) ? send_chunks(cli, o, sent, err)
	                                   : put_file(cli, o, sent, err);
	return rc < 0 ? -1 : print_sent(cli, sent, err);
}

/* The same, failures told: the JSON object of what became of it. */
static json_t *
try_file(
    struct cli *cli, const struct options *o, const char *path, struct err *err)
{
	struct sent sent = { .path = path };
	json_t *one;

	if (send_file(cli, o, &sent, err) == 0) {
		one = json_incref(sent.answer);
		args_note_done(&cli->args, path);
	} else {
		one = cli_error_json(err);
		cli_fail(cli, path, err);
		if (sent.can_go_on)
			again_say(cli, "the server keeps what it has", NULL);
	}
	json_object_set_new(one, "path", json_str_or_null(path));
	json_decref(sent.answer);
	free(sent.name);
	return one;
}

/* Sends them one after the other, as long as there is hope; gives the list of
 * what became of each. */
static json_t *
send_all(struct cli *cli, const struct options *o)
{
	json_t *list = json_array();
	struct err err = ERR_INIT;
	int i;

	for (i = 0; i < cli->argc; i++) {
		err_clear(&err);
		json_array_append_new(
		    list, try_file(cli, o, cli->argv[i], &err));
		if (cli_is_hopeless(&err))
			break;
	}
	return list;
}

static int
run(struct cli *cli, const struct options *o, struct err *err)
{
	json_t *document;
	int rc;

	if (check_arguments(cli, o, err) < 0 || cli_http(cli, err) < 0)
		return -1;
	document = json_object();
	json_object_set_new(document, "files", send_all(cli, o));
	json_object_set_new(
	    document, "success", json_boolean(cli->exit == FAIL_NONE));
	rc = cli->json ? cli_tell(cli, document, err) : 0;
	json_decref(document);
	return rc;
}

int
cmd_upload(struct cli *cli, struct err *err)
{
	struct options o = {
		.if_exists = { .words = "replace|error" },
		.retry = RETRY_OPTIONS_INIT,
	};
	const struct opt options[] = {
		{ "filename", 0, OPT_STR, "NAME",
		    "what it is called on the server; folders are written "
		    "with '/'",
		    &o.filename, 0, 0, NULL },
		{ "priority", 0, OPT_UINT, "P",
		    "0 to 10; higher ones go first where transfers wait",
		    &o.priority, 0, LIMIT_PRIORITY, &o.priority_is_given },
		{ "encrypt", 0, OPT_FLAG, NULL, "have it stored encrypted",
		    &o.encrypt, 0, 0, NULL },
		{ "client-id", 0, OPT_STR, "ID",
		    "how this client is called in lists", &o.client_id, 0, 0,
		    NULL },
		{ "if-exists", 0, OPT_CHOICE, "WHAT",
		    "replace a file that is there, or error (replace)",
		    &o.if_exists, 0, 0, NULL },
		{ "chunked", 0, OPT_FLAG, NULL,
		    "in chunks, so that it can be gone on with (by itself "
		    "from 64 MiB)",
		    &o.chunked, 0, 0, NULL },
		{ "chunk-size", 0, OPT_SIZE, "BYTES",
		    "of a chunk (as the server advises)", &o.chunk_size,
		    GRID_CHUNK_MIN, GRID_CHUNK_MAX, NULL },
		{ "parallel", 0, OPT_UINT, "N",
		    "chunks at once (as the server advises)", &o.parallel, 1,
		    CREW_MAX, NULL },
		{ "retry", 0, OPT_UINT, "N",
		    "how often what failed is tried again (5)", &o.retry.times,
		    0, RETRY_LIMIT, &o.retry.is_given },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "FILE...",
		.about =
		    "Sends files, one after the other, and compares what "
		    "the server stored with\nwhat was sent, by SHA-256. "
		    "'-' is standard input and needs --filename.\n"
		    "A chunked upload that broke off goes on when the same "
		    "command is given again.\n",
		.options = options,
		.min_args = 1,
		.max_args = -1,
	};
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : run(cli, &o, err);
}
