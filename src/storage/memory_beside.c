/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "storage/memory_priv.h"

int
memory_beside_put(struct storage *st, const char *id, const void *p, size_t n,
    struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_beside *new;

	if (memory_check_id(id, err) < 0)
		return -1;
	if (n > STORAGE_BESIDE_MAX)
		return err_set(err, ERR_INTERNAL,
		    "%zu bytes are too many to lie beside '%s'", n, id);
	new = mem_alloc(sizeof(*new) + n);
	memcpy(new->id, id, ID_SIZE);
	new->n = n;
	if (n > 0)
		memcpy(new->p, p, n);
	pthread_mutex_lock(&m->lock);
	free(map_put(m->beside, slice_str(id), new));
	pthread_mutex_unlock(&m->lock);
	return 0;
}

int
memory_beside_get(
    struct storage *st, const char *id, struct buf *b, struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_beside *found;
	int rc = -1;

	if (memory_check_id(id, err) < 0)
		return -1;
	buf_clear(b);
	pthread_mutex_lock(&m->lock);
	found = map_get(m->beside, slice_str(id));
	if (found == NULL)
		(void)err_set(err, ERR_ABSENT, "nothing lies beside '%s'", id);
	else if (buf_append(b, found->p, found->n) < 0)
		(void)err_set(
		    err, ERR_IO, "no room for what is beside '%s'", id);
	else
		rc = 0;
	pthread_mutex_unlock(&m->lock);
	return rc;
}

int
memory_beside_remove(struct storage *st, const char *id, struct err *err)
{
	struct mem *m = memory_of(st);

	if (memory_check_id(id, err) < 0)
		return -1;
	pthread_mutex_lock(&m->lock);
	free(map_remove(m->beside, slice_str(id)));
	pthread_mutex_unlock(&m->lock);
	return 0;
}

struct entry {
	char id[ID_SIZE];
	uint64_t size;
};

int
memory_beside_list(
    struct storage *st, storage_list_fn fn, void *arg, struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_beside *one;
	struct entry *all;
	size_t pos = 0;
	size_t n = 0;
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	all = mem_calloc(map_count(m->beside), sizeof(*all));
	while ((one = map_next(m->beside, &pos, NULL)) != NULL) {
		memcpy(all[n].id, one->id, ID_SIZE);
		all[n++].size = one->n;
	}
	pthread_mutex_unlock(&m->lock);
	/* Without the lock: it may remove what it is shown. */
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = fn(arg, all[i].id, all[i].size, err);
	free(all);
	return rc;
}
