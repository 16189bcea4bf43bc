/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/thread.h"
#include "storage/backends_priv.h"
#include "storage/memory_priv.h"

struct mem *
memory_of(struct storage *st)
{
	return CONTAINER_OF(st, struct mem, storage);
}

int
memory_check_id(const char *id, struct err *err)
{
	if (id_is_valid(id))
		return 0;
	return err_set(err, ERR_INTERNAL, "'%s' is no id of a blob", id);
}

/* Under the lock. */
static void
object_unref(struct mem *m, struct object *o)
{
	if (o == NULL || --o->refs > 0)
		return;
	m->used -= o->size;
	free(o->p);
	free(o->birth);
	free(o);
}

/* Under the lock. */
static struct object *
find(struct mem *m, const char *id, struct err *err)
{
	struct object *o = map_get(m->objects, slice_str(id));

	if (o == NULL)
		(void)err_set(err, ERR_ABSENT, "there is no blob '%s'", id);
	return o;
}

/* As long as a far store takes to answer. */
static void
be_slow(struct mem *m)
{
	int64_t until;
	pthread_cond_t never;

	if (m->slow_ms == 0)
		return;
	thread_cond_init(&never);
	until = clock_mono_ns(clock_system()) + (int64_t)m->slow_ms * 1000000;
	pthread_mutex_lock(&m->lock);
	while (thread_cond_wait_until(&never, &m->lock, until))
		continue;
	pthread_mutex_unlock(&m->lock);
	pthread_cond_destroy(&never);
}

struct object_source {
	struct source source;
	struct mem *mem;
	struct object *object;
	struct storage_range left;
};

static ssize_t
object_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct object_source *o = CONTAINER_OF(s, struct object_source, source);

	(void)err;
	if (n > o->left.length)
		n = (size_t)o->left.length;
	pthread_mutex_lock(&o->mem->lock); /* the head may change */
	if (n > 0)
		memcpy(buf, o->object->p + o->left.offset, n);
	pthread_mutex_unlock(&o->mem->lock);
	o->left.offset += n;
	o->left.length -= n;
	return (ssize_t)n;
}

static void
object_close(struct source *s)
{
	struct object_source *o = CONTAINER_OF(s, struct object_source, source);

	pthread_mutex_lock(&o->mem->lock);
	object_unref(o->mem, o->object);
	pthread_mutex_unlock(&o->mem->lock);
	free(o);
}

/* Under the lock. */
static int
open_range(struct mem *m, const char *id, struct storage_range range,
    struct source **ret_src, struct err *err)
{
	struct object *o = find(m, id, err);
	struct object_source *s;

	if (o == NULL)
		return -1;
	if (range.offset > o->size || range.length > o->size - range.offset)
		return err_set(err, ERR_FILE_DAMAGED,
		    "the stored file is shorter than its record says");
	s = mem_calloc(1, sizeof(*s));
	s->source.read = object_read;
	s->source.close = object_close;
	s->mem = m;
	s->object = o;
	s->left = range;
	o->refs++;
	*ret_src = &s->source;
	return 0;
}

static int
blob_open(struct storage *st, const char *id, struct storage_range range,
    struct source **ret_src, struct err *err)
{
	struct mem *m = memory_of(st);
	int rc;

	be_slow(m);
	pthread_mutex_lock(&m->lock);
	rc = open_range(m, id, range, ret_src, err);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

static int
blob_size(
    struct storage *st, const char *id, uint64_t *ret_size, struct err *err)
{
	struct mem *m = memory_of(st);
	struct object *o;

	be_slow(m);
	pthread_mutex_lock(&m->lock);
	o = find(m, id, err);
	if (o != NULL)
		*ret_size = o->size;
	pthread_mutex_unlock(&m->lock);
	return o == NULL ? -1 : 0;
}

static int
blob_get_head(
    struct storage *st, const char *id, void *head, size_t n, struct err *err)
{
	struct mem *m = memory_of(st);
	struct object *o;
	int rc = -1;

