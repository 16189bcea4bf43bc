/* SPDX-License-Identifier: MIT */

/* What is told: made once, shared by all who get it. */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/bus_priv.h"
#include "engine/transfer.h"

static const char *const event_names[BUS_KINDS] = {
	[BUS_FILE] = "status_update",
	[BUS_ALL] = "transfer_update",
	[BUS_STATS] = "stats_update",
};

const char *
bus_event_name(enum bus_kind kind)
{
	return event_names[kind];
}

struct bus_message *
bus_message_new(
    struct bus *b, const struct transfer_view *v, const char *json, size_t n)
{
	const char *name = v == NULL ? "" : v->rec.filename;
	size_t name_n = strlen(name) + 1;
	struct bus_message *m = mem_alloc(sizeof(*m) + name_n + n);
	char *tail = (char *)(m + 1);

	memset(m, 0, sizeof(*m));
	memcpy(tail, name, name_n);
	memcpy(tail + name_n, json, n);
	atomic_init(&m->refs, 1);
	m->id = atomic_fetch_add(&b->last_id, 1) + 1;
	m->filename = tail;
	m->json = tail + name_n;
	m->n = n;
	m->is_progress = true; /* of statistics, too, the newest will do */
	if (v != NULL) {
		memcpy(m->transfer, v->rec.id, ID_SIZE);
		m->is_progress = v->is_progress;
	}
	return m;
}

struct bus_message *
bus_message_of(struct bus *b, const struct transfer_view *v, json_t *j)
{
	struct bus_message *m = NULL;
	struct buf text;

	buf_init(&text, BUS_JSON_MAX);
	if (json_write(j, &text, NULL) == 0)
		m = bus_message_new(b, v, text.p, text.len);
	buf_fini(&text);
	json_decref(j);
	return m;
}

struct bus_message *
bus_message_ref(struct bus_message *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void
bus_message_unref(struct bus_message *m)
{
	if (m == NULL || atomic_fetch_sub(&m->refs, 1) > 1)
		return;
	for (size_t i = 0; i < BUS_FORMS * BUS_KINDS; i++)
		free(atomic_load_explicit(&m->texts[i], memory_order_relaxed));
	free(m);
}

const struct bus_text *
bus_entry_text(const struct bus_entry *e, enum bus_form form, bus_text_fn *make)
{
	_Atomic(struct bus_text *) *place =
	    &e->message->texts[form * BUS_KINDS + e->kind];
	struct bus_text *text = atomic_load(place), *made;

	if (text != NULL)
		return text;
	made = make(e);
	if (atomic_compare_exchange_strong(place, &text, made))
		return made;
	free(made); /* another thread was as fast */
	return text;
}
