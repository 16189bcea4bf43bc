/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "proto/limits.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/status_view.h"
#include "sft/table.h"
#include "sft/text.h"
#include "sft/url.h"

#define VIEW_MAX_BYTES (64u * 1024 * 1024)
#define STATUS_WORDS                                                           \
	"queued|uploading|downloading|completed|failed|cancelled|interrupted"

struct options {
	struct opt_choice status;
	const char *client;
	const char *from;
	const char *to;
	struct opt_choice direction;
	const char *filename;
	uint64_t limit;
	uint64_t offset;
};

static void
add_target(const struct options *o, struct buf *b)
{
	char limit[TEXT_SIZE], offset[TEXT_SIZE];

	(void)snprintf(limit, sizeof(limit), "%" PRIu64, o->limit);
	(void)snprintf(offset, sizeof(offset), "%" PRIu64, o->offset);
	buf_append_str(b, "/history");
	url_add_query(b, "limit", limit);
	url_add_query(b, "offset", o->offset == 0 ? NULL : offset);
	url_add_query(b, "status", o->status.value);
	url_add_query(b, "client", o->client);
	url_add_query(b, "from", o->from);
	url_add_query(b, "to", o->to);
	url_add_query(b, "direction", o->direction.value);
	url_add_query(b, "filename", o->filename);
}

/* Who it was: the name that it gave itself, or its address. */
static const char *
client_of(const json_t *transfer)
{
	const char *id =
	    json_string_value(json_object_get(transfer, "client_id"));

	return id != NULL && id[0] != '\0' ? id
	                                   : out_str(transfer, "client_ip");
}

static void
add_transfer(struct table *t, const json_t *transfer)
{
	char rate[TEXT_SIZE] = "";
	struct status_figures f;

	status_figures(transfer, &f);
	if (out_uint(transfer, "speed") > 0)
		text_rate(out_uint(transfer, "speed"), rate);
	table_add(t, (const char *[]){ f.changed, status_way(transfer),
	                 out_str(transfer, "status"), f.done, rate,
	                 client_of(transfer), out_str(transfer, "filename") });
}

/* Where one is in what there is, and how to go on. */
static void
add_place(const json_t *answer, struct buf *b)
{
	uint64_t first = out_uint(answer, "offset");
	uint64_t n = out_uint(answer, "returned_count");
	uint64_t all = out_uint(answer, "total_count");

	if (n == all)
		return;
	if (n == 0) {
		buf_printf(b,
		    "There are %" PRIu64 " transfers, and none from --offset "
		    "%" PRIu64 " on.\n",
		    all, first);
		return;
	}
	buf_printf(b, "%" PRIu64 " to %" PRIu64 " of %" PRIu64, first + 1,
	    first + n, all);
	if (first + n < all)
		buf_printf(b, "; the next ones: --offset %" PRIu64, first + n);
	buf_append_char(b, '\n');
}

static int
print(const json_t *answer, struct err *err)
{
	static const struct table_column columns[] = {
		{ "CHANGED (UTC)", false, false },
		{ "WAY", false, false },
		{ "STATUS", false, false },
		{ "MOVED", true, false },
		{ "RATE", true, false },
		{ "CLIENT", false, false },
		{ "NAME", false, true },
		{ NULL, false, false },
	};
	const struct table_list list = {
		.columns = columns,
		.objects = json_object_get(answer, "entries"),
		.add = add_transfer,
		.none = out_uint(answer, "total_count") > 0
		            ? NULL
		            : "No such transfers.\n",
	};
	struct buf b;
	int rc;

	buf_init(&b, VIEW_MAX_BYTES);
	table_write_list(&list, cli_width(), &b);
	add_place(answer, &b);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

static int
run(struct cli *cli, const struct options *o, struct err *err)
{
	struct cli_ask ask = { .method = "GET" };
	struct buf target;
	int rc;

	buf_init(&target, URL_MAX);
	add_target(o, &target);
	ask.target = buf_str(&target);
	rc = cli_show(cli, &ask, print, err);
	buf_fini(&target);
	return rc;
}

int
cmd_history(struct cli *cli, struct err *err)
{
	struct options o = {
		.status = { .words = STATUS_WORDS },
		.direction = { .words = "upload|download" },
		.limit = LIMIT_HISTORY_DEFAULT,
	};
	const struct opt options[] = {
		{ "status", 0, OPT_CHOICE, "STATUS",
		    "queued, uploading, downloading, completed, failed, "
		    "cancelled or interrupted",
		    &o.status, 0, 0, NULL },
		{ "client", 0, OPT_STR, "CLIENT",
		    "of this client: its address, or its --client-id",
		    &o.client, 0, 0, NULL },
		{ "from", 0, OPT_STR, "DAY",
		    "since this day (UTC), as 2026-11-26", &o.from, 0, 0,
		    NULL },
		{ "to", 0, OPT_STR, "DAY", "up to this day, included", &o.to, 0,
		    0, NULL },
		{ "direction", 0, OPT_CHOICE, "WAY", "upload or download",
		    &o.direction, 0, 0, NULL },
		{ "filename", 0, OPT_STR, "NAME", "of this file", &o.filename,
		    0, 0, NULL },
		{ "limit", 0, OPT_UINT, "N", "so many at most (100)", &o.limit,
		    1, LIMIT_HISTORY_MAX, NULL },
		{ "offset", 0, OPT_UINT, "N", "without the newest N (0)",
		    &o.offset, 0, INT32_MAX, NULL },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "",
		.about = "Shows the transfers on record, the newest first, in "
		         "both directions; with\noptions those for which all "
		         "of them hold.\n",
		.options = options,
	};
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : run(cli, &o, err);
}
