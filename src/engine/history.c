/* SPDX-License-Identifier: MIT */
#include "engine/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct reading {
	const struct rec_history_query *query;
	struct status_list *list;
};

static int
take(void *arg, const struct rec_transfer *t, struct err *err)
{
	struct status_list *l = arg;

	(void)err;
	transfer_view_of(&l->views[l->count++], t);
	return 0;
}

static int
read_page(struct db_tx *tx, void *arg, struct err *err)
{
	struct reading *r = arg;

	if (rec_history_count(tx, r->query, &r->list->total, err) < 0)
		return -1;
	return rec_history_each(tx, r->query, take, r->list, err);
}

/* What a row says of one that moves is how it began. */
static void
lay_over(void *arg, struct transfer_view *live)
{
	struct map *by_id = arg;
	struct transfer_view *v = map_get(by_id, slice_str(live->rec.id));

	if (v == NULL || rec_status_is_ended(v->rec.status))
		return;
	transfer_view_fini(v);
	*v = *live;
	memset(live, 0, sizeof(*live));
}

static void
add_live(struct engine *e, const char *prefix, struct status_list *l)
{
	struct map *by_id = map_new();

	for (size_t i = 0; i < l->count; i++)
		(void)map_put(
		    by_id, slice_str(l->views[i].rec.id), &l->views[i]);
	transfers_each(e->transfers, prefix, lay_over, by_id);
	map_free(by_id);
}

int
history_get(struct engine *e, const struct principal *who,
    struct rec_history_query *q, struct status_list *ret, struct err *err)
{
	struct reading r = { q, ret };

	memset(ret, 0, sizeof(*ret));
	q->prefix = who->prefix;
	ret->views = mem_calloc(q->limit, sizeof(*ret->views));
	/* Ends of transfers are recorded while nobody waits for that. */
	engine_settle(e);
	if ((rec_history_is_long(q) ? db_read_long : db_read)(
	        e->db, read_page, &r, err) < 0) {
		status_list_fini(ret);
		return -1;
	}
	add_live(e, who->prefix, ret);
	return 0;
}

/* --- upkeep --------------------------------------------------------------- */

/* In one transaction: other writers wait for it. */
#define PRUNE_STEP 100

static int
prune(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_transfer_prune(tx, arg, err);
}

int
history_prune(struct engine *e, bool *ret_left, struct err *err)
{
	int64_t begin_ms = clock_mono_ms(clock_system());
	struct rec_transfer_pruning p = {
		.now_ms = clock_wall_ms(e->clock),
		.keep_ms = e->settings->history_keep,
		.limit = PRUNE_STEP,
	};

	*ret_left = false;
	if (p.keep_ms == 0)
		return 0;
	do {
		if (db_write(e->db, prune, &p, err) < 0)
			return -1;
		*ret_left = p.count == p.limit;
	} while (*ret_left &&
	         clock_mono_ms(clock_system()) - begin_ms < HISTORY_PRUNE_MS);
	return 0;
}
