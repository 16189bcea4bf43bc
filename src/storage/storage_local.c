/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/source.h"
#include "storage/backends_priv.h"
#include "storage/local_priv.h"

#define DIR_MODE 0700
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define ASIDE_MAX 1000

struct local *
local_of(struct storage *st)
{
	return CONTAINER_OF(st, struct local, storage);
}

int
local_check_id(const char *id, struct err *err)
{
	if (id_is_valid(id))
		return 0;
	return err_set(err, ERR_INTERNAL, "'%s' is no id of a blob", id);
}

int
local_shard(const struct local *l, const char *id)
{
	uint64_t shard = 0;

	(void)num_hex((struct slice){ id + ID_SIZE - 3, 2 }, 255, &shard);
	return l->shardfd[shard];
}

int
local_open_object(struct local *l, const char *id, int flags,
    uint64_t *ret_size, struct err *err)
{
	struct stat st;
	int fd;

	if (local_check_id(id, err) < 0)
		return -1;
	/* Not blocking: nothing but a regular file should be here, and what
	 * else there is must not hang us before we see it. */
	fd = file_open(
	    local_shard(l, id), id, flags | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0) {
		(void)err_set_errno(err, ERR_IO, "cannot look at '%s'", id);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(err, ERR_IO, "'%s' is not a regular file", id);
		goto fail;
	}
	*ret_size = (uint64_t)st.st_size;
	return fd;
fail:
	file_close(fd);
	return -1;
}

static int
blob_open(struct storage *st, const char *id, struct storage_range range,
    struct source **ret_src, struct err *err)
{
	uint64_t size;
	int fd;

	fd = local_open_object(local_of(st), id, O_RDONLY, &size, err);
	if (fd < 0)
		return -1;
	if (range.offset > size || range.length > size - range.offset) {
		file_close(fd);
		return err_set(err, ERR_FILE_DAMAGED,
		    "the stored file is shorter than its record says");
	}
	*ret_src = source_file(fd, range.offset, range.length);
	return 0;
}

static int
blob_size(
    struct storage *st, const char *id, uint64_t *ret_size, struct err *err)
{
	struct stat info;

	if (local_check_id(id, err) < 0)
		return -1;
	if (fstatat(local_shard(local_of(st), id), id, &info,
	        AT_SYMLINK_NOFOLLOW) < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_ABSENT : ERR_IO,
		    "cannot look at '%s'", id);
	if (!S_ISREG(info.st_mode))
		return err_set(err, ERR_IO, "'%s' is not a regular file", id);
	*ret_size = (uint64_t)info.st_size;
	return 0;
}

/* A write of a few bytes is not one step for a reader of the same bytes: it
 * was seen half done.  Where a file system knows no locks, readers that find
 * nonsense read again. */
static int
lock_head(int fd, short type, size_t n, struct err *err)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_len = (off_t)n,
	};
	int rc;

	do {
		rc = fcntl(fd, F_OFD_SETLKW, &lock);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0 || errno == EINVAL || errno == ENOLCK || errno == ENOSYS ||
	    errno == EOPNOTSUPP)
		return 0;
	return err_set_errno(err, ERR_IO, "cannot lock an object");
}

static int
blob_get_head(
    struct storage *st, const char *id, void *head, size_t n, struct err *err)
{
	uint64_t size;
	ssize_t got;
	int fd;
	int rc = -1;

	fd = local_open_object(local_of(st), id, O_RDONLY, &size, err);
	if (fd < 0)
		return -1;
	if (lock_head(fd, F_RDLCK, n, err) < 0)
		goto out;
	got = file_pread_full(fd, head, n, 0, err);
	if (got == (ssize_t)n)
		rc = 0;
	else if (got >= 0)
		(void)err_set(err, ERR_FILE_DAMAGED,
		    "'%s' is shorter than a head of %zu bytes", id, n);
out:
	file_close(fd);
	return rc;
}

static int
blob_set_head(struct storage *st, const char *id, const void *head, size_t n,
    struct err *err)
{
	uint64_t size;
	int fd;
	int rc = -1;

	fd = local_open_object(local_of(st), id, O_RDWR, &size, err);
	if (fd < 0)
		return -1;
	if (n > size) {
		(void)err_set(err, ERR_INTERNAL,
		    "'%s' is shorter than a head of %zu bytes", id, n);
		goto out;
	}
	/* Closing the descriptor ends the lock, also when this fails. */
	if (lock_head(fd, F_WRLCK, n, err) < 0 ||
	    file_pwrite_all(fd, head, n, 0, err) < 0 ||
	    lock_head(fd, F_UNLCK, n, err) < 0)
		goto out;
	rc = file_sync(fd, err);
out:
	file_close(fd);
	return rc;
}

