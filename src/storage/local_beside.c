/* SPDX-License-Identifier: MIT */

/* What lies beside an object: thumbs/xx/ID, xx as in objects/. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "storage/local_priv.h"

#define SHARD_SIZE 3

/* The id's last two digits. */
static void
shard_name(const char *id, char ret[SHARD_SIZE])
{
	memcpy(ret, id + ID_SIZE - SHARD_SIZE, SHARD_SIZE - 1);
	ret[SHARD_SIZE - 1] = '\0';
}

/* ERR_ABSENT when nothing was ever put there. */
static int
open_shard(struct local *l, const char *name, struct err *err)
{
	return file_open(
	    l->thumbsfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err);
}

/* Root works for a server of another user. */
static int
keep_owner(struct local *l, int fd, struct err *err)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstat(l->thumbsfd, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0)
		return err_set_errno(err, ERR_IO, "cannot own a preview");
	return 0;
}

/* Under a name of its own: two may put the same at once.  What a crash leaves
 * is cleaned with temp/. */
static int
write_temp(struct local *l, char ret_name[ID_SIZE], struct slice content,
    struct err *err)
{
	int fd, rc;

	id_new(clock_wall_ms(clock_system()), ret_name);
	fd = file_open(
	    l->tempfd, ret_name, O_WRONLY | O_CREAT | O_EXCL, 0600, err);
	if (fd < 0)
		return -1;
	rc = keep_owner(l, fd, err);
	if (rc == 0)
		rc = file_write_all(fd, content.p, content.n, err);
	/* Before its name: whole after a power failure, or not there. */
	if (rc == 0)
		rc = file_sync(fd, err);
	file_close(fd);
	if (rc < 0)
		(void)unlinkat(l->tempfd, ret_name, 0);
	return rc;
}

static int
put_into(struct local *l, int shard, const char *id, struct slice content,
    struct err *err)
{
	char temp[ID_SIZE];

	if (write_temp(l, temp, content, err) < 0)
		return -1;
	if (renameat(l->tempfd, temp, shard, id) == 0)
		return 0;
	(void)err_set_errno(err, ERR_IO, "cannot make 'thumbs/%s'", id);
	(void)unlinkat(l->tempfd, temp, 0);
	return -1;
}

int
local_beside_put(struct storage *st, const char *id, const void *p, size_t n,
    struct err *err)
{
	struct local *l = local_of(st);
	char name[SHARD_SIZE];
	int shard, rc;

	if (local_check_id(id, err) < 0)
		return -1;
	if (n > STORAGE_BESIDE_MAX)
		return err_set(err, ERR_INTERNAL,
		    "%zu bytes are too many to lie beside '%s'", n, id);
	shard_name(id, name);
	shard = local_open_dir(l->thumbsfd, name, err);
	if (shard < 0)
		return -1;
	rc = put_into(l, shard, id, (struct slice){ p, n }, err);
	file_close(shard);
	return rc;
}

/* The size, or -1. */
static ssize_t
regular_size(int fd, const char *id, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set_errno(
		    err, ERR_IO, "cannot look at 'thumbs/%s'", id);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)STORAGE_BESIDE_MAX)
		return err_set(
		    err, ERR_IO, "'thumbs/%s' is nothing of ours", id);
	return (ssize_t)st.st_size;
}

static int
read_all(int fd, const char *id, struct buf *b, struct err *err)
{
	ssize_t size = regular_size(fd, id, err);
	ssize_t n;
	void *p;

	if (size < 0)
		return -1;
	buf_clear(b);
	p = buf_reserve(b, (size_t)size);
	if (p == NULL)
		return err_set(err, ERR_IO, "no room for 'thumbs/%s'", id);
	n = file_pread_full(fd, p, (size_t)size, 0, err);
	if (n < 0)
		return -1;
	buf_add(b, (size_t)n);
	return 0;
}

int
local_beside_get(
    struct storage *st, const char *id, struct buf *b, struct err *err)
{
	char name[SHARD_SIZE];
	int shard, fd, rc;

	if (local_check_id(id, err) < 0)
		return -1;
	shard_name(id, name);
	shard = open_shard(local_of(st), name, err);
	if (shard < 0)
		return -1;
	fd = file_open(shard, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err);
	file_close(shard);
	if (fd < 0)
		return -1;
	rc = read_all(fd, id, b, err);
	file_close(fd);
	return rc;
}

int
local_beside_remove(struct storage *st, const char *id, struct err *err)
{
	struct err why = ERR_INIT;
	char name[SHARD_SIZE];
	int shard;
	int rc = 0;

	if (local_check_id(id, err) < 0)
		return -1;
	shard_name(id, name);
	shard = open_shard(local_of(st), name, &why);
	if (shard < 0) {
		if (why.code == ERR_ABSENT)
			return 0;
		if (err != NULL)
			*err = why;
		return -1;
	}
	if (unlinkat(shard, id, 0) < 0 && errno != ENOENT)
		rc =
		    err_set_errno(err, ERR_IO, "cannot remove 'thumbs/%s'", id);
	file_close(shard);
	return rc;
}

/* --- all of them ------------------------------------------------------------
 */

static int
visit(DIR *dir, const struct dirent *entry, storage_list_fn fn, void *arg,
    struct err *err)
{
	struct stat st;

	if (!id_is_valid(entry->d_name) ||
	    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	return fn(arg, entry->d_name, (uint64_t)st.st_size, err);
}

static int
list_shard(int fd, storage_list_fn fn, void *arg, struct err *err)
{
	struct dirent *entry;
	DIR *dir = fdopendir(fd);
	int rc = 0;

	if (dir == NULL) {
		(void)err_set_errno(err, ERR_IO, "cannot list 'thumbs'");
		file_close(fd);
		return -1;
	}
	while (rc == 0) {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			break;
		rc = visit(dir, entry, fn, arg, err);
	}
	if (rc == 0 && errno != 0)
		rc = err_set_errno(err, ERR_IO, "cannot list 'thumbs'");
	(void)closedir(dir);
	return rc;
}

int
local_beside_list(
    struct storage *st, storage_list_fn fn, void *arg, struct err *err)
{
	char name[SHARD_SIZE];
	int rc = 0;

	for (unsigned i = 0; i < LOCAL_SHARDS && rc == 0; i++) {
		struct err why = ERR_INIT;
		int fd;

		(void)snprintf(name, sizeof(name), "%02x", i & 0xff);
		fd = open_shard(local_of(st), name, &why);
		if (fd >= 0)
			rc = list_shard(fd, fn, arg, err);
		else if (why.code != ERR_ABSENT)
			rc = err_set(err, why.code, "%s", why.msg);
	}
	return rc;
}
