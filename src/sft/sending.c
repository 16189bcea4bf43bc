/* SPDX-License-Identifier: MIT */
#include "sft/sending.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"

struct sending {
	struct source source; /* first */
	struct http_body body;
	struct progress *progress;
	struct sha256 hash;
	const char *name; /* for messages; the caller's */
	int fd;
	bool is_stream;
	uint64_t size; /* of a file */
	uint64_t sent;
};

/* The next bytes of a stream; whoever reads has waited. */
static ssize_t
read_stream(struct sending *s, void *buf, size_t n, struct err *err)
{
	ssize_t got;

	do {
		got = read(s->fd, buf, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set_errno(err, ERR_IO, "cannot read '%s'", s->name);
	return got;
}

/* The next bytes of a file: as many as it had when it was opened. */
static ssize_t
read_file(struct sending *s, void *buf, size_t n, struct err *err)
{
	ssize_t got;

	if (n > s->size - s->sent)
		n = (size_t)(s->size - s->sent);
	if (n == 0)
		return 0;
	got = file_pread_full(s->fd, buf, n, s->sent, err);
	if (got >= 0 && (size_t)got < n)
		return err_set(err, ERR_IO,
		    "'%s' became shorter while it was being sent", s->name);
	return got;
}

static ssize_t
do_read(struct source *source, void *buf, size_t n, struct err *err)
{
	struct sending *s = (struct sending *)source;
	ssize_t got = s->is_stream ? read_stream(s, buf, n, err)
	                           : read_file(s, buf, n, err);

	if (got > 0) {
		sha256_update(&s->hash, buf, (size_t)got);
		s->sent += (uint64_t)got;
		progress_add(s->progress, (uint64_t)got);
	}
	return got;
}

static int
do_wait(struct source *source, int timeout_ms, struct err *err)
{
	struct sending *s = (struct sending *)source;
	struct pollfd p = { s->fd, POLLIN, 0 };
	int n;

	if (!s->is_stream)
		return 1;
	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set_errno(err, ERR_IO, "poll");
	return n;
}

static void
do_close(struct source *source)
{
	struct sending *s = (struct sending *)source;

	if (s->fd != STDIN_FILENO)
		file_close(s->fd);
	free(s);
}

static bool
do_rewind(struct source *source)
{
	struct sending *s = (struct sending *)source;

	if (s->is_stream && s->sent > 0)
		return false;
	s->sent = 0;
	sha256_init(&s->hash);
	progress_restart(s->progress);
	return true;
}

/* Does not wait: a FIFO that nobody writes to yet is waited for as its bytes
 * are, where Ctrl-C is heard. */
static int
open_path(const char *path, int *ret_fd, struct err *err)
{
	int fd;

	if (strcmp(path, SENDING_STDIN) == 0) {
		*ret_fd = STDIN_FILENO;
		return 0;
	}
	fd =
	    file_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
	if (fd < 0)
		return -1;
	*ret_fd = fd;
	return 0;
}

/* A file has a size; from all else bytes just come. */
static int
look(struct sending *s, struct err *err)
{
	struct stat st;
	off_t at;

	if (fstat(s->fd, &st) < 0)
		return err_set_errno(err, ERR_IO, "cannot read '%s'", s->name);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE,
		    "'%s' is a directory; name the files in it", s->name);
	s->is_stream = !S_ISREG(st.st_mode);
	if (s->is_stream)
		return 0;
	/* "sft upload - < file" may have read some of it already */
	at = s->fd == STDIN_FILENO ? lseek(s->fd, 0, SEEK_CUR) : 0;
	if (at != 0)
		s->is_stream = true;
	else
		s->size = (uint64_t)st.st_size;
	return 0;
}

int
sending_open(const char *path, struct progress *progress,
    struct sending **ret_s, struct err *err)
{
	struct sending *s;
	int fd;

	if (open_path(path, &fd, err) < 0)
		return -1;
	s = mem_calloc(1, sizeof(*s));
	s->source.read = do_read;
	s->source.wait = do_wait;
	s->source.close = do_close;
	s->name = path;
	s->fd = fd;
	s->progress = progress;
	sha256_init(&s->hash);
	if (look(s, err) < 0) {
		sending_close(s);
		return -1;
	}
	s->body.source = &s->source;
	s->body.size = s->is_stream ? HTTP_SIZE_UNKNOWN : (int64_t)s->size;
	s->body.wait_fd = s->is_stream ? s->fd : -1;
	s->body.rewind = do_rewind;
	*ret_s = s;
	return 0;
}

void
sending_close(struct sending *s)
{
	if (s != NULL)
		source_close(&s->source);
}

uint64_t
sending_size(const struct sending *s)
{
	return s->is_stream ? PROGRESS_UNKNOWN : s->size;
}

const struct http_body *
sending_body(struct sending *s)
{
	return &s->body;
}

uint64_t
sending_sent(const struct sending *s)
{
	return s->sent;
}

void
sending_hash(struct sending *s, char ret[SHA256_HEX_SIZE])
{
	unsigned char sum[SHA256_SIZE];

	sha256_final(&s->hash, sum);
	hex_encode(sum, sizeof(sum), ret);
}