static int
blob_birth(struct storage *st, const char *id, char ret[STORAGE_BIRTH_MAX + 1],
    struct err *err)
{
	return local_birth_read(local_of(st), id, ret, err);
}

/* Fine when it is not there. */
static int
remove_name(int dirfd, const char *name, struct err *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return err_set_errno(err, ERR_IO, "cannot remove '%s'", name);
}

static int
blob_remove(struct storage *st, const char *id, struct err *err)
{
	struct local *l = local_of(st);
	char sidecar[LOCAL_NAME_SIZE];

	if (local_check_id(id, err) < 0)
		return -1;
	/* Made from the blob, and gone with it. */
	if (local_beside_remove(st, id, err) < 0)
		return -1;
	local_birth_name(id, sidecar);
	/* The blob first: one without a birth record helps nobody. */
	if (remove_name(local_shard(l, id), id, err) < 0)
		return -1;
	return remove_name(local_shard(l, id), sidecar, err);
}

/* "ID", "ID.1", ...: the first that is free in lost/. */
static int
free_name(
    struct local *l, const char *id, char ret[LOCAL_NAME_SIZE], struct err *err)
{
	struct stat st;
	int i;

	(void)snprintf(ret, LOCAL_NAME_SIZE, "%s", id);
	for (i = 1; i <= ASIDE_MAX; i++) {
		if (fstatat(l->lostfd, ret, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno == ENOENT)
			return 0;
		(void)snprintf(ret, LOCAL_NAME_SIZE, "%s.%d", id, i);
	}
	return err_set(err, ERR_EXISTS, "no free name for '%s' in 'lost'", id);
}

static int
move_to_lost(struct local *l, const char *id, const char *name, struct err *err)
{
	if (renameat(local_shard(l, id), id, l->lostfd, name) == 0)
		return 0;
	return err_set_errno(err, errno == ENOENT ? ERR_ABSENT : ERR_IO,
	    "cannot move '%s' to 'lost'", id);
}

/* Called by one thread, at recovery: what is free stays free. */
static int
blob_set_aside(struct storage *st, const char *id, struct err *err)
{
	struct local *l = local_of(st);
	char name[LOCAL_NAME_SIZE];
	char from[LOCAL_NAME_SIZE];
	char to[LOCAL_NAME_SIZE];

	if (local_check_id(id, err) < 0 || free_name(l, id, name, err) < 0 ||
	    local_beside_remove(st, id, err) < 0)
		return -1;
	/* The birth record first: should we end here, the next attempt finds
	 * the same name free and brings the two together. */
	local_birth_name(id, from);
	local_birth_name(name, to);
	if (renameat(local_shard(l, id), from, l->lostfd, to) < 0 &&
	    errno != ENOENT)
		return err_set_errno(
		    err, ERR_IO, "cannot move '%s' to 'lost'", from);
	if (move_to_lost(l, id, name, err) < 0)
		return -1;
	if (file_sync_dir(l->lostfd, err) < 0)
		return -1;
	return file_sync_dir(local_shard(l, id), err);
}

static int
free_space(struct storage *st, uint64_t *ret_bytes, struct err *err)
{
	struct local *l = local_of(st);
	struct statvfs fs;

	if (fstatvfs(l->rootfd, &fs) < 0)
		return err_set_errno(
		    err, ERR_IO, "cannot ask for the free space");
	/* File systems without a number of inodes say that they have 0. */
	if (fs.f_files > 0 && fs.f_favail == 0)
		*ret_bytes = 0;
	else
		*ret_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static const struct storage_caps *
caps(const struct storage *st)
{
	return &((const struct local *)st)->caps;
}

static void
local_close(struct storage *st)
{
	struct local *l = local_of(st);
	int i;

	for (i = 0; i < LOCAL_SHARDS; i++)
		file_close(l->shardfd[i]);
	file_close(l->thumbsfd);
	file_close(l->lostfd);
	file_close(l->tempfd);
	file_close(l->objectsfd);
	file_close(l->rootfd);
	free(l);
}

int
local_open_dir(int dirfd, const char *name, struct err *err)
{
	struct err why = ERR_INIT;
	int fd;

	if (file_mkdir(dirfd, name, DIR_MODE, err) < 0)
		return -1;
	fd = file_open(dirfd, name, DIR_FLAGS, 0, &why);
	if (fd >= 0)
		return fd;
	if (why.sys == ELOOP || why.sys == ENOTDIR)
		return err_set(err, ERR_SETTING,
		    "'%s' among the stored files must be a directory, and no "
		    "symbolic link",
		    name);
	if (err != NULL)
		*err = why;
	return -1;
}

static int
open_shards(struct local *l, struct err *err)
{
	char name[3];
	int i;

	for (i = 0; i < LOCAL_SHARDS; i++) {
		(void)snprintf(name, sizeof(name), "%02x", (unsigned)i);
		l->shardfd[i] = local_open_dir(l->objectsfd, name, err);
		if (l->shardfd[i] < 0)
			return -1;
	}
	return 0;
}

static int
open_parts(struct local *l, const char *path, struct err *err)
{
	l->rootfd = file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, err);
	if (l->rootfd < 0)
		return -1;
	l->objectsfd = local_open_dir(l->rootfd, "objects", err);
	if (l->objectsfd < 0)
		return -1;
	l->tempfd = local_open_dir(l->rootfd, "temp", err);
	if (l->tempfd < 0)
		return -1;
	l->lostfd = local_open_dir(l->rootfd, "lost", err);
	if (l->lostfd < 0)
		return -1;
	l->thumbsfd = local_open_dir(l->rootfd, "thumbs", err);
	if (l->thumbsfd < 0)
		return -1;
	if (open_shards(l, err) < 0)
		return -1;
	/* An object is not durable before all directories above it are. */
	if (file_sync_dir(l->objectsfd, err) < 0)
		return -1;
	return file_sync_dir(l->rootfd, err);
}

/* Does fallocate() work here? */
static bool
can_reserve(struct local *l)
{
	bool can;
	int fd;

	fd = file_open(l->tempfd, ".", O_TMPFILE | O_WRONLY, 0600, NULL);
	if (fd < 0)
		return false;
	can = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096) == 0 ||
	      errno == ENOSPC || errno == EDQUOT;
	file_close(fd);
	return can;
}

