/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/list.h"
#include "base/mem.h"
#include "storage/local_priv.h"

#define MODE 0600
/* Smaller blobs come in one write, which finds out by itself whether there is
 * room. */
#define RESERVE_MIN (1024 * 1024)
/*
 * Bytes are sent to the disk WINDOW by WINDOW while more come in, so that the
 * sync at the end is short, and the oldest is waited for when WINDOWS are
 * under way, so that a fast client cannot fill the memory of the machine
 * with what a slow disk has not taken.
 */
#define WINDOW ((uint64_t)8 * 1024 * 1024)
#define WINDOWS 4

struct window {
	uint64_t begin;
	uint64_t end; /* 0: nothing in it */
};

/* Invariant: bytes written since the last flush lie in ${dirty}. */
struct local_blob {
	struct blob blob;
	struct local *local;
	int fd;
	bool is_reserved;
	bool is_kept;    /* reopened: a failure leaves the bytes */
	bool has_failed; /* a sync; final (rule 4) */
	bool has_sidecar;
	uint64_t end;     /* of what was written */
	uint64_t pending; /* bytes since the last flush */
	struct window dirty;
	struct window flying[WINDOWS];
	size_t n_flown;
	char id[ID_SIZE];
};

static struct local_blob *
of(struct blob *b)
{
	return CONTAINER_OF(b, struct local_blob, blob);
}

/* ext4 takes all that is there before it finds that this is not enough: for
 * a moment nobody else could write a byte. */
static int
check_room(const struct local_blob *b, uint64_t size, struct err *err)
{
	struct statvfs fs;

	if (fstatvfs(b->fd, &fs) < 0)
		return err_set_errno(
		    err, ERR_IO, "cannot ask for the free space");
	if (size <= (uint64_t)fs.f_bavail * fs.f_frsize)
		return 0;
	errno = ENOSPC;
	return err_set_errno(err, ERR_IO, "cannot reserve space in 'temp'");
}

