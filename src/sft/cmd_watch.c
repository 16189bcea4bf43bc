/* SPDX-License-Identifier: MIT */

/* Live events (GET /events), a line for each change. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "proto/filename.h"
#include "sft/cmd.h"
#include "sft/fail.h"
#include "sft/out.h"
#include "sft/retry.h"
#include "sft/sse.h"
#include "sft/status_view.h"
#include "sft/url.h"

#define LINE_MAX_BYTES 8192u
/* Of a transfer's progress, a line at most so often. */
#define PROGRESS_EVERY_MS 1000
/* Before it connects again. */
#define AGAIN_MS 1000
/* The server sends something every 15 s. */
#define SILENCE_MS 60000

struct watching {
	struct cli *cli;
	const char *target;
	struct sse sse;
	bool was_there; /* the server */
	bool is_gone;   /* and that was said */
	/* Of each transfer under way, by its id: {"status", "ms"} of its last
	 * line. */
	json_t *said;
};

/* --- what is shown ---------------------------------------------------------
 */

/* Is it worth a line?  Each new state is. */
static bool
is_news(struct watching *w, const json_t *t)
{
	int64_t now_ms = clock_mono_ms(clock_system());
	const char *id = out_str(t, "id"), *status = out_str(t, "status");
	const json_t *before = json_object_get(w->said, id);

	if (before != NULL && strcmp(out_str(before, "status"), status) == 0 &&
	    now_ms - (int64_t)out_uint(before, "ms") < PROGRESS_EVERY_MS)
		return false;
	if (status_is_moving(t) || strcmp(status, "queued") == 0)
		json_object_set_new(w->said, id,
		    json_pack("{s:s, s:I}", "status", status, "ms",
		        (json_int_t)now_ms));
	else
		json_object_del(w->said, id);
	return true;
}

static int
show(struct watching *w, const json_t *t, struct err *err)
{
	struct buf b;
	int rc;

	if (w->cli->json) {
		w->cli->is_told = true;
		return out_json(t, true, err);
	}
	if (!is_news(w, t))
		return 0;
	buf_init(&b, LINE_MAX_BYTES);
	status_view_line(t, &b);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

/* The server ends the stream, and says why. */
static int
complain(const json_t *why, struct err *err)
{
	enum err_code code = err_code_of_name(out_str(why, "code"));

	return err_set(err, code == ERR_NONE ? ERR_CLOSED : code, "%.200s",
	    out_str(why, "error"));
}

static int
take(void *arg, const char *event, struct slice data, struct err *err)
{
	struct watching *w = arg;
	json_t *j = json_parse(data.p, data.n, err);
	int rc = 0;

	if (j == NULL)
		return -1;
	if (strcmp(event, "error") == 0)
		rc = complain(j, err);
	else if (strcmp(event, "transfer_update") == 0 ||
	         strcmp(event, "status_update") == 0)
		rc = show(w, j, err);
	json_decref(j);
	return rc;
}

/* --- listening --------------------------------------------------------------
 */

static int
do_head(void *arg, const struct http_head *head, struct err *err)
{
	struct watching *w = arg;

	if (strncmp(head->type, "text/event-stream", 17) != 0)
		return err_set(err, ERR_IO,
		    "the server answered something other than events: is it "
		    "an sftd?");
	if (w->is_gone && !w->cli->quiet)
		cli_say(w->cli, "the server is there again");
	w->was_there = true;
	w->is_gone = false;
	sse_begin(&w->sse);
	return 0;
}

static int
do_write(void *arg, const void *p, size_t n, struct err *err)
{
	struct watching *w = arg;

	return sse_feed(&w->sse, p, n, err);
}

static int
listen_once(struct watching *w, struct err *err)
{
	const struct http_sink sink = { do_head, do_write, w };
	const struct http_request req = {
		.method = "GET",
		.target = w->target,
		.sink = &sink,
		.last_event_id = w->sse.id[0] != '\0' ? w->sse.id : NULL,
		.timeout_ms = SILENCE_MS,
	};

	if (http_do(w->cli->http, &req, NULL, err) < 0)
		return -1;
	return err_set(err, ERR_CLOSED, "the server ended the connection");
}

/* Is there hope?  A server that was there and went is waited for; one that was
 * not is an error. */
static bool
waits(struct watching *w, struct err *err)
{
	if (!w->was_there || !retry_may(err, http_failure(w->cli->http)))
		return false;
	if (!w->is_gone && !w->cli->quiet)
		cli_say(w->cli, "connecting again every second: %s", err->msg);
	w->is_gone = true;
	err_clear(err);
	return interrupt_wait(w->cli->interrupt, -1, 0, AGAIN_MS, err) == 0;
}

static int
watch(struct cli *cli, const char *target, struct err *err)
{
	struct watching w = {
		.cli = cli,
		.target = target,
		.said = json_object(),
	};

	sse_init(&w.sse, take, &w);
	do {
		(void)listen_once(&w, err);
	} while (waits(&w, err));
	sse_fini(&w.sse);
	json_decref(w.said);
	if (err->code != ERR_INTERRUPTED)
		return -1;
	/* Which is how one leaves. */
	cli->exit = FAIL_INTERRUPTED;
	return 0;
}

int
cmd_watch(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "[NAME]",
		.about = "Shows what happens to transfers while it happens, "
		         "of all files or of one: a\nline for each new state, "
		         "and one a second while bytes move. With --json each\n"
		         "event is a document on a line. Connects again by "
		         "itself; Ctrl-C ends it.\n",
		.max_args = 1,
	};
	struct err why = ERR_INIT;
	struct buf target;
	char *name = NULL;
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	rc = -1;
	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/events");
	if (cli->argc > 0 &&
	    filename_normalise(slice_str(cli->argv[0]), &name, &why) < 0)
		err_set(err, ERR_USAGE, "'%.100s': %s", cli->argv[0], why.msg);
	else if (cli_http(cli, err) == 0) {
		url_add_query(&target, "file", name);
		rc = watch(cli, buf_str(&target), err);
	}
	free(name);
	buf_fini(&target);
	return rc;
}
