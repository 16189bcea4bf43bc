/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/local_priv.h"

#define ATTRIBUTE "user.sft"
#define SUFFIX ".birth"
#define MODE 0600

void
local_birth_name(const char *name, char ret[LOCAL_NAME_SIZE])
{
	(void)snprintf(ret, LOCAL_NAME_SIZE, "%s" SUFFIX, name);
}

static int
write_sidecar(struct local *l, const struct local_birth *b, struct err *err)
{
	int shard = local_shard(l, b->id);
	char name[LOCAL_NAME_SIZE];
	int fd;
	int rc = -1;

	/* Not over that of another blob; one without its blob was left by a
	 * crash and is replaced. */
	if (faccessat(shard, b->id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_EXISTS, "'%s' is published", b->id);
	local_birth_name(b->id, name);
	fd = file_open(
	    shard, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, MODE, err);
	if (fd < 0)
		return -1;
	if (file_write_all(fd, b->text, strlen(b->text), err) < 0)
		goto out;
	if (b->durable && file_sync(fd, err) < 0)
		goto out;
	rc = 0;
out:
	file_close(fd);
	if (rc < 0)
		(void)unlinkat(shard, name, 0); /* the blob goes too */
	return rc;
}

int
local_birth_write(
    struct local *l, int fd, const struct local_birth *b, struct err *err)
{
	size_t n = strlen(b->text);

	if (n > STORAGE_BIRTH_MAX)
		return err_set(err, ERR_INTERNAL,
		    "a birth record of %zu bytes is too long", n);
	/*
	 * Too long for this file system's attributes (ext4 has about 4,000
	 * bytes for all of a file) shows as ENOSPC, as a full disk does: then
	 * the sidecar will fail, too.
	 */
	if (l->has_xattr && fsetxattr(fd, ATTRIBUTE, b->text, n, 0) == 0)
		return 0;
	return write_sidecar(l, b, err) < 0 ? -1 : 1;
}

/* The text in ${name} of ${dirfd}: its length, or -1. */
static ssize_t
read_sidecar(int dirfd, const char *name, char *ret, struct err *err)
{
	ssize_t n;
	int fd;

	fd = file_open(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (fd < 0)
		return -1;
	n = file_pread_full(fd, ret, STORAGE_BIRTH_MAX, 0, err);
	file_close(fd);
	return n;
}

int
local_birth_read(struct local *l, const char *id,
    char ret[STORAGE_BIRTH_MAX + 1], struct err *err)
{
	char name[LOCAL_NAME_SIZE];
	uint64_t size;
	ssize_t n;
	int fd;

	fd = local_open_object(l, id, O_RDONLY, &size, err);
	if (fd < 0)
		return -1;
	n = fgetxattr(fd, ATTRIBUTE, ret, STORAGE_BIRTH_MAX);
	file_close(fd);
	/* It may have come from a file system without attributes. */
	if (n < 0 && errno != ENODATA && errno != ENOTSUP)
		return err_set_errno(
		    err, ERR_IO, "cannot read the birth record of '%s'", id);
	if (n < 0) {
		local_birth_name(id, name);
		n = read_sidecar(local_shard(l, id), name, ret, err);
	}
	if (n < 0)
		return -1;
	ret[n] = '\0';
	return 0;
}
