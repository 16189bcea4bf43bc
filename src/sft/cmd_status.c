/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/buf.h"
#include "proto/filename.h"
#include "sft/cmd.h"
#include "sft/status_view.h"
#include "sft/url.h"
#include "sft/watch.h"

static void
show_one(const json_t *answer, size_t width, struct buf *b)
{
	(void)width;
	status_view_one(answer, b);
}

static int
run(struct cli *cli, const char *file, bool is_watch, struct err *err)
{
	struct watch w = {
		.cli = cli,
		.show = file != NULL ? show_one : status_view_all,
		.list = file != NULL ? NULL : "transfers",
		.is_newest_first = true,
		.line = status_view_line,
	};
	struct err why = ERR_INIT;
	struct buf target, events;
	char *name = NULL;
	int rc = -1;

	buf_init(&target, URL_MAX);
	buf_init(&events, URL_MAX);
	buf_append_str(&events, "/events");
	buf_append_str(&target, "/status");
	if (file != NULL) {
		if (filename_normalise(slice_str(file), &name, &why) < 0) {
			err_set(err, ERR_USAGE, "'%.100s': %s", file, why.msg);
			goto out;
		}
		buf_append_char(&target, '/');
		url_add_name(&target, name);
		url_add_query(&events, "file", name);
	}
	w.events = buf_str(&events);
	w.ask.method = "GET";
	w.ask.target = buf_str(&target);
	if (cli_http(cli, err) < 0)
		goto out;
	rc = is_watch ? watch_run(&w, err) : watch_once(&w, err);
out:
	free(name);
	buf_fini(&target);
	buf_fini(&events);
	return rc;
}

int
cmd_status(struct cli *cli, struct err *err)
{
	const char *file = NULL;
	bool is_watch = false;
	const struct opt options[] = {
		{ "file", 0, OPT_STR, "NAME", "only this file's transfer",
		    &file, 0, 0, NULL },
		{ "watch", 'w', OPT_FLAG, NULL,
		    "look again at each change until Ctrl-C; on a terminal in "
		    "place, elsewhere a line for each change",
		    &is_watch, 0, 0, NULL },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "",
		.about = "Shows the newest upload of each file, and the queue; "
		         "with --file one file's\nnewest upload, or its newest "
		         "download when it has none.\n",
		.options = options,
	};
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : run(cli, file, is_watch, err);
}
