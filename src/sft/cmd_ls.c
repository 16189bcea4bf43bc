/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "proto/limits.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/text.h"
#include "sft/url.h"

#define PAGE_MAX_BYTES (64u * 1024 * 1024)

struct listing {
	struct cli *cli;
	const char *prefix;
	struct opt_choice sort;
	uint64_t limit;
	bool names;
	struct out_list out; /* with --json */
	uint64_t count;
};

/* "   2.9 KiB  2026-11-26 10:00  " */
static void
add_figures(struct buf *b, const json_t *f)
{
	char size[TEXT_SIZE], modified[TEXT_SIZE];

	text_size(out_uint(f, "size"), size);
	text_time(out_str(f, "modified"), modified);
	buf_printf(b, "%10s  %-16s  ", size, modified);
}

static int
print_page(const struct listing *l, const json_t *files, struct err *err)
{
	const json_t *f;
	struct buf b;
	size_t i;
	int rc;

	buf_init(&b, PAGE_MAX_BYTES);
	json_array_foreach(files, i, f)
	{
		if (!l->names)
			add_figures(&b, f);
		text_clean(&b, slice_str(out_str(f, "filename")));
		buf_append_char(&b, '\n');
	}
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

/* One page from behind ${cursor} (NULL: the first). */
static int
ask_page(struct listing *l, const char *cursor, json_t **ret, struct err *err)
{
	struct cli_ask ask = { .method = "GET" };
	uint64_t left = l->limit - l->count;
	char limit[TEXT_SIZE];
	struct buf target;
	int rc;

	(void)snprintf(limit, sizeof(limit), "%" PRIu64,
	    left < LIMIT_FILES_MAX ? left : LIMIT_FILES_MAX);
	buf_init(&target, 2 * URL_MAX);
	buf_append_str(&target, "/files");
	url_add_query(&target, "limit", limit);
	url_add_query(&target, "prefix", l->prefix);
	url_add_query(&target, "sort", l->sort.value);
	url_add_query(&target, "cursor", cursor);
	ask.target = buf_str(&target);
	rc = cli_ask(l->cli, &ask, ret, err);
	buf_fini(&target);
	return rc;
}

/* Is it one, and not the one before once more? */
static int
check_page(const json_t *page, const char *cursor, struct err *err)
{
	const char *next =
	    json_string_value(json_object_get(page, "next_cursor"));

	if (!json_is_array(json_object_get(page, "files")))
		return err_set(err, ERR_IO,
		    "the server answered something other than a list of files: "
		    "is it an sftd?");
	if (cursor != NULL && next != NULL && strcmp(cursor, next) == 0)
		return err_set(err, ERR_IO,
		    "the server sends the same part of its list again and "
		    "again");
	return 0;
}

/* *${page} is the last one, and becomes the next; 0: it was the last. */
static int
next_page(struct listing *l, json_t **page, struct err *err)
{
	const char *cursor =
	    json_string_value(json_object_get(*page, "next_cursor"));
	const json_t *files;
	json_t *next;

	if (*page != NULL && (cursor == NULL || l->count >= l->limit))
		return 0;
	if (ask_page(l, cursor, &next, err) < 0)
		return -1;
	if (check_page(next, cursor, err) < 0) {
		json_decref(next);
		return -1;
	}
	json_decref(*page);
	*page = next;
	files = json_object_get(next, "files");
	l->count += json_array_size(files);
	if (l->cli->json)
		return out_list_add(&l->out, files, err) < 0 ? -1 : 1;
	return print_page(l, files, err) < 0 ? -1 : 1;
}

/* The document's end, which says what went wrong behind its beginning. */
static int
end_json(struct listing *l, int rc, struct err *err)
{
	json_t *failure;

	l->cli->is_told = rc == 0 || l->out.is_open;
	if (rc == 0)
		return out_list_end(&l->out, NULL, err);
	if (l->out.is_open && !out_is_gone(err)) {
		failure = cli_error_json(err);
		(void)out_list_end(&l->out, failure, NULL);
		json_decref(failure);
	}
	return rc;
}

static int
list(struct listing *l, struct err *err)
{
	json_t *page = NULL;
	int rc;

	do
		rc = next_page(l, &page, err);
	while (rc > 0);
	json_decref(page);
	if (l->cli->json)
		return end_json(l, rc, err);
	if (rc == 0 && l->count == 0 && !l->cli->quiet)
		cli_say(
		    l->cli, l->prefix == NULL
		                ? "there are no files"
		                : "there are no files whose names begin so");
	return rc;
}

int
cmd_ls(struct cli *cli, struct err *err)
{
	struct listing l = {
		.cli = cli,
		.sort = { .words = "name|newest|size" },
		.limit = INT64_MAX,
		.out = { .key = "files" },
	};
	const struct opt options[] = {
		{ "sort", 0, OPT_CHOICE, "ORDER",
		    "name, newest (first) or size (largest first) (name)",
		    &l.sort, 0, 0, NULL },
		{ "limit", 0, OPT_UINT, "N", "so many at most (all)", &l.limit,
		    1, INT64_MAX, NULL },
		{ "names", '1', OPT_FLAG, NULL, "their names alone", &l.names,
		    0, 0, NULL },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "[PREFIX]",
		.about = "Lists the files on the server, or those whose names "
		         "begin with PREFIX:\ntheir size, when they last "
		         "changed (UTC), and their names.\n",
		.options = options,
		.max_args = 1,
	};
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	if (cli->argc > 0)
		l.prefix = cli->argv[0];
	if (cli_http(cli, err) < 0)
		return -1;
	return list(&l, err);
}
