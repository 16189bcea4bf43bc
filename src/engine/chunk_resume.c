/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/chunk_priv.h"

void
chunk_state_fini(struct chunk_state *st)
{
	free(st->ranges);
	memset(st, 0, sizeof(*st));
}

/* Under the lock. */
static void
list_ranges(const struct session *s, struct chunk_state *ret)
{
	for (uint64_t i = 0; i < s->rec.total_chunks; i++) {
		size_t n = ret->range_count;

		if (!session_bit(s->have, i))
			continue;
		if (n > 0 && ret->ranges[n - 1].last + 1 == i) {
			ret->ranges[n - 1].last = i;
			continue;
		}
		/* Doubled at each power of two. */
		if ((n & (n - 1)) == 0)
			ret->ranges = mem_realloc(ret->ranges,
			    (n == 0 ? 1 : 2 * n) * sizeof(*ret->ranges));
		ret->ranges[n] = (struct chunk_range){ i, i };
		ret->range_count++;
	}
}

/* Under the lock: one that is complete, but whoever brought the last of it was
 * not told, is a file before anybody wonders what there is to go on with. */
static int
finish_left(struct session *s, struct err *err)
{
	struct session_result ignored = { 0 };
	struct err e = ERR_INIT;

	if (session_settled(s, err) < 0)
		return -1;
	if (!s->is_begun || s->is_ending || session_load(s, NULL) < 0 ||
	    s->have_count < s->rec.total_chunks || !list_is_empty(&s->claims))
		return 0;
	(void)session_finish_left(s, &ignored, &e);
	session_result_fini(&ignored);
	return 0;
}

int
chunk_resume(struct engine *e, const struct principal *who,
    const char *filename, struct chunk_state *ret, struct err *err)
{
	struct sessions *all = e->sessions;
	struct session *s;
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	if (strncmp(filename, who->prefix, strlen(who->prefix)) != 0)
		return 0;
	pthread_mutex_lock(&all->lock);
	s = map_get(all->names, slice_str(filename));
	if (s != NULL)
		session_ref(s);
	pthread_mutex_unlock(&all->lock);
	if (s == NULL)
		return 0;
	pthread_mutex_lock(&s->lock);
	rc = finish_left(s, err);
	if (rc == 0 && s->is_begun && !s->is_ending) {
		rc = session_load(s, err);
		if (rc == 0) {
			ret->is_open = true;
			ret->total = s->rec.total_chunks;
			ret->received = s->have_count;
			ret->grid = s->rec.off_grid ? 0 : s->rec.grid;
			list_ranges(s, ret);
		} else if (err->code == ERR_ABSENT) {
			rc = 0;
		}
	}
	pthread_mutex_unlock(&s->lock);
	session_unref(s);
	return rc;
}
