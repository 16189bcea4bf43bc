/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proto/filename.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/status_view.h"
#include "sft/term.h"
#include "sft/text.h"
#include "sft/url.h"

#define VIEW_MAX_BYTES (64u * 1024 * 1024)
#define WATCH_EVERY_MS 1000

/* Terminal: to the first line; the line's rest away; all below away. */
#define HOME "\033[H"
#define ERASE_REST "\033[K"
#define ERASE_BELOW "\033[J"

struct watch {
	struct cli *cli;
	struct cli_ask ask;
	bool is_one; /* the answer is one transfer */
	/* What was said last of each transfer, by its id. */
	json_t *said;
};

static void
view(const json_t *answer, bool is_one, size_t width, struct buf *b)
{
	if (is_one)
		status_view_one(answer, b);
	else
		status_view_all(answer, width, b);
}

static int
show_once(struct watch *w, struct err *err)
{
	json_t *answer = NULL;
	struct buf b;
	int rc;

	if (cli_ask(w->cli, &w->ask, &answer, err) < 0)
		return -1;
	buf_init(&b, VIEW_MAX_BYTES);
	view(answer, w->is_one, cli_width(), &b);
	rc = w->cli->json ? cli_tell(w->cli, answer, err) : out_text(&b, err);
	buf_fini(&b);
	json_decref(answer);
	return rc;
}

/* Draws as much as the window holds over what was drawn before. */
static int
draw(const struct watch *w, const json_t *answer, struct err *err)
{
	size_t width = term_columns(STDOUT_FILENO);
	size_t rows = term_rows(STDOUT_FILENO);
	struct slice rest, line;
	struct buf all, frame;
	int rc;

	buf_init(&all, VIEW_MAX_BYTES);
	buf_init(&frame, VIEW_MAX_BYTES);
	view(answer, w->is_one, width, &all);
	buf_append_str(&frame, HOME);
	rest = buf_slice(&all);
	while (rows-- > 1 && slice_next(&rest, '\n', &line)) {
		(void)text_fit(&frame, line, width);
		buf_append_str(&frame, ERASE_REST "\n");
	}
	buf_append_str(&frame, ERASE_BELOW);
	rc = out_text(&frame, err);
	buf_fini(&frame);
	buf_fini(&all);
	return rc;
}

/* Appends a line when something other than before is to be said. */
static void
add_change(struct watch *w, const json_t *transfer, struct buf *b)
{
	const char *id = out_str(transfer, "id");
	const char *before = json_string_value(json_object_get(w->said, id));
	struct buf line;

	buf_init(&line, VIEW_MAX_BYTES);
	status_view_line(transfer, &line);
	if (before == NULL || strcmp(before, buf_str(&line)) != 0) {
		buf_append_slice(b, buf_slice(&line));
		json_object_set_new(
		    w->said, id, json_str_or_null(buf_str(&line)));
	}
	buf_fini(&line);
}

static int
print_changes(struct watch *w, const json_t *answer, struct err *err)
{
	const json_t *list = json_object_get(answer, "transfers");
	struct buf b;
	size_t i;
	int rc;

	buf_init(&b, VIEW_MAX_BYTES);
	if (w->is_one)
		add_change(w, answer, &b);
	/* the newest stand first, and are told last */
	for (i = json_array_size(list); i > 0; i--)
		add_change(w, json_array_get(list, i - 1), &b);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

static int
look(struct watch *w, struct err *err)
{
	json_t *answer = NULL;
	int rc;

	if (cli_ask(w->cli, &w->ask, &answer, err) < 0)
		return -1;
	if (w->cli->json) {
		w->cli->is_told = true;
		rc = out_json(answer, true, err);
	} else if (term_is_live(STDOUT_FILENO)) {
		rc = draw(w, answer, err);
	} else {
		rc = print_changes(w, answer, err);
	}
	json_decref(answer);
	return rc;
}

static int
put(const char *text, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, 64);
	buf_append_str(&b, text);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

/* Until Ctrl-C, which is how one leaves. */
static int
watch(struct watch *w, struct err *err)
{
	bool is_live = !w->cli->json && term_is_live(STDOUT_FILENO);
	int rc = 0;

	w->said = json_object();
	if (is_live)
		rc = put(HOME ERASE_BELOW, err);
	while (rc == 0) {
		rc = look(w, err);
		if (rc == 0)
			rc = interrupt_wait(
			    w->cli->interrupt, -1, 0, WATCH_EVERY_MS, err);
	}
	/* what the keys left on the screen */
	if (is_live)
		(void)put("\r" ERASE_REST, NULL);
	json_decref(w->said);
	if (err->code != ERR_INTERRUPTED)
		return -1;
	w->cli->exit = FAIL_INTERRUPTED;
	return 0;
}

static int
run(struct cli *cli, const char *file, bool is_watch, struct err *err)
{
	struct watch w = { .cli = cli, .is_one = file != NULL };
	struct err why = ERR_INIT;
	struct buf target;
	char *name = NULL;
	int rc = -1;

	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/status");
	if (file != NULL) {
		if (filename_normalise(slice_str(file), &name, &why) < 0) {
			err_set(err, ERR_USAGE, "'%.100s': %s", file, why.msg);
			goto out;
		}
		buf_append_char(&target, '/');
		url_add_name(&target, name);
	}
	w.ask.method = "GET";
	w.ask.target = buf_str(&target);
	if (cli_http(cli, err) < 0)
		goto out;
	rc = is_watch ? watch(&w, err) : show_once(&w, err);
out:
	free(name);
	buf_fini(&target);
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
		    "look again every second until Ctrl-C; on a terminal in "
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
