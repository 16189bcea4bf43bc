/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

/*
 * Files.  Every descriptor is close-on-exec; EINTR and short transfers are
 * handled here; errors are ERR_IO with the path (ERR_ABSENT for ENOENT,
 * ERR_EXISTS for EEXIST, ERR_STORAGE_FULL for ENOSPC/EDQUOT).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* open(2) / openat(2) with O_CLOEXEC added. ${dirfd} may be AT_FDCWD. */
int file_open(
    int dirfd, const char *path, int flags, mode_t mode, struct err *err);
void file_close(int fd); /* -1 is fine */
int file_write_all(int fd, const void *p, size_t n, struct err *err);
int file_pwrite_all(
    int fd, const void *p, size_t n, uint64_t offset, struct err *err);
/* Up to ${n} bytes from ${offset}: the count (less only at the end), -1. */
ssize_t file_pread_full(
    int fd, void *p, size_t n, uint64_t offset, struct err *err);
/* Whole file into ${b}, whose content goes; larger than b's maximum is ERR_IO.
 */
int file_read_all(int dirfd, const char *path, struct buf *b, struct err *err);
/*
 * Replaces (or makes) a file so that a crash leaves the old or the new one,
 * whole: "PATH.tmp" beside it, fdatasync, rename, fsync of the directory.
 * One call at a time for a path.  Done by root, it stays its owner's.
 */
struct file_content {
	const void *p;
	size_t n;
	mode_t mode;
	const char *backup; /* the old file stays under this name; or NULL */
};
int file_replace(int dirfd, const char *path,
    const struct file_content *content, struct err *err);
/* An existing directory is fine. */
int file_mkdir(int dirfd, const char *path, mode_t mode, struct err *err);
/* Closed, or kept, when another program is executed. */
int file_set_cloexec(int fd, bool on, struct err *err);
int file_sync(int fd, struct err *err);     /* fdatasync */
int file_sync_all(int fd, struct err *err); /* fsync: attributes too */
int file_sync_dir(int fd, struct err *err); /* fsync */

/* The folder of a path: what stands before its last '/', or ".".  The caller's
 * to free. */
char *file_folder(const char *path);
/* Syncs it. */
int file_sync_folder(int dirfd, const char *path, struct err *err);

#endif
