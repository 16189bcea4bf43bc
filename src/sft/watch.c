/* SPDX-License-Identifier: MIT */
#include "sft/watch.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sft/events.h"
#include "sft/out.h"
#include "sft/retry.h"
#include "sft/status_view.h"
#include "sft/term.h"
#include "sft/text.h"

#define VIEW_MAX_BYTES (64u * 1024 * 1024)
/* Events may come more often than anybody can look. */
#define LOOK_EVERY_MS 200
/* Of what moves on there is a line so often at most, each new state aside. */
#define LINE_EVERY_MS 1000
/* Time changes something, too: what ended a while ago is not in the queue. */
#define DRAW_EVERY_MS 5000
#define AGAIN_MS 1000 /* before it connects again */

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
	/* Of each, by its id: {"line", "status", "ms"} of what was said last.
	 */
	json_t *said;
	int64_t looked_ms; /* monotonic */
	int64_t due_ms;    /* when to look again; 0: not before an event */
	const struct http *failed; /* the connection that did, last */
};

static int64_t
now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static void
look_at(struct looking *l, int64_t at_ms)
{
	if (l->due_ms == 0 || at_ms < l->due_ms)
		l->due_ms = at_ms;
}

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
	const char *id = out_str(one, "id"), *status = out_str(one, "status");
	const json_t *before = json_object_get(l->said, id);
	int64_t free_ms = (int64_t)out_uint(before, "ms") + LINE_EVERY_MS;
	struct buf line;

	buf_init(&line, VIEW_MAX_BYTES);
	l->w->line(one, &line);
	if (before != NULL &&
	    strcmp(out_str(before, "line"), buf_str(&line)) == 0) {
		;
	} else if (before != NULL && status_is_moving(one) &&
	           strcmp(out_str(before, "status"), status) == 0 &&
	           now_ms() < free_ms) {
		look_at(l, free_ms);
	} else {
		buf_append_slice(b, buf_slice(&line));
		json_object_set_new(l->said, id,
		    json_pack("{s:o, s:s, s:I}", "line",
		        json_str_or_null(buf_str(&line)), "status", status,
		        "ms", (json_int_t)now_ms()));
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

/* The server does not answer: waits for it, when there is hope. */
static int
bear(struct looking *l, struct err *err)
{
	struct cli *cli = l->w->cli;
	struct err why = *err;
	struct buf note;
	int rc = 0;

	if (l->answer == NULL || !retry_may(err, http_failure(l->failed)))
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
	return rc < 0 ? rc
	              : interrupt_wait(cli->interrupt, -1, 0, AGAIN_MS, err);
}

static int
look(struct looking *l, struct err *err)
{
	struct cli *cli = l->w->cli;
	json_t *answer = NULL;

	l->looked_ms = now_ms();
	l->due_ms = l->is_live ? l->looked_ms + DRAW_EVERY_MS : 0;
	if (cli_ask(cli, &l->w->ask, &answer, err) < 0) {
		l->failed = cli->http;
		return -1;
	}
	if (l->is_silent && !l->is_live && !cli->quiet)
		cli_say(cli, "the server is there again");
	l->is_silent = false;
	json_decref(l->answer);
	l->answer = answer;
	if (cli->json)
		return tell(l->w, answer, true, err);
	return l->is_live ? draw(l, NULL, err) : print_changes(l, err);
}

static int
tick(void *arg, struct err *err)
{
	struct looking *l = arg;

	return l->due_ms > 0 && l->due_ms <= now_ms() ? look(l, err) : 0;
}

/* From now on nothing is missed. */
static int
begun(void *arg, struct err *err)
{
	return look(arg, err);
}

static int
changed(void *arg, const char *name, const json_t *document, struct err *err)
{
	struct looking *l = arg;

	(void)name;
	(void)document;
	look_at(l, l->looked_ms + LOOK_EVERY_MS);
	return tick(l, err);
}

/* The events come on a connection of their own. */
static int
follow(struct looking *l, struct http *http, struct err *err)
{
	const struct events_listener listener = { begun, changed, tick, l };
	struct events events;
	int rc;

	events_init(&events, http, l->w->events, &listener);
	do {
		l->failed = http;
		(void)events_listen(&events, err);
		rc = bear(l, err);
	} while (rc == 0);
	events_fini(&events);
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

int
watch_run(const struct watch *w, struct err *err)
{
	struct looking l = {
		.w = w,
		.is_live = !w->cli->json && term_is_live(STDOUT_FILENO),
		.said = json_object(),
	};
	struct http *http = NULL;

	if (http_clone(w->cli->http, &http, err) < 0)
		goto out;
	if (!l.is_live || put(HOME ERASE_BELOW, err) == 0)
		(void)follow(&l, http, err);
	/* what the keys left on the screen */
	if (l.is_live)
		(void)put("\r" ERASE_REST, NULL);
out:
	http_close(http);
	json_decref(l.said);
	json_decref(l.answer);
	if (err->code != ERR_INTERRUPTED)
		return -1;
	w->cli->exit = FAIL_INTERRUPTED;
	return 0;
}
