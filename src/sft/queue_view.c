/* SPDX-License-Identifier: MIT */
#include "sft/queue_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sft/out.h"
#include "sft/status_view.h"
#include "sft/table.h"
#include "sft/text.h"

enum place { PLACE_MOVING, PLACE_WAITING, PLACE_ENDED, PLACE_COUNT };

struct entry {
	const json_t *json;
	enum place place;
	uint64_t turn; /* of a waiting one */
	size_t at;     /* in the server's list */
};

struct view {
	struct entry *entries;
	size_t n;
	size_t counts[PLACE_COUNT];
	json_t *by_id; /* the uploads that the answer tells more of */
};

static enum place
place_of(const json_t *entry)
{
	if (status_is_moving(entry))
		return PLACE_MOVING;
	return strcmp(out_str(entry, "status"), "queued") == 0 ? PLACE_WAITING
	                                                       : PLACE_ENDED;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static void
view_init(struct view *v, const json_t *answer)
{
	const json_t *queue = json_object_get(answer, "queue");
	json_t *transfer;
	size_t i;

	*v = (struct view){ .n = json_array_size(queue) };
	v->entries = mem_calloc(v->n + 1, sizeof(v->entries[0]));
	for (i = 0; i < v->n; i++) {
		struct entry *e = &v->entries[i];

		e->json = json_array_get(queue, i);
		e->at = i;
		e->place = place_of(e->json);
		if (e->place == PLACE_WAITING)
			e->turn = out_uint(e->json, "position");
		v->counts[e->place]++;
	}
	qsort(v->entries, v->n, sizeof(v->entries[0]), compare);
	v->by_id = json_object();
	json_array_foreach(json_object_get(answer, "transfers"), i, transfer)
	{
		json_object_set(v->by_id, out_str(transfer, "id"), transfer);
	}
}

static void
view_fini(struct view *v)
{
	json_decref(v->by_id);
	free(v->entries);
}

static void
number(const json_t *object, const char *key, char ret[TEXT_SIZE])
{
	if (json_is_number(json_object_get(object, key)))
		(void)snprintf(
		    ret, TEXT_SIZE, "%" PRIu64, out_uint(object, key));
	else
		(void)snprintf(ret, TEXT_SIZE, "-");
}

/* "" when the answer does not tell. */
static const char *
way_of(const json_t *more, const json_t *entry)
{
	const char *status = out_str(entry, "status");

	if (more != NULL)
		return status_way(more);
	return strcmp(status, "downloading") == 0 ? "down"
	       : strcmp(status, "uploading") == 0 ? "up"
	                                          : "";
}

static void
add_entry(struct table *t, const struct view *v, const json_t *entry)
{
	const json_t *more = json_object_get(v->by_id, out_str(entry, "id"));
	struct status_figures f = { .percent = "" };
	char turn[TEXT_SIZE], priority[TEXT_SIZE];

	if (more != NULL)
		status_figures(more, &f);
	number(entry, "position", turn);
	number(entry, "priority", priority);
	table_add(t, (const char *[]){ turn, priority, way_of(more, entry),
	                 out_str(entry, "status"), f.percent,
	                 f.total[0] == '\0' ? f.done : f.total, f.rate, f.left,
	                 out_str(entry, "filename") });
}

void
queue_view_all(const json_t *answer, size_t width, struct buf *b)
{
	static const struct table_column columns[] = {
		{ "TURN", true, false },
		{ "PRIORITY", true, false },
		{ "WAY", false, false },
		{ "STATUS", false, false },
		{ "DONE", true, false },
		{ "SIZE", true, false },
		{ "RATE", true, false },
		{ "LEFT", true, false },
		{ "NAME", false, true },
		{ NULL, false, false },
	};
	struct table *t;
	struct view v;

	view_init(&v, answer);
	if (v.n == 0) {
		buf_append_str(b, "Nothing moves, nothing waits.\n");
		view_fini(&v);
		return;
	}
	buf_printf(b, "%zu moving, %zu waiting, %zu ended just now\n",
	    v.counts[PLACE_MOVING], v.counts[PLACE_WAITING],
	    v.counts[PLACE_ENDED]);
	t = table_new(columns);
	for (size_t i = 0; i < v.n; i++)
		add_entry(t, &v, v.entries[i].json);
	table_write(t, width, b);
	table_free(t);
	view_fini(&v);
}

void
queue_view_line(const json_t *entry, struct buf *b)
{
	text_clean(b, slice_str(out_str(entry, "filename")));
	buf_append_str(b, ": ");
	text_clean(b, slice_str(out_str(entry, "status")));
	if (json_is_number(json_object_get(entry, "position")))
		buf_printf(b, ", turn %" PRIu64, out_uint(entry, "position"));
	buf_printf(b, ", priority %" PRIu64 "\n", out_uint(entry, "priority"));
}
