/* SPDX-License-Identifier: MIT */

/* Live events (GET /events), a line for each change. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "proto/filename.h"
#include "sft/cmd.h"
#include "sft/events.h"
#include "sft/fail.h"
#include "sft/out.h"
#include "sft/retry.h"
#include "sft/status_view.h"
#include "sft/url.h"

#define LINE_MAX_BYTES 8192u
/* Of a transfer's progress, a line at most so often. */
#define PROGRESS_EVERY_MS 1000
/* Before it connects again. */
#define AGAIN_MS 1000

struct watching {
	struct cli *cli;
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

static int
take(void *arg, const char *name, const json_t *document, struct err *err)
{
	struct watching *w = arg;

	if (strcmp(name, "transfer_update") != 0 &&
	    strcmp(name, "status_update") != 0)
		return 0;
	return show(w, document, err);
}

/* --- listening --------------------------------------------------------------
 */

static int
begun(void *arg, struct err *err)
{
	struct watching *w = arg;

	(void)err;
	if (w->is_gone && !w->cli->quiet)
		cli_say(w->cli, "the server is there again");
	w->was_there = true;
	w->is_gone = false;
	return 0;
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
		.said = json_object(),
	};
	const struct events_listener listener = { begun, take, NULL, &w };
	struct events events;

	events_init(&events, cli->http, target, &listener);
	do {
		(void)events_listen(&events, err);
	} while (waits(&w, err));
	events_fini(&events);
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