/* Takes the space now: better no than half an upload. */
static int
reserve(struct local_blob *b, uint64_t size, struct err *err)
{
	int rc;

	if (b->local->is_memory || size == STORAGE_SIZE_UNKNOWN ||
	    size < RESERVE_MIN)
		return 0;
	if (size > INT64_MAX)
		return err_set(err, ERR_FILE_TOO_LARGE, "no file is so large");
	if (check_room(b, size, err) < 0)
		return -1;
	do {
		rc = fallocate(b->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0) {
		b->is_reserved = true;
		return 0;
	}
	if (errno == EOPNOTSUPP)
		return 0;
	if (errno == EFBIG)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the file is larger than the file system can store");
	return err_set_errno(err, ERR_IO, "cannot reserve space in 'temp'");
}

int
local_blob_new(struct storage *st, const char *id, uint64_t size,
    struct blob **ret_blob, struct err *err)
{
	struct local_blob *b;

	if (local_check_id(id, err) < 0)
		return -1;
	b = mem_calloc(1, sizeof(*b));
	b->blob.ops = st->ops;
	b->local = local_of(st);
	memcpy(b->id, id, ID_SIZE);
	b->fd = file_open(b->local->tempfd, id,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, MODE, err);
	if (b->fd < 0) {
		free(b);
		return -1;
	}
	if (reserve(b, size, err) < 0) {
		local_blob_abort(&b->blob);
		return -1;
	}
	*ret_blob = &b->blob;
	return 0;
}

/* A failure here is a write that failed, seen early. */
static int
flush_range(
    struct local_blob *b, struct window w, unsigned flags, struct err *err)
{
	if (w.end == 0)
		return 0;
	if (sync_file_range(
	        b->fd, (off_t)w.begin, (off_t)(w.end - w.begin), flags) == 0 ||
	    errno == ENOSYS || errno == EOPNOTSUPP || errno == ESPIPE)
		return 0;
	b->has_failed = true;
	return err_set_errno(err, ERR_IO, "cannot write 'temp/%s'", b->id);
}

/* Starts to write what is pending, and waits for the oldest window. */
static int
flush_early(struct local_blob *b, struct err *err)
{
	struct window *slot = &b->flying[b->n_flown % WINDOWS];

	if (flush_range(b, *slot,
	        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
	            SYNC_FILE_RANGE_WAIT_AFTER,
	        err) < 0)
		return -1;
	if (flush_range(b, b->dirty, SYNC_FILE_RANGE_WRITE, err) < 0)
		return -1;
	*slot = b->dirty;
	b->n_flown++;
	b->dirty = (struct window){ 0, 0 };
	b->pending = 0;
	return 0;
}

static void
note_written(struct local_blob *b, uint64_t offset, size_t n)
{
	uint64_t end = offset + n;

	if (end > b->end)
		b->end = end;
	if (b->pending == 0 || offset < b->dirty.begin)
		b->dirty.begin = offset;
	if (end > b->dirty.end)
		b->dirty.end = end;
	b->pending += n;
}

int
local_blob_write_at(struct blob *blob, uint64_t offset, const void *buf,
    size_t n, struct err *err)
{
	struct local_blob *b = of(blob);

	if (b->has_failed)
		return err_set(err, ERR_IO, "'temp/%s' has failed", b->id);
	if (n == 0)
		return 0;
	if (file_pwrite_all(b->fd, buf, n, offset, err) < 0)
		return -1;
	note_written(b, offset, n);
	if (b->pending < WINDOW || b->local->is_memory)
		return 0;
	return flush_early(b, err);
}

int
local_blob_sync(struct blob *blob, struct err *err)
{
	struct local_blob *b = of(blob);

	if (b->has_failed)
		return err_set(err, ERR_IO, "'temp/%s' has failed", b->id);
	if (file_sync(b->fd, err) < 0) {
		b->has_failed = true;
		return -1;
	}
	/* Its name, too, when it is new. */
	if (!b->is_kept && file_sync_dir(b->local->tempfd, err) < 0)
		return -1;
	return 0;
}

/* Its final size, and the birth record, as durable as is asked. */
static int
complete(struct local_blob *b, uint64_t size, const char *birth, bool durable,
    struct err *err)
{
	struct local_birth record = { b->id, birth, durable };
	int sidecar;

	FAULT_POINT("publish.begin");
	if (b->has_failed)
		return err_set(err, ERR_IO, "'temp/%s' has failed", b->id);
	if (size > INT64_MAX)
		return err_set(err, ERR_FILE_TOO_LARGE, "no file is so large");
	/* Also where the size is right: this gives back what was reserved
	 * beyond it. */
	if ((size != b->end || b->is_reserved) &&
	    ftruncate(b->fd, (off_t)size) < 0)
		return err_set_errno(
		    err, ERR_IO, "cannot cut 'temp/%s'", b->id);
	sidecar = local_birth_write(b->local, b->fd, &record, err);
	if (sidecar < 0)
		return -1;
	b->has_sidecar = sidecar > 0;
	FAULT_POINT("publish.birth");
	/* All of it: fdatasync() owes us the data, not the attribute. */
	if (durable && file_sync_all(b->fd, err) < 0)
		return -1;
	FAULT_POINT("publish.synced");
	return 0;
}

/* A rename that never replaces. */
static int
rename_new(int fromfd, int tofd, const char *id, struct err *err)
{
	if (renameat2(fromfd, id, tofd, id, RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system can; ids are random, so looking first does. */
	if ((errno == EINVAL || errno == ENOSYS) &&
	    faccessat(tofd, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    renameat(fromfd, id, tofd, id) == 0)
		return 0;
	if (errno == EEXIST || errno == EINVAL || errno == ENOSYS)
		return err_set(err, ERR_EXISTS, "'%s' is published", id);
	return err_set_errno(err, ERR_IO, "cannot rename 'temp/%s'", id);
}

/* Into the objects; not there when that fails. */
static int
place(struct local_blob *b, bool durable, struct err *err)
{
	int shard = local_shard(b->local, b->id);

	if (rename_new(b->local->tempfd, shard, b->id, err) < 0)
		return -1;
	FAULT_POINT("publish.renamed");
	if (durable && file_sync_dir(shard, err) < 0) {
		/* It may be there after all. */
		if (b->is_kept)
			(void)renameat(shard, b->id, b->local->tempfd, b->id);
		else
			(void)unlinkat(shard, b->id, 0);
		return -1;
	}
	FAULT_POINT("publish.dir_synced");
	return 0;
}

static void
remove_sidecar(struct local *l, const char *id)
{
	char name[LOCAL_NAME_SIZE];

	local_birth_name(id, name);
	(void)unlinkat(local_shard(l, id), name, 0);
}

static void
blob_free(struct local_blob *b)
{
	file_close(b->fd);
	free(b);
}

/* A blob that could not be published. */
static void
give_up(struct local_blob *b)
{
	if (b->has_sidecar)
		remove_sidecar(b->local, b->id);
	b->has_sidecar = false;
	if (b->is_kept)
		blob_free(b);
	else
		local_blob_abort(&b->blob);
}

int
local_blob_publish(struct blob *blob, uint64_t size, const char *birth,
    bool durable, struct err *err)
{
	struct local_blob *b = of(blob);

	if (complete(b, size, birth, durable, err) < 0 ||
	    place(b, durable, err) < 0) {
		give_up(b);
		return -1;
	}
	blob_free(b);
	return 0;
}

int
local_blob_prepare(struct blob *blob, uint64_t size, const char *birth,
    bool durable, struct err *err)
{
	struct local_blob *b = of(blob);

	if (complete(b, size, birth, durable, err) < 0) {
		give_up(b);
		return -1;
	}
	blob_free(b);
	return 0;
}

/* Each directory once. */
static int
sync_shards(struct local *l, const char *const *ids, size_t n, struct err *err)
{
	bool is_synced[LOCAL_SHARDS] = { false };

	for (size_t i = 0; i < n; i++) {
		int shard = local_shard(l, ids[i]);
		size_t at = 0;

		while (l->shardfd[at] != shard)
			at++;
		if (!is_synced[at] && file_sync_dir(shard, err) < 0)
			return -1;
		is_synced[at] = true;
	}
	return 0;
}

int
local_blobs_place(struct storage *st, const char *const *ids, size_t n,
    bool durable, struct err *err)
{
	struct local *l = local_of(st);

	for (size_t i = 0; i < n; i++) {
		if (local_check_id(ids[i], err) < 0 ||
		    rename_new(l->tempfd, local_shard(l, ids[i]), ids[i], err) <
		        0)
			return -1;
		FAULT_POINT("place.renamed");
	}
	if (durable && sync_shards(l, ids, n, err) < 0)
		return -1;
	FAULT_POINT("place.synced");
	return 0;
}

void
local_blob_abort(struct blob *blob)
{
	struct local_blob *b;

	if (blob == NULL)
		return;
	b = of(blob);
	if (b->has_sidecar)
		remove_sidecar(b->local, b->id);
	/* What stays is found by the next start. */
	(void)unlinkat(b->local->tempfd, b->id, 0);
	blob_free(b);
}

/* --- begun blobs that wait ------------------------------------------------ */

int
local_blob_reopen(
    struct storage *st, const char *id, struct blob **ret_blob, struct err *err)
{
	struct local *l = local_of(st);
	struct local_blob *b;
	struct stat info;
	int fd;

	if (local_check_id(id, err) < 0)
		return -1;
	fd = file_open(l->tempfd, id, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (fd < 0)
		return -1;
	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
		file_close(fd);
		return err_set(
		    err, ERR_IO, "'temp/%s' is not a regular file", id);
	}
	b = mem_calloc(1, sizeof(*b));
	b->blob.ops = st->ops;
	b->local = l;
	b->fd = fd;
	b->end = (uint64_t)info.st_size;
	/* Perhaps: publishing gives back what is too much. */
	b->is_reserved = true;
	b->is_kept = true;
	memcpy(b->id, id, ID_SIZE);
	*ret_blob = &b->blob;
	return 0;
}

void
local_blob_close(struct blob *blob)
{
	if (blob != NULL)
		blob_free(of(blob));
}

int
local_blob_read_at(
    struct blob *blob, uint64_t offset, void *buf, size_t n, struct err *err)
{
	struct local_blob *b = of(blob);
	ssize_t got = file_pread_full(b->fd, buf, n, offset, err);

	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return err_set(err, ERR_IO,
		    "'temp/%s' is shorter than what was written to it", b->id);
	return 0;
}

int
local_blob_withdraw(struct storage *st, const char *id, struct err *err)
{
	struct local *l = local_of(st);

	if (local_check_id(id, err) < 0)
		return -1;
	if (renameat(local_shard(l, id), id, l->tempfd, id) < 0)
		return err_set_errno(err, errno == ENOENT ? ERR_ABSENT : ERR_IO,
		    "cannot withdraw '%s'", id);
	remove_sidecar(l, id);
	return 0;
}

int
local_blob_discard(struct storage *st, const char *id, struct err *err)
{
	if (local_check_id(id, err) < 0)
		return -1;
	if (unlinkat(local_of(st)->tempfd, id, 0) < 0 && errno != ENOENT)
		return err_set_errno(
		    err, ERR_IO, "cannot remove 'temp/%s'", id);
	/* Of one that was prepared. */
	remove_sidecar(local_of(st), id);
	return 0;
}