/* What the file system can do is asked of the file system. */
static void
probe(struct local *l)
{
	struct statfs fs;

	if (fstatfs(l->rootfd, &fs) == 0)
		l->is_memory = fs.f_type == TMPFS_MAGIC;
	/* A full disk is no reason to do without. */
	l->has_xattr = fsetxattr(l->tempfd, "user.sft", "probe", 5, 0) == 0 ||
	               errno == ENOSPC || errno == EDQUOT;
	(void)fremovexattr(l->tempfd, "user.sft");
	l->caps = (struct storage_caps){
		.grain = 1,
		.smallest_part = 1,
		.random_writes = true,
		.extents = true,
		.reserves = !l->is_memory && can_reserve(l),
	};
}

static int
local_open(const char *path, struct storage **ret_st, struct err *err)
{
	struct local *l = mem_calloc(1, sizeof(*l));
	int i;

	l->storage.ops = &storage_local_ops;
	l->rootfd = l->objectsfd = l->tempfd = l->lostfd = l->thumbsfd = -1;
	for (i = 0; i < LOCAL_SHARDS; i++)
		l->shardfd[i] = -1;
	if (open_parts(l, path, err) < 0) {
		local_close(&l->storage);
		return -1;
	}
	probe(l);
	*ret_st = &l->storage;
	return 0;
}

const struct storage_ops storage_local_ops = {
	.scheme = "file",
	.open = local_open,
	.close = local_close,
	.caps = caps,
	.blob_new = local_blob_new,
	.blob_write_at = local_blob_write_at,
	.blob_sync = local_blob_sync,
	.blob_publish = local_blob_publish,
	.blob_prepare = local_blob_prepare,
	.blobs_place = local_blobs_place,
	.blob_abort = local_blob_abort,
	.blob_reopen = local_blob_reopen,
	.blob_close = local_blob_close,
	.blob_read_at = local_blob_read_at,
	.blob_withdraw = local_blob_withdraw,
	.blob_discard = local_blob_discard,
	.blob_open = blob_open,
	.blob_size = blob_size,
	.blob_get_head = blob_get_head,
	.blob_set_head = blob_set_head,
	.blob_birth = blob_birth,
	.blob_remove = blob_remove,
	.blob_set_aside = blob_set_aside,
	.blob_list = local_list_blobs,
	.beside_put = local_beside_put,
	.beside_get = local_beside_get,
	.beside_remove = local_beside_remove,
	.beside_list = local_beside_list,
	.clean_temp = local_list_clean_temp,
	.free_space = free_space,
};
