/* SPDX-License-Identifier: MIT */
#include "sft/status_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sft/out.h"
#include "sft/table.h"
#include "sft/text.h"

#define CELL_MAX 96

bool
status_is_moving(const json_t *t)
{
	const char *status = out_str(t, "status");

	return strcmp(status, "uploading") == 0 ||
	       strcmp(status, "downloading") == 0;
}

void
status_figures(const json_t *t, struct status_figures *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (json_is_number(json_object_get(t, "progress")))
		(void)snprintf(ret->percent, sizeof(ret->percent),
		    "%" PRIu64 "%%", out_uint(t, "progress"));
	text_size(out_uint(t, "transferred_bytes"), ret->done);
	if (json_is_number(json_object_get(t, "total_bytes")))
		text_size(out_uint(t, "total_bytes"), ret->total);
	if (status_is_moving(t) && json_is_number(json_object_get(t, "speed")))
		text_rate(out_uint(t, "speed"), ret->rate);
	if (status_is_moving(t) && json_is_number(json_object_get(t, "eta")))
		text_clock(out_uint(t, "eta"), ret->left);
	text_time(
	    json_string_value(json_object_get(t, "updated_at")), ret->changed);
}

const char *
status_way(const json_t *t)
{
	const char *direction = out_str(t, "direction");

	return strcmp(direction, "upload") == 0     ? "up"
	       : strcmp(direction, "download") == 0 ? "down"
	                                            : "-";
}

static void
add_transfers(const json_t *list, size_t width, struct buf *b)
{
	static const struct table_column columns[] = {
		{ "NAME", false, true },
		{ "WAY", false, false },
		{ "STATUS", false, false },
		{ "DONE", true, false },
		{ "SIZE", true, false },
		{ "RATE", true, false },
		{ "LEFT", true, false },
		{ "CHANGED (UTC)", false, false },
		{ NULL, false, false },
	};
	struct table *t = table_new(columns);
	const json_t *transfer;
	struct status_figures f;
	size_t i;

	json_array_foreach(list, i, transfer)
	{
		status_figures(transfer, &f);
		table_add(
		    t, (const char *[]){ out_str(transfer, "filename"),
		           status_way(transfer), out_str(transfer, "status"),
		           f.percent, f.total[0] == '\0' ? f.done : f.total,
		           f.rate, f.left, f.changed });
	}
	table_write(t, width, b);
	table_free(t);
}

static void
add_queue(const json_t *list, size_t width, struct buf *b)
{
	static const struct table_column columns[] = {
		{ "TURN", true, false },
		{ "PRIORITY", true, false },
		{ "STATUS", false, false },
		{ "NAME", false, true },
		{ NULL, false, false },
	};
	struct table *t = table_new(columns);
	char turn[TEXT_SIZE], priority[TEXT_SIZE];
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		(void)snprintf(priority, sizeof(priority), "%" PRIu64,
		    out_uint(entry, "priority"));
		(void)snprintf(turn, sizeof(turn), "-");
		if (json_is_number(json_object_get(entry, "position")))
			(void)snprintf(turn, sizeof(turn), "%" PRIu64,
			    out_uint(entry, "position"));
		table_add(t,
		    (const char *[]){ turn, priority, out_str(entry, "status"),
		        out_str(entry, "filename") });
	}
	table_write(t, width, b);
	table_free(t);
}

void
status_view_all(const json_t *answer, size_t width, struct buf *b)
{
	const json_t *transfers = json_object_get(answer, "transfers");
	const json_t *queue = json_object_get(answer, "queue");
	const json_t *metadata = json_object_get(answer, "metadata");
	uint64_t all = out_uint(metadata, "total_transfers");
	size_t shown = json_array_size(transfers);

	if (shown == 0)
		buf_append_str(b, "No transfers yet.\n");
	else
		add_transfers(transfers, width, b);
	if (json_is_string(json_object_get(metadata, "next_cursor")))
		buf_printf(b, "The newest %zu of %" PRIu64 ".\n", shown, all);
	if (json_array_size(queue) == 0)
		return;
	buf_append_str(b, "\nQueue: waiting, running, or ended just now\n");
	add_queue(queue, width, b);
}

static void
add_field(struct buf *b, const char *title, const char *value)
{
	buf_printf(b, "%-9s  ", title);
	text_clean(b, slice_str(value));
	buf_append_char(b, '\n');
}

static void
add_optional(struct buf *b, const char *title, const json_t *t, const char *key)
{
	const char *value = json_string_value(json_object_get(t, key));

	if (value != NULL && value[0] != '\0')
		add_field(b, title, value);
}

void
status_view_one(const json_t *transfer, struct buf *b)
{
	char text[CELL_MAX * 2];
	struct status_figures f;

	status_figures(transfer, &f);
	add_field(b, "name", out_str(transfer, "filename"));
	add_field(b, "way", status_way(transfer));
	add_field(b, "status", out_str(transfer, "status"));
	add_optional(b, "error", transfer, "error");
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s", f.done,
	    f.total[0] == '\0' ? "" : " of ", f.total,
	    f.percent[0] == '\0' ? "" : ", ", f.percent);
	add_field(b, "moved", text);
	if (f.rate[0] != '\0')
		add_field(b, "rate", f.rate);
	if (f.left[0] != '\0')
		add_field(b, "left", f.left);
	(void)snprintf(
	    text, sizeof(text), "%" PRIu64, out_uint(transfer, "priority"));
	add_field(b, "priority", text);
	add_field(
	    b, "encrypted", out_bool(transfer, "encryption") ? "yes" : "no");
	add_optional(b, "sha256", transfer, "checksum");
	add_optional(b, "client", transfer, "client_id");
	add_optional(b, "address", transfer, "client_ip");
	add_optional(b, "began", transfer, "created_at");
	add_optional(b, "changed", transfer, "updated_at");
	add_optional(b, "id", transfer, "id");
}

void
status_view_line(const json_t *transfer, struct buf *b)
{
	struct status_figures f;

	status_figures(transfer, &f);
	text_clean(b, slice_str(out_str(transfer, "filename")));
	buf_printf(b, ": %s ", status_way(transfer));
	text_clean(b, slice_str(out_str(transfer, "status")));
	if (f.percent[0] != '\0')
		buf_printf(b, ", %s", f.percent);
	buf_printf(
	    b, ", %s%s%s", f.done, f.total[0] == '\0' ? "" : " of ", f.total);
	if (f.rate[0] != '\0')
		buf_printf(b, ", %s", f.rate);
	if (f.left[0] != '\0')
		buf_printf(b, ", %s left", f.left);
	buf_append_char(b, '\n');
}