	pthread_mutex_lock(&m->lock);
	o = find(m, id, err);
	if (o != NULL && n > o->size) {
		(void)err_set(err, ERR_FILE_DAMAGED,
		    "'%s' is shorter than a head of %zu bytes", id, n);
	} else if (o != NULL) {
		if (n > 0)
			memcpy(head, o->p, n);
		rc = 0;
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}

static int
blob_set_head(struct storage *st, const char *id, const void *head, size_t n,
    struct err *err)
{
	struct mem *m = memory_of(st);
	struct object *o;
	int rc = -1;

	pthread_mutex_lock(&m->lock);
	o = find(m, id, err);
	if (o != NULL && n > o->size) {
		(void)err_set(err, ERR_INTERNAL,
		    "'%s' is shorter than a head of %zu bytes", id, n);
	} else if (o != NULL) {
		if (n > 0)
			memcpy(o->p, head, n);
		rc = 0;
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}

static int
blob_birth(struct storage *st, const char *id, char ret[STORAGE_BIRTH_MAX + 1],
    struct err *err)
{
	struct mem *m = memory_of(st);
	struct object *o;

	pthread_mutex_lock(&m->lock);
	o = find(m, id, err);
	if (o != NULL)
		(void)snprintf(ret, STORAGE_BIRTH_MAX + 1, "%s", o->birth);
	pthread_mutex_unlock(&m->lock);
	return o == NULL ? -1 : 0;
}

static int
blob_remove(struct storage *st, const char *id, struct err *err)
{
	struct mem *m = memory_of(st);

	if (memory_check_id(id, err) < 0)
		return -1;
	pthread_mutex_lock(&m->lock);
	free(map_remove(m->beside, slice_str(id)));
	object_unref(m, map_remove(m->objects, slice_str(id)));
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static int
blob_set_aside(struct storage *st, const char *id, struct err *err)
{
	struct mem *m = memory_of(st);
	struct object *o;

	pthread_mutex_lock(&m->lock);
	o = find(m, id, err);
	if (o != NULL) {
		free(map_remove(m->beside, slice_str(id)));
		(void)map_remove(m->objects, slice_str(id));
		object_unref(m, map_put(m->aside, slice_str(id), o));
	}
	pthread_mutex_unlock(&m->lock);
	return o == NULL ? -1 : 0;
}

/* What is there now, each with a reference, for the caller to free(). */
static struct object **
all_objects(struct mem *m, size_t *ret_n)
{
	struct object **all;
	size_t pos = 0;
	size_t n = 0;

	pthread_mutex_lock(&m->lock);
	all = mem_calloc(map_count(m->objects), sizeof(struct object *));
	for (n = 0; n < map_count(m->objects); n++) {
		all[n] = map_next(m->objects, &pos, NULL);
		all[n]->refs++;
	}
	pthread_mutex_unlock(&m->lock);
	*ret_n = n;
	return all;
}

static int
blob_list(struct storage *st, storage_list_fn fn, void *arg, struct err *err)
{
	struct mem *m = memory_of(st);
	struct object **all;
	size_t i, n;
	int rc = 0;

	all = all_objects(m, &n);
	for (i = 0; i < n; i++) {
		/* Without the lock: it may remove what it is shown. */
		if (rc == 0)
			rc = fn(arg, all[i]->id, all[i]->size, err);
		pthread_mutex_lock(&m->lock);
		object_unref(m, all[i]);
		pthread_mutex_unlock(&m->lock);
	}
	free(all);
	return rc;
}

/* Nothing outlives the process. */
static int
clean_temp(struct storage *st, bool (*keep)(void *arg, const char *id),
    void *arg, struct err *err)
{
	(void)st;
	(void)keep;
	(void)arg;
	(void)err;
	return 0;
}

static int
free_space(struct storage *st, uint64_t *ret_bytes, struct err *err)
{
	struct mem *m = memory_of(st);

	(void)err;
	pthread_mutex_lock(&m->lock);
	*ret_bytes =
	    m->capacity == UINT64_MAX ? UINT64_MAX : m->capacity - m->used;
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static const struct storage_caps *
caps(const struct storage *st)
{
	return &((const struct mem *)st)->caps;
}

static void
unref_all(struct mem *m, struct map *objects)
{
	size_t pos = 0;
	struct object *o;

	while ((o = map_next(objects, &pos, NULL)) != NULL)
		object_unref(m, o);
	map_free(objects);
}

/* All sources and handles must be closed. */
static void
mem_close(struct storage *st)
{
	struct mem *m = memory_of(st);
	struct mem_begun *b;
	size_t pos = 0;
	void *beside;

	unref_all(m, m->objects);
	unref_all(m, m->aside);
	while ((b = map_next(m->temp, &pos, NULL)) != NULL) {
		free(b->p);
		free(b->birth);
		free(b);
	}
	map_free(m->temp);
	pos = 0;
	while ((beside = map_next(m->beside, &pos, NULL)) != NULL)
		free(beside);
	map_free(m->beside);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* "grain=5242880" into ${m}. */
static bool
parse_option(struct mem *m, struct slice option)
{
	struct slice name = SLICE_NULL;
	const struct {
		const char *name;
		uint64_t *value;
	} options[] = {
		{ "grain", &m->caps.grain },
		{ "slow_ms", &m->slow_ms },
		{ "capacity", &m->capacity },
	};
	size_t i;

	if (!slice_next(&option, '=', &name))
		return false;
	if (slice_eq_str(name, "random"))
		return num_bool(option, &m->caps.random_writes);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (slice_eq_str(name, options[i].name))
			return num_uint(option, UINT64_MAX, options[i].value);
	}
	return false;
}

static bool
parse_options(struct mem *m, const char *text)
{
	struct slice rest = slice_str(text);
	struct slice option;

	if (rest.n == 0)
		return true;
	if (rest.p[0] != '?')
		return false;
	rest.p++;
	rest.n--;
	while (slice_next(&rest, '&', &option)) {
		if (!parse_option(m, option))
			return false;
	}
	return m->caps.grain > 0;
}

static int
mem_open(const char *options, struct storage **ret_st, struct err *err)
{
	struct mem *m = mem_calloc(1, sizeof(*m));

	m->storage.ops = &storage_mem_ops;
	m->caps.grain = 1;
	m->caps.random_writes = true;
	m->caps.reserves = true;
	m->capacity = UINT64_MAX;
	pthread_mutex_init(&m->lock, NULL);
	m->objects = map_new();
	m->aside = map_new();
	m->temp = map_new();
	m->beside = map_new();
	if (!parse_options(m, options)) {
		mem_close(&m->storage);
		return err_set(
		    err, ERR_SETTING, "cannot read 'mem:%s'", options);
	}
	m->caps.smallest_part = m->caps.grain;
	*ret_st = &m->storage;
	return 0;
}

const struct storage_ops storage_mem_ops = {
	.scheme = "mem",
	.open = mem_open,
	.close = mem_close,
	.caps = caps,
	.blob_new = memory_blob_new,
	.blob_write_at = memory_blob_write_at,
	.blob_sync = memory_blob_sync,
	.blob_publish = memory_blob_publish,
	.blob_prepare = memory_blob_prepare,
	.blobs_place = memory_blobs_place,
	.blob_abort = memory_blob_abort,
	.blob_reopen = memory_blob_reopen,
	.blob_close = memory_blob_close,
	.blob_read_at = memory_blob_read_at,
	.blob_withdraw = memory_blob_withdraw,
	.blob_discard = memory_blob_discard,
	.blob_open = blob_open,
	.blob_size = blob_size,
	.blob_get_head = blob_get_head,
	.blob_set_head = blob_set_head,
	.blob_birth = blob_birth,
	.blob_remove = blob_remove,
	.blob_set_aside = blob_set_aside,
	.blob_list = blob_list,
	.beside_put = memory_beside_put,
	.beside_get = memory_beside_get,
	.beside_remove = memory_beside_remove,
	.beside_list = memory_beside_list,
	.clean_temp = clean_temp,
	.free_space = free_space,
};
