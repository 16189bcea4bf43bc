/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_MEMORY_PRIV_H
#define STORAGE_MEMORY_PRIV_H

/*
 * The back end for tests, in memory, which can be as awkward as an object
 * store: "mem:?grain=5242880&random=0&slow_ms=20&capacity=1000000".
 *
 *   grain     another run of writes begins at a multiple of it
 *   random=0  each write begins where the one before ended
 *   slow_ms   how long it takes to begin to read, or to ask for a size
 *   capacity  bytes that fit in all
 */

#include <pthread.h>

#include "base/id.h"
#include "base/map.h"
#include "storage/storage.h"

struct mem {
	struct storage storage;
	struct storage_caps caps;
	uint64_t slow_ms;
	uint64_t capacity;
	pthread_mutex_t lock; /* over all below, and what the maps hold */
	uint64_t used;
	struct map *objects; /* id: struct object */
	struct map *aside;   /* id: struct object */
	struct map *temp;    /* id: struct mem_begun */
	struct map *beside;  /* id: struct mem_beside */
};

/* Bytes that stay while they are published or read. */
struct object {
	size_t refs;
	uint64_t size;
	char *p;
	char *birth;
	char id[ID_SIZE];
};

/* Bytes of a blob that was begun, while it is not published or removed. */
struct mem_begun {
	uint64_t charged; /* of the capacity */
	uint64_t end;     /* of what was written */
	uint64_t cap;
	char *p;
	char *birth;   /* since it was prepared; NULL: it was not */
	uint64_t size; /* then */
	char id[ID_SIZE];
};

/* What lies beside a blob. */
struct mem_beside {
	char id[ID_SIZE];
	size_t n;
	char p[];
};

/* A handle. */
struct mem_blob {
	struct blob blob;
	struct mem *mem;
	struct mem_begun *begun;
	uint64_t last; /* end of this handle's last write */
	bool is_kept;  /* reopened: a failure leaves the bytes */
};

/* What a struct storage of this back end is. */
struct mem *memory_of(struct storage *st);
/* ERR_INTERNAL for what is no id. */
int memory_check_id(const char *id, struct err *err);

/* Operations of the table in storage_mem.c. */
int memory_blob_new(struct storage *st, const char *id, uint64_t size,
    struct blob **ret_blob, struct err *err);
int memory_blob_write_at(struct blob *blob, uint64_t offset, const void *buf,
    size_t n, struct err *err);
int memory_blob_sync(struct blob *blob, struct err *err);
int memory_blob_prepare(struct blob *blob, uint64_t size, const char *birth,
    bool durable, struct err *err);
int memory_blobs_place(struct storage *st, const char *const *ids, size_t n,
    bool durable, struct err *err);
int memory_blob_publish(struct blob *blob, uint64_t size, const char *birth,
    bool durable, struct err *err);
void memory_blob_abort(struct blob *blob);
int memory_blob_reopen(struct storage *st, const char *id,
    struct blob **ret_blob, struct err *err);
void memory_blob_close(struct blob *blob);
int memory_blob_read_at(
    struct blob *blob, uint64_t offset, void *buf, size_t n, struct err *err);
int memory_blob_withdraw(struct storage *st, const char *id, struct err *err);
int memory_blob_discard(struct storage *st, const char *id, struct err *err);
int memory_beside_put(struct storage *st, const char *id, const void *p,
    size_t n, struct err *err);
int memory_beside_get(
    struct storage *st, const char *id, struct buf *b, struct err *err);
int memory_beside_remove(struct storage *st, const char *id, struct err *err);
int memory_beside_list(
    struct storage *st, storage_list_fn fn, void *arg, struct err *err);

#endif
