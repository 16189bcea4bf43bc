/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_LOCAL_PRIV_H
#define STORAGE_LOCAL_PRIV_H

/*
 * The back end that keeps blobs in a directory.
 *
 *   objects/xx/ID        published; xx: the id's last two digits, which are
 *                        random (the first are the time)
 *   objects/xx/ID.birth  the birth record where an extended attribute
 *                        ("user.sft") cannot hold it
 *   thumbs/xx/ID         what lies beside the object: its preview
 *   temp/ID              being written
 *   lost/ID[.N]          set aside, with its .birth
 *
 * Everything is reached from the descriptors below by one name, and no
 * symbolic link is followed, so nothing outside the directory can be.
 */

#include <stdbool.h>

#include "base/id.h"
#include "storage/storage.h"

#define LOCAL_SHARDS 256
/* An id, its ".birth", and a number in lost/. */
#define LOCAL_NAME_SIZE (ID_SIZE + 24)

struct local {
	struct storage storage;
	struct storage_caps caps;
	int rootfd;
	int objectsfd;
	int tempfd;
	int lostfd;
	int thumbsfd;
	int shardfd[LOCAL_SHARDS];
	bool has_xattr;
	/* Pages are memory here: taking them early, or hurrying them to a
	 * disk, gains nothing. */
	bool is_memory;
};

struct local *local_of(struct storage *st);

/* ERR_INTERNAL for what is no id (and might be a path). */
int local_check_id(const char *id, struct err *err);
/* The directory that ${id} is published in. */
int local_shard(const struct local *l, const char *id);
/* Makes the directory where it is missing, and opens it. */
int local_open_dir(int dirfd, const char *name, struct err *err);
/* Opens a published blob and tells its size. */
int local_open_object(struct local *l, const char *id, int flags,
    uint64_t *ret_size, struct err *err);

/* "ID.birth", or "ID.N.birth" from "ID.N". */
void local_birth_name(const char *name, char ret[LOCAL_NAME_SIZE]);
/* Beside the blob that is open at ${fd} and will be published as ${id}; what
 * is not in an attribute is durable when ${durable}.  0: in an attribute, 1:
 * in a file of its own, -1. */
struct local_birth {
	const char *id;
	const char *text;
	bool durable;
};
int local_birth_write(
    struct local *l, int fd, const struct local_birth *b, struct err *err);
int local_birth_read(struct local *l, const char *id,
    char ret[STORAGE_BIRTH_MAX + 1], struct err *err);

/* Operations of the table in storage_local.c. */
int local_blob_new(struct storage *st, const char *id, uint64_t size,
    struct blob **ret_blob, struct err *err);
int local_blob_write_at(struct blob *b, uint64_t offset, const void *buf,
    size_t n, struct err *err);
int local_blob_sync(struct blob *b, struct err *err);
int local_blob_publish(struct blob *b, uint64_t size, const char *birth,
    bool durable, struct err *err);
int local_blob_prepare(struct blob *b, uint64_t size, const char *birth,
    bool durable, struct err *err);
int local_blobs_place(struct storage *st, const char *const *ids, size_t n,
    bool durable, struct err *err);
void local_blob_abort(struct blob *b);
int local_blob_reopen(struct storage *st, const char *id,
    struct blob **ret_blob, struct err *err);
void local_blob_close(struct blob *b);
int local_blob_read_at(
    struct blob *b, uint64_t offset, void *buf, size_t n, struct err *err);
int local_blob_withdraw(struct storage *st, const char *id, struct err *err);
int local_blob_discard(struct storage *st, const char *id, struct err *err);
int local_list_blobs(
    struct storage *st, storage_list_fn fn, void *arg, struct err *err);
int local_beside_put(struct storage *st, const char *id, const void *p,
    size_t n, struct err *err);
int local_beside_get(
    struct storage *st, const char *id, struct buf *b, struct err *err);
int local_beside_remove(struct storage *st, const char *id, struct err *err);
int local_beside_list(
    struct storage *st, storage_list_fn fn, void *arg, struct err *err);
int local_list_clean_temp(struct storage *st,
    bool (*keep)(void *arg, const char *id), void *arg, struct err *err);

#endif
