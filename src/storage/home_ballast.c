/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/home.h"

#define NAME "ballast"
#define MODE 0600
#define SIZE_MAX_BYTES ((uint64_t)16 * 1024 * 1024)
#define SHARE 100 /* of the disk: one in so many */
#define BLOCK 4096

/* How large it should be, and whether there is room for it. */
static int
plan(const struct home *home, uint64_t *ret_size, uint64_t *ret_free,
    struct err *err)
{
	struct statvfs fs;
	uint64_t size;

	if (fstatvfs(home->dirfd, &fs) < 0)
		return err_set_errno(
		    err, ERR_IO, "cannot ask for the free space");
	size = (uint64_t)fs.f_blocks * fs.f_frsize / SHARE;
	if (size > SIZE_MAX_BYTES)
		size = SIZE_MAX_BYTES;
	*ret_size = size / BLOCK * BLOCK;
	*ret_free = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

/* Where there is no fallocate(). */
static int
write_zeros(int fd, uint64_t size, struct err *err)
{
	static const char zeros[BLOCK];
	uint64_t at;

	for (at = 0; at < size; at += BLOCK) {
		if (file_pwrite_all(fd, zeros, BLOCK, at, err) < 0)
			return -1;
	}
	return 0;
}

static int
fill(int fd, uint64_t size, struct err *err)
{
	if (fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return err_set_errno(err, ERR_IO, "cannot fill '" NAME "'");
	return write_zeros(fd, size, err);
}

static bool
is_there(const struct home *home, uint64_t size)
{
	struct stat st;

	return fstatat(home->dirfd, NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (uint64_t)st.st_blocks * 512 >= size;
}

int
home_ballast_fill(struct home *home, struct err *err)
{
	uint64_t size = 0, free_bytes = 0;
	int fd, rc;

	if (plan(home, &size, &free_bytes, err) < 0)
		return -1;
	if (is_there(home, size))
		return 0;
	/* The last bytes are better left for what comes next. */
	if (free_bytes < 2 * size)
		return err_set(
		    err, ERR_STORAGE_FULL, "the disk is almost full");
	fd = file_open(
	    home->dirfd, NAME, O_WRONLY | O_CREAT | O_NOFOLLOW, MODE, err);
	if (fd < 0)
		return -1;
	rc = fill(fd, size, err);
	file_close(fd);
	if (rc < 0)
		home_ballast_drop(home);
	return rc;
}

void
home_ballast_drop(struct home *home)
{
	(void)unlinkat(home->dirfd, NAME, 0); /* or there was none */
}
