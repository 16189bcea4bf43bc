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

/* So much of the capacity is ${b}'s.  Under the lock, as the next. */
static int
charge(struct mem *m, struct mem_begun *b, uint64_t bytes, struct err *err)
{
	if (bytes <= b->charged)
		return 0;
	if (bytes - b->charged > m->capacity - m->used)
		return err_set(err, ERR_STORAGE_FULL, "the storage is full");
	m->used += bytes - b->charged;
	b->charged = bytes;
	return 0;
}

static int
grow(struct mem_begun *b, uint64_t bytes, struct err *err)
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

static struct mem_blob *
handle_new(struct mem *m, struct mem_begun *b)
{
	struct mem_blob *h = mem_calloc(1, sizeof(*h));

	h->blob.ops = m->storage.ops;
	h->mem = m;
	h->begun = b;
	return h;
}

int
memory_blob_new(struct storage *st, const char *id, uint64_t size,
    struct blob **ret_blob, struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_begun *b;
	int rc = -1;

	if (memory_check_id(id, err) < 0)
		return -1;
	b = mem_calloc(1, sizeof(*b));
	memcpy(b->id, id, ID_SIZE);
	pthread_mutex_lock(&m->lock);
	if (map_get(m->temp, slice_str(id)) != NULL) {
		(void)err_set(err, ERR_EXISTS, "'%s' is being written", id);
		goto out;
	}
	if (size != STORAGE_SIZE_UNKNOWN && charge(m, b, size, err) < 0)
		goto out;
	(void)map_put(m->temp, slice_str(id), b);
	*ret_blob = &handle_new(m, b)->blob;
	b = NULL;
	rc = 0;
out:
	pthread_mutex_unlock(&m->lock);
	free(b);
	return rc;
}

