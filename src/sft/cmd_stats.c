/* SPDX-License-Identifier: MIT */

/* sft stats and sft clients. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/table.h"
#include "sft/text.h"

#define VIEW_MAX_BYTES (64u * 1024 * 1024)
#define MIB (1024.0 * 1024.0)
#define TYPES_SHOWN 12

/* --- stats ---------------------------------------------------------------- */

static void
add_count(
    struct buf *b, const char *title, const json_t *stats, const char *key)
{
	buf_printf(b, "%-11s  %" PRIu64, title, out_uint(stats, key));
}

static void
add_sums(struct buf *b, const json_t *stats)
{
	double mbps =
	    json_number_value(json_object_get(stats, "average_speed_mbps"));
	char moved[TEXT_SIZE], rate[TEXT_SIZE], up[TEXT_SIZE];

	text_size(out_uint(stats, "total_bytes"), moved);
	text_rate(mbps > 0 ? (uint64_t)(mbps * MIB) : 0, rate);
	text_span(out_uint(stats, "uptime_seconds"), up);
	add_count(b, "transfers", stats, "total_transfers");
	buf_printf(b, " (%" PRIu64 " up, %" PRIu64 " down)\n",
	    out_uint(stats, "uploads"), out_uint(stats, "downloads"));
	add_count(b, "completed", stats, "completed_count");
	buf_printf(b, "\n%-11s  %s, %s on average\n", "moved", moved, rate);
	add_count(b, "failed", stats, "failed_count");
	buf_printf(b, " (%.1f%% of the completed and failed went well)\n",
	    json_number_value(json_object_get(stats, "success_rate")));
	add_count(b, "moving now", stats, "active_count");
	buf_printf(
	    b, ", %" PRIu64 " waiting\n", out_uint(stats, "queue_length"));
	add_count(b, "clients", stats, "total_clients");
	buf_append_char(b, '\n');
	add_count(b, "encrypted", stats, "encrypted_count");
	buf_printf(b, "\n%-11s  %s\n", "up for", up);
}

struct type {
	const char *name;
	uint64_t n;
};

static int
compare(const void *a, const void *b)
{
	const struct type *x = a, *y = b;

	return x->n == y->n ? 0 : x->n > y->n ? -1 : 1;
}

/* The commonest kinds of uploads on a line. */
static void
add_types(struct buf *b, const json_t *stats)
{
	json_t *types = json_object_get(stats, "file_types");
	size_t n = json_object_size(types), i = 0;
	struct type *all = mem_calloc(n + 1, sizeof(all[0]));
	const char *name;
	const json_t *value;

	json_object_foreach(types, name, value)
	{
		all[i].name = name;
		all[i++].n = out_uint(types, name);
	}
	qsort(all, n, sizeof(all[0]), compare);
	if (n > 0)
		buf_printf(b, "%-11s  ", "file types");
	for (i = 0; i < n && i < TYPES_SHOWN; i++) {
		buf_append_str(b, i == 0 ? "" : ", ");
		text_clean(b, slice_str(all[i].name[0] == '\0'  ? "none"
		                        : all[i].name[0] == '*' ? "others"
		                                                : all[i].name));
		buf_printf(b, " %" PRIu64, all[i].n);
	}
	if (n > TYPES_SHOWN)
		buf_printf(b, ", and %zu more", n - TYPES_SHOWN);
	if (n > 0)
		buf_append_char(b, '\n');
	free(all);
}

static int
print_stats(const json_t *stats, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, VIEW_MAX_BYTES);
	add_sums(&b, stats);
	add_types(&b, stats);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

int
cmd_stats(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "",
		.about = "Shows what all transfers on record add up to, in "
		         "both directions.\n",
	};
	const struct cli_ask ask = { "GET", "/stats", NULL };
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : cli_show(cli, &ask, print_stats, err);
}

/* --- clients -------------------------------------------------------------- */

static void
add_client(struct table *t, const json_t *client)
{
	char uploads[TEXT_SIZE], downloads[TEXT_SIZE], moved[TEXT_SIZE];
	char seen[TEXT_SIZE];

	(void)snprintf(uploads, sizeof(uploads), "%" PRIu64,
	    out_uint(client, "total_uploads"));
	(void)snprintf(downloads, sizeof(downloads), "%" PRIu64,
	    out_uint(client, "total_downloads"));
	text_size(out_uint(client, "total_bytes"), moved);
	text_time(
	    json_string_value(json_object_get(client, "last_activity")), seen);
	table_add(t, (const char *[]){ seen, out_str(client, "ip"),
	                 out_str(client, "client_id"), uploads, downloads,
	                 moved, out_str(client, "client_agent") });
}

static int
print_clients(const json_t *answer, struct err *err)
{
	static const struct table_column columns[] = {
		{ "LAST SEEN (UTC)", false, false },
		{ "ADDRESS", false, false },
		{ "CLIENT", false, false },
		{ "UPLOADS", true, false },
		{ "DOWNLOADS", true, false },
		{ "MOVED", true, false },
		{ "PROGRAM", false, true },
		{ NULL, false, false },
	};
	const struct table_list list = {
		.columns = columns,
		.objects = json_object_get(answer, "clients"),
		.add = add_client,
		.none = "No clients yet.\n",
	};

	return table_print(&list, cli_width(), err);
}

int
cmd_clients(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "",
		.about = "Shows who sent and fetched files, the most recent "
		         "first. --json names the newest\n100 files of each, "
		         "too.\n",
	};
	const struct cli_ask ask = { "GET", "/clients", NULL };
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : cli_show(cli, &ask, print_clients, err);
}
