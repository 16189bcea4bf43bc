/* SPDX-License-Identifier: MIT */
#include "sft/landing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/slice.h"
#include "base/utf8.h"

/* ".NAME.sft-part-0123456789abcdef": what is added to a name, which may
 * be as long as a name can be. */
#define PART_EXTRA 28
#define TRIES 16

/* A pipe that can be written to takes so much without waiting (pipe(7)). */
#define STREAM_SLICE ((size_t)PIPE_BUF)

struct landing {
	struct landing_options options;
	char *path;
	bool is_stream;
	int fd;
	int dir_fd;   /* of files: the folder of both names */
	char *name;   /* in it */
	char *part;   /* the temporary name; NULL: there is none */
	bool is_kept; /* it stays when it was not committed */
};

static bool
is_stream(const char *path)
{
	struct stat st;

	if (strcmp(path, LANDING_STDOUT) == 0)
		return true;
	return stat(path, &st) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode));
}

int
landing_check(const struct landing_options *o, struct err *err)
{
	struct stat st;

	if (is_stream(o->path) || lstat(o->path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE, "'%s' is a directory", o->path);
	if (S_ISBLK(st.st_mode))
		return err_set(err, ERR_USAGE, "'%s' is a device", o->path);
	if (o->force)
		return 0;
	return err_set(err, ERR_EXISTS,
	    "'%s' is there already; --force replaces it", o->path);
}

/* The folder of ${l->path}, opened, and the name in it. */
static int
open_folder(struct landing *l, struct err *err)
{
	const char *slash = strrchr(l->path, '/');
	char *folder = file_folder(l->path);

	l->name = mem_strdup(slash == NULL ? l->path : slash + 1);
	l->dir_fd = file_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0, err);
	free(folder);
	return l->dir_fd < 0 ? -1 : 0;
}

static char *
part_name(const char *name)
{
	struct slice front = slice_str(name);

	if (front.n > NAME_MAX - PART_EXTRA) {
		front.n = NAME_MAX - PART_EXTRA;
		front.n = utf8_cut(front);
	}
	return mem_printf(
	    ".%.*s.sft-part-%016" PRIx64, (int)front.n, front.p, rand_u64());
}

/* ".NAME.sft-part": one that another run finds. */
static char *
sibling(const char *name, const char *ending)
{
	struct slice front = slice_str(name);

	if (front.n > NAME_MAX - PART_EXTRA) {
		front.n = NAME_MAX - PART_EXTRA;
		front.n = utf8_cut(front);
	}
	return mem_printf(".%.*s.sft-%s", (int)front.n, front.p, ending);
}

static int
open_part(struct landing *l, struct err *err)
{
	char *part;
	int tries;

	if (open_folder(l, err) < 0)
		return -1;
	for (tries = 0; tries < TRIES; tries++) {
		part = part_name(l->name);
		l->fd = file_open(l->dir_fd, part,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666, err);
		if (l->fd >= 0) {
			l->part = part;
			return 0;
		}
		free(part);
		if (err->code != ERR_EXISTS)
			break;
	}
	return err_set(err, ERR_IO, "cannot write '%s': %s", l->path,
	    err->sys == 0 ? "its folder is odd" : strerrordesc_np(err->sys));
}

/* A FIFO that nobody reads yet is no place for bytes. */
static int
open_stream(struct landing *l, struct err *err)
{
	if (strcmp(l->path, LANDING_STDOUT) == 0) {
		l->fd = STDOUT_FILENO;
		return 0;
	}
	l->fd = file_open(
	    AT_FDCWD, l->path, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0, err);
	return l->fd < 0 ? -1 : 0;
}

int
landing_open(
    const struct landing_options *o, struct landing **ret_l, struct err *err)
{
	struct landing *l = mem_calloc(1, sizeof(*l));
	int rc;

	l->options = *o;
	l->path = mem_strdup(o->path);
	l->fd = -1;
	l->dir_fd = -1;
	l->is_stream = is_stream(o->path);
	rc = l->is_stream ? open_stream(l, err) : open_part(l, err);
	if (rc < 0) {
		landing_close(l);
		return -1;
	}
	*ret_l = l;
	return 0;
}

static int
cannot_write(const struct landing *l, int sys, struct err *err)
{
	return err_set(err, ERR_IO, "cannot write %s%s%s: %s",
	    l->fd == STDOUT_FILENO ? "to standard output" : "'",
	    l->fd == STDOUT_FILENO ? "" : l->path,
	    l->fd == STDOUT_FILENO ? "" : "'", strerrordesc_np(sys));
}

/* Waits for a reader where a signal is heard. */
static int
write_stream(struct landing *l, const char *p, size_t n, struct err *err)
{
	size_t step;
	ssize_t put;

	while (n > 0) {
		if (interrupt_wait(
		        l->options.interrupt, l->fd, POLLOUT, -1, err) < 0)
			return -1;
		step = n < STREAM_SLICE ? n : STREAM_SLICE;
		put = write(l->fd, p, step);
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return cannot_write(l, errno, err);
		if (put > 0) {
			p += put;
			n -= (size_t)put;
		}
	}
	return 0;
}

