/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "storage/memory_priv.h"

static struct mem_blob *
blob_of(struct blob *b)
{
	return CONTAINER_OF(b, struct mem_blob, blob);
}

/* So much of the capacity is ${b}'s.  Under the lock. */
static int
charge(struct mem_blob *b, uint64_t bytes, struct err *err)
{
	struct mem *m = b->mem;

	if (bytes <= b->charged)
		return 0;
	if (bytes - b->charged > m->capacity - m->used)
		return err_set(err, ERR_STORAGE_FULL, "the storage is full");
	m->used += bytes - b->charged;
	b->charged = bytes;
	return 0;
}

static int
grow(struct mem_blob *b, uint64_t bytes, struct err *err)
{
	uint64_t cap = b->cap < 4096 ? 4096 : b->cap;
	char *p;

	if (bytes <= b->cap)
		return 0;
	while (cap < bytes)
		cap *= 2;
	p = mem_try_realloc(b->p, cap);
	if (p == NULL)
		return err_set(err, ERR_STORAGE_FULL, "the storage is full");
	memset(p + b->cap, 0, cap - b->cap); /* what is skipped is zero */
	b->p = p;
	b->cap = cap;
	return 0;
}

int
memory_blob_new(struct storage *st, const char *id, uint64_t size,
    struct blob **ret_blob, struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_blob *b;
	int rc = -1;

	if (memory_check_id(id, err) < 0)
		return -1;
	b = mem_calloc(1, sizeof(*b));
	b->blob.ops = st->ops;
	b->mem = m;
	memcpy(b->id, id, ID_SIZE);
	pthread_mutex_lock(&m->lock);
	if (map_get(m->temp, slice_str(id)) != NULL) {
		(void)err_set(err, ERR_EXISTS, "'%s' is being written", id);
		goto out;
	}
	if (size != STORAGE_SIZE_UNKNOWN && charge(b, size, err) < 0)
		goto out;
	(void)map_put(m->temp, slice_str(id), b);
	*ret_blob = &b->blob;
	b = NULL;
	rc = 0;
out:
	pthread_mutex_unlock(&m->lock);
	free(b);
	return rc;
}

static int
check_order(const struct mem_blob *b, uint64_t offset, struct err *err)
{
	const struct storage_caps *caps = &b->mem->caps;

	if (offset == b->last)
		return 0;
	if (caps->random_writes && offset % caps->grain == 0)
		return 0;
	return err_set(err, ERR_INTERNAL,
	    "a write at %llu cannot follow one that ended at %llu",
	    (unsigned long long)offset, (unsigned long long)b->last);
}

int
memory_blob_write_at(struct blob *blob, uint64_t offset, const void *buf,
    size_t n, struct err *err)
{
	struct mem_blob *b = blob_of(blob);
	uint64_t end = offset + n;
	int rc;

	if (n == 0)
		return 0;
	if (check_order(b, offset, err) < 0)
		return -1;
	pthread_mutex_lock(&b->mem->lock);
	rc = charge(b, end, err);
	pthread_mutex_unlock(&b->mem->lock);
	if (rc < 0 || grow(b, end, err) < 0)
		return -1;
	memcpy(b->p + offset, buf, n);
	b->last = end;
	if (end > b->end)
		b->end = end;
	return 0;
}

int
memory_blob_sync(struct blob *blob, struct err *err)
{
	(void)blob;
	(void)err;
	return 0;
}

/* Under the lock: the blob is no more, its bytes are ${kept}'s. */
static void
forget(struct mem_blob *b, uint64_t kept)
{
	b->mem->used -= b->charged - kept;
	(void)map_remove(b->mem->temp, slice_str(b->id));
	free(b->p);
	free(b);
}

/* Under the lock. */
static int
publish(struct mem_blob *b, uint64_t size, const char *birth, struct err *err)
{
	struct object *o;

	if (map_get(b->mem->objects, slice_str(b->id)) != NULL)
		return err_set(err, ERR_EXISTS, "'%s' is published", b->id);
	if (strlen(birth) > STORAGE_BIRTH_MAX)
		return err_set(
		    err, ERR_INTERNAL, "the birth record is too long");
	if (charge(b, size, err) < 0 || grow(b, size, err) < 0)
		return -1;
	o = mem_calloc(1, sizeof(*o));
	o->refs = 1;
	o->size = size;
	o->p = b->p;
	o->birth = mem_strdup(birth);
	memcpy(o->id, b->id, ID_SIZE);
	b->p = NULL;
	(void)map_put(b->mem->objects, slice_str(b->id), o);
	return 0;
}

int
memory_blob_publish(struct blob *blob, uint64_t size, const char *birth,
    bool durable, struct err *err)
{
	struct mem_blob *b = blob_of(blob);
	struct mem *m = b->mem;
	int rc;

	(void)durable; /* nothing here is */
	pthread_mutex_lock(&m->lock);
	rc = publish(b, size, birth, err);
	forget(b, rc == 0 ? size : 0);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

void
memory_blob_abort(struct blob *blob)
{
	struct mem_blob *b;
	struct mem *m;

	if (blob == NULL)
		return;
	b = blob_of(blob);
	m = b->mem;
	pthread_mutex_lock(&m->lock);
	forget(b, 0);
	pthread_mutex_unlock(&m->lock);
}