int
memory_blob_reopen(
    struct storage *st, const char *id, struct blob **ret_blob, struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_begun *b;
	struct mem_blob *h;
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	b = map_get(m->temp, slice_str(id));
	if (b == NULL) {
		rc = err_set(err, ERR_ABSENT, "'%s' was not begun", id);
	} else {
		h = handle_new(m, b);
		h->last = b->end;
		h->is_kept = true;
		*ret_blob = &h->blob;
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}

void
memory_blob_close(struct blob *blob)
{
	if (blob != NULL)
		free(blob_of(blob));
}

static int
check_order(const struct mem_blob *h, uint64_t offset, struct err *err)
{
	const struct storage_caps *caps = &h->mem->caps;

	if (offset == h->last)
		return 0;
	if (caps->random_writes && offset % caps->grain == 0)
		return 0;
	return err_set(err, ERR_INTERNAL,
	    "a write at %llu cannot follow one that ended at %llu",
	    (unsigned long long)offset, (unsigned long long)h->last);
}

int
memory_blob_write_at(struct blob *blob, uint64_t offset, const void *buf,
    size_t n, struct err *err)
{
	struct mem_blob *h = blob_of(blob);
	struct mem_begun *b = h->begun;
	uint64_t end = offset + n;
	int rc;

	if (n == 0)
		return 0;
	if (check_order(h, offset, err) < 0)
		return -1;
	pthread_mutex_lock(&h->mem->lock);
	rc = charge(h->mem, b, end, err);
	if (rc == 0)
		rc = grow(b, end, err);
	if (rc == 0) {
		memcpy(b->p + offset, buf, n);
		if (end > b->end)
			b->end = end;
	}
	pthread_mutex_unlock(&h->mem->lock);
	if (rc == 0)
		h->last = end;
	return rc;
}

int
memory_blob_read_at(
    struct blob *blob, uint64_t offset, void *buf, size_t n, struct err *err)
{
	struct mem_blob *h = blob_of(blob);
	struct mem_begun *b = h->begun;
	int rc = 0;

	pthread_mutex_lock(&h->mem->lock);
	if (offset > b->end || n > b->end - offset)
		rc = err_set(err, ERR_IO,
		    "'%s' is shorter than what was written to it", b->id);
	else if (n > 0)
		memcpy(buf, b->p + offset, n);
	pthread_mutex_unlock(&h->mem->lock);
	return rc;
}

int
memory_blob_sync(struct blob *blob, struct err *err)
{
	(void)blob;
	(void)err;
	return 0;
}

/* Under the lock: it is no more; ${kept} of its bytes are an object's. */
static void
forget(struct mem *m, struct mem_begun *b, uint64_t kept)
{
	m->used -= b->charged - kept;
	(void)map_remove(m->temp, slice_str(b->id));
	free(b->p);
	free(b->birth);
	free(b);
}

/* Under the lock. */
static int
publish(struct mem *m, struct mem_begun *b, uint64_t size, const char *birth,
    struct err *err)
{
	struct object *o;

	if (map_get(m->objects, slice_str(b->id)) != NULL)
		return err_set(err, ERR_EXISTS, "'%s' is published", b->id);
	if (strlen(birth) > STORAGE_BIRTH_MAX)
		return err_set(
		    err, ERR_INTERNAL, "the birth record is too long");
	if (charge(m, b, size, err) < 0 || grow(b, size, err) < 0)
		return -1;
	o = mem_calloc(1, sizeof(*o));
	o->refs = 1;
	o->size = size;
	o->p = b->p;
	o->birth = mem_strdup(birth);
	memcpy(o->id, b->id, ID_SIZE);
	b->p = NULL;
	(void)map_put(m->objects, slice_str(b->id), o);
	return 0;
}

int
memory_blob_publish(struct blob *blob, uint64_t size, const char *birth,
    bool durable, struct err *err)
{
	struct mem_blob *h = blob_of(blob);
	struct mem *m = h->mem;
	int rc;

	(void)durable; /* nothing here is */
	pthread_mutex_lock(&m->lock);
	rc = publish(m, h->begun, size, birth, err);
	if (rc == 0 || !h->is_kept)
		forget(m, h->begun, rc == 0 ? size : 0);
	pthread_mutex_unlock(&m->lock);
	free(h);
	return rc;
}

int
memory_blob_prepare(struct blob *blob, uint64_t size, const char *birth,
    bool durable, struct err *err)
{
	struct mem_blob *h = blob_of(blob);
	struct mem_begun *b = h->begun;
	struct mem *m = h->mem;
	int rc = 0;

	(void)durable;
	pthread_mutex_lock(&m->lock);
	if (strlen(birth) > STORAGE_BIRTH_MAX)
		rc = err_set(err, ERR_INTERNAL, "the birth record is too long");
	else if (charge(m, b, size, err) < 0 || grow(b, size, err) < 0)
		rc = -1;
	if (rc == 0) {
		free(b->birth);
		b->birth = mem_strdup(birth);
		b->size = size;
	} else if (!h->is_kept) {
		forget(m, b, 0);
	}
	pthread_mutex_unlock(&m->lock);
	free(h);
	return rc;
}

/* Under the lock. */
static int
place(struct mem *m, const char *id, struct err *err)
{
	struct mem_begun *b = map_get(m->temp, slice_str(id));
	uint64_t size;

	if (b == NULL || b->birth == NULL)
		return err_set(err, ERR_IO, "'%s' was not prepared", id);
	size = b->size;
	if (publish(m, b, size, b->birth, err) < 0)
		return -1;
	forget(m, b, size);
	return 0;
}

int
memory_blobs_place(struct storage *st, const char *const *ids, size_t n,
    bool durable, struct err *err)
{
	struct mem *m = memory_of(st);
	int rc = 0;

	(void)durable;
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = place(m, ids[i], err);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

void
memory_blob_abort(struct blob *blob)
{
	struct mem_blob *h;
	struct mem *m;

	if (blob == NULL)
		return;
	h = blob_of(blob);
	m = h->mem;
	pthread_mutex_lock(&m->lock);
	forget(m, h->begun, 0);
	pthread_mutex_unlock(&m->lock);
	free(h);
}

/* --- begun blobs without a handle ----------------------------------------- */

int
memory_blob_withdraw(struct storage *st, const char *id, struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_begun *b;
	struct object *o;
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	o = map_get(m->objects, slice_str(id));
	if (o == NULL || o->refs > 1) {
		rc = err_set(err, ERR_ABSENT, "there is no blob '%s'", id);
	} else {
		b = mem_calloc(1, sizeof(*b));
		memcpy(b->id, id, ID_SIZE);
		b->p = o->p;
		b->charged = b->end = b->cap = o->size;
		(void)map_remove(m->objects, slice_str(id));
		free(o->birth);
		free(o);
		(void)map_put(m->temp, slice_str(id), b);
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}

int
memory_blob_discard(struct storage *st, const char *id, struct err *err)
{
	struct mem *m = memory_of(st);
	struct mem_begun *b;

	if (memory_check_id(id, err) < 0)
		return -1;
	pthread_mutex_lock(&m->lock);
	b = map_get(m->temp, slice_str(id));
	if (b != NULL)
		forget(m, b, 0);
	pthread_mutex_unlock(&m->lock);
	return 0;
}
