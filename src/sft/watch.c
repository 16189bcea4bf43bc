/* SPDX-License-Identifier: MIT */
#include "sft/watch.h"

#include <string.h>
#include <unistd.h>

#include "sft/out.h"
#include "sft/retry.h"
#include "sft/term.h"
#include "sft/text.h"

#define VIEW_MAX_BYTES (64u * 1024 * 1024)
#define WATCH_EVERY_MS 1000

/* Terminal: to the first line; the line's rest away; all below away. */
#define HOME "\033[H"
#define ERASE_REST "\033[K"
#define ERASE_BELOW "\033[J"

/* A watch under way. */
struct looking {
	const struct watch *w;
	bool is_live;   /* drawn in place */
	bool is_silent; /* the server is gone, and that was said */
	json_t *answer; /* the newest; NULL: none yet */
	json_t *said;   /* what was said last of each, by its id */
};

static int
tell(const struct watch *w, const json_t *answer, bool is_stream,
    struct err *err)
{
	json_t *j =
	    w->json != NULL ? w->json(answer) : json_incref((json_t *)answer);
	int rc;

	w->cli->is_told = true;
	rc = out_json(j, is_stream, err);
	json_decref(j);
	return rc;
}

int
watch_once(const struct watch *w, struct err *err)
{
	json_t *answer = NULL;
	struct buf b;
	int rc;

	if (cli_ask(w->cli, &w->ask, &answer, err) < 0)
		return -1;
	buf_init(&b, VIEW_MAX_BYTES);
	w->show(answer, cli_width(), &b);
	rc = w->cli->json ? tell(w, answer, false, err) : out_text(&b, err);
	buf_fini(&b);
	json_decref(answer);
	return rc;
}

/* Draws as much as the window holds over what was drawn before; ${note}
 * (NULL: none) stands above. */
static int
draw(const struct looking *l, const char *note, struct err *err)
{
	size_t width = term_columns(STDOUT_FILENO);
	size_t rows = term_rows(STDOUT_FILENO);
	struct slice rest, line;
	struct buf all, frame;
	int rc;

	buf_init(&all, VIEW_MAX_BYTES);
	buf_init(&frame, VIEW_MAX_BYTES);
	if (note != NULL) {
		text_clean(&all, slice_str(note));
		buf_append_char(&all, '\n');
	}
	l->w->show(l->answer, width, &all);
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
add_change(struct looking *l, const json_t *one, struct buf *b)
{
	const char *id = out_str(one, "id");
	const char *before = json_string_value(json_object_get(l->said, id));
	struct buf line;

	buf_init(&line, VIEW_MAX_BYTES);
	l->w->line(one, &line);
	if (before == NULL || strcmp(before, buf_str(&line)) != 0) {
		buf_append_slice(b, buf_slice(&line));
		json_object_set_new(
		    l->said, id, json_str_or_null(buf_str(&line)));
	}
	buf_fini(&line);
}

static int
print_changes(struct looking *l, struct err *err)
{
	const json_t *list = json_object_get(l->answer, l->w->list);
	size_t n = json_array_size(list);
	struct buf b;
	int rc;

	buf_init(&b, VIEW_MAX_BYTES);
	if (l->w->list == NULL)
		add_change(l, l->answer, &b);
	for (size_t i = 0; i < n; i++)
		add_change(l,
		    json_array_get(list, l->w->is_newest_first ? n - 1 - i : i),
		    &b);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

/* The server does not answer: waits for it, when that is wanted and there is
 * hope. */
static int
bear(struct looking *l, struct err *err)
{
	struct cli *cli = l->w->cli;
	struct err why = *err;
	struct buf note;
	int rc = 0;

	if (!l->w->is_patient || l->answer == NULL ||
	    !retry_may(err, http_failure(cli->http)))
		return -1;
	err_clear(err);
	buf_init(&note, VIEW_MAX_BYTES);
	buf_printf(&note, "looking again every second: %s", why.msg);
	if (l->is_live)
		rc = draw(l, buf_str(&note), err);
	else if (!l->is_silent && !cli->quiet)
		cli_say(cli, "%s", buf_str(&note));
	l->is_silent = true;
	buf_fini(&note);
	return rc;
}

static int
look(struct looking *l, struct err *err)
{
	json_t *answer = NULL;

	if (cli_ask(l->w->cli, &l->w->ask, &answer, err) < 0)
		return bear(l, err);
	if (l->is_silent && !l->is_live && !l->w->cli->quiet)
		cli_say(l->w->cli, "the server is there again");
	l->is_silent = false;
	json_decref(l->answer);
	l->answer = answer;
	if (l->w->cli->json)
		return tell(l->w, answer, true, err);
	return l->is_live ? draw(l, NULL, err) : print_changes(l, err);
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

int
watch_run(const struct watch *w, struct err *err)
{
	struct looking l = {
		.w = w,
		.is_live = !w->cli->json && term_is_live(STDOUT_FILENO),
		.said = json_object(),
	};
	int rc = 0;

	if (l.is_live)
		rc = put(HOME ERASE_BELOW, err);
	while (rc == 0) {
		rc = look(&l, err);
		if (rc == 0)
			rc = interrupt_wait(
			    w->cli->interrupt, -1, 0, WATCH_EVERY_MS, err);
	}
	/* what the keys left on the screen */
	if (l.is_live)
		(void)put("\r" ERASE_REST, NULL);
	json_decref(l.said);
	json_decref(l.answer);
	if (err->code != ERR_INTERRUPTED)
		return -1;
	w->cli->exit = FAIL_INTERRUPTED;
	return 0;
}
