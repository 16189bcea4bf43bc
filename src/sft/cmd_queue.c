/* SPDX-License-Identifier: MIT */

/* sft queue and sft priority. */

#include <inttypes.h>

#include "base/buf.h"
#include "base/num.h"
#include "proto/limits.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/queue_view.h"
#include "sft/text.h"
#include "sft/url.h"
#include "sft/watch.h"

#define LINE_MAX_BYTES 8192u

/* The queue alone: what /status says beside it is another command's. */
static json_t *
queue_json(const json_t *answer)
{
	json_t *queue = json_object_get(answer, "queue");
	json_t *j = json_object();

	json_object_set_new(
	    j, "queue", queue == NULL ? json_array() : json_incref(queue));
	return j;
}

int
cmd_queue(struct cli *cli, struct err *err)
{
	bool is_watch = false;
	const struct opt options[] = {
		{ "watch", 'w', OPT_FLAG, NULL,
		    "look again at each change until Ctrl-C; on a terminal in "
		    "place, elsewhere a line for each change",
		    &is_watch, 0, 0, NULL },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "",
		.about = "Shows what moves, what waits for its turn, and what "
		         "ended just now.\nThe highest priority goes first, "
		         "then first come; 'sft priority' changes it.\n",
		.options = options,
	};
	struct watch w = {
		.cli = cli,
		.ask = { "GET", "/status", NULL },
		.events = "/events",
		.show = queue_view_all,
		.list = "queue",
		.line = queue_view_line,
		.json = queue_json,
	};
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	/* only lists for people tell more of each upload */
	if (cli->json)
		w.ask.target = "/status?limit=1";
	if (cli_http(cli, err) < 0)
		return -1;
	return is_watch ? watch_run(&w, err) : watch_once(&w, err);
}

static int
print_priority(const json_t *answer, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, LINE_MAX_BYTES);
	text_clean(&b, slice_str(out_str(answer, "filename")));
	buf_printf(&b, " has priority %" PRIu64 " now (%s)\n",
	    out_uint(answer, "priority"), out_str(answer, "status"));
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

static int
set_priority(struct cli *cli, uint64_t priority, struct err *err)
{
	json_t *body = json_pack("{s:I}", "priority", (json_int_t)priority);
	struct cli_ask ask = { .method = "PATCH", .body = body };
	json_t *answer = NULL;
	struct buf target;
	int rc = -1;

	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/status/");
	url_add_name(&target, cli->argv[0]);
	ask.target = buf_str(&target);
	if (cli_http(cli, err) == 0 && cli_ask(cli, &ask, &answer, err) == 0) {
		if (cli->json)
			rc = cli_tell(cli, answer, err);
		else
			rc = cli->quiet ? 0 : print_priority(answer, err);
	}
	json_decref(answer);
	json_decref(body);
	buf_fini(&target);
	return rc;
}

int
cmd_priority(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "NAME P",
		.about = "Gives what is under way for a file, waiting or "
		         "moving, another priority: 0 to\n10, higher ones go "
		         "first and get more of a limited bandwidth. Needs a "
		         "key that\nmay write.\n",
		.min_args = 2,
		.max_args = 2,
	};
	uint64_t priority = 0;
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	if (!num_uint(slice_str(cli->argv[1]), LIMIT_PRIORITY, &priority))
		return err_set(err, ERR_USAGE,
		    "a priority is a number from 0 to %u, not '%.64s'",
		    (unsigned)LIMIT_PRIORITY, cli->argv[1]);
	return set_priority(cli, priority, err);
}