int
landing_write(struct landing *l, const void *p, size_t n, struct err *err)
{
	if (l->is_stream)
		return write_stream(l, p, n, err);
	if (file_write_all(l->fd, p, n, err) < 0)
		return cannot_write(l, err->sys, err);
	return 0;
}

/* Where a file system knows no rename without replacing, a link does it. */
static int
name_new(struct landing *l)
{
	if (renameat2(
	        l->dir_fd, l->part, l->dir_fd, l->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(l->dir_fd, l->part, l->dir_fd, l->name, 0) < 0)
		return -1;
	return unlinkat(l->dir_fd, l->part, 0);
}

int
landing_commit(struct landing *l, struct err *err)
{
	int rc;

	if (l->is_stream)
		return 0;
	if (fsync(l->fd) < 0)
		return cannot_write(l, errno, err);
	rc = l->options.force ? renameat(l->dir_fd, l->part, l->dir_fd, l->name)
	                      : name_new(l);
	if (rc < 0 && errno == EEXIST)
		return err_set(err, ERR_EXISTS,
		    "'%s' has come into being meanwhile; --force replaces it",
		    l->path);
	if (rc < 0)
		return cannot_write(l, errno, err);
	free(l->part);
	l->part = NULL;
	/* The file is there; that its name survives a power failure is more
	 * than can be promised everywhere. */
	(void)file_sync_dir(l->dir_fd, NULL);
	return 0;
}

void
landing_close(struct landing *l)
{
	if (l == NULL)
		return;
	if (l->part != NULL && !l->is_kept)
		(void)unlinkat(l->dir_fd, l->part, 0);
	if (l->fd != STDOUT_FILENO)
		file_close(l->fd);
	file_close(l->dir_fd);
	free(l->part);
	free(l->name);
	free(l->path);
	free(l);
}

/* --- for what can be gone on with ----------------------------------------- */

/* Is what was opened and locked still the temporary file, and nobody else's?
 * Whoever had the lock before may have given it its name since. */
static int
check_kept(const struct landing *l, struct err *err)
{
	struct stat opened, named;

	if (fstat(l->fd, &opened) < 0)
		return cannot_write(l, errno, err);
	if (fstatat(l->dir_fd, l->part, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
		return err_set(err, ERR_EXISTS,
		    "another program has just fetched '%s'", l->path);
	if (!S_ISREG(opened.st_mode) || opened.st_nlink != 1 ||
	    opened.st_uid != geteuid())
		return err_set(err, ERR_EXISTS,
		    "the temporary file '%s' beside '%s' is not ours: remove "
		    "it",
		    l->part, l->path);
	return 0;
}

static int
open_kept(struct landing *l, bool is_new, struct err *err)
{
	if (open_folder(l, err) < 0)
		return -1;
	l->part = sibling(l->name, "part");
	l->is_kept = true;
	l->fd = file_open(l->dir_fd, l->part,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | (is_new ? O_CREAT : 0), 0666,
	    err);
	if (l->fd < 0)
		return -1;
	if (flock(l->fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_EXISTS,
		    "another program is fetching '%s'", l->path);
	if (check_kept(l, err) < 0)
		return -1;
	l->is_kept = false;
	if (is_new && ftruncate(l->fd, 0) < 0)
		return cannot_write(l, errno, err);
	return 0;
}

int
landing_open_kept(const struct landing_options *o, bool is_new,
    struct landing **ret_l, struct err *err)
{
	struct landing *l = mem_calloc(1, sizeof(*l));

	l->options = *o;
	l->path = mem_strdup(o->path);
	l->fd = -1;
	l->dir_fd = -1;
	if (open_kept(l, is_new, err) < 0) {
		landing_close(l);
		return -1;
	}
	*ret_l = l;
	return 0;
}

int
landing_reserve(struct landing *l, uint64_t size, struct err *err)
{
	int rc;

	if (ftruncate(l->fd, (off_t)size) < 0)
		return cannot_write(l, errno, err);
	do {
		rc = fallocate(l->fd, 0, 0, (off_t)size);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0 && errno == ENOSPC)
		return cannot_write(l, errno, err);
	return 0;
}

int
landing_write_at(struct landing *l, uint64_t offset, const void *p, size_t n,
    struct err *err)
{
	if (file_pwrite_all(l->fd, p, n, offset, err) < 0)
		return cannot_write(l, err->sys, err);
	return 0;
}

int
landing_fd(const struct landing *l)
{
	return l->fd;
}

int
landing_dir(const struct landing *l)
{
	return l->dir_fd;
}

char *
landing_journal_name(const struct landing *l)
{
	return sibling(l->name, "journal");
}

void
landing_keep(struct landing *l)
{
	l->is_kept = true;
}

bool
landing_is_file(const char *path)
{
	return !is_stream(path);
}
