/* SPDX-License-Identifier: MIT */
#include "engine/decoder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "proto/preview.h"

/* As much as lies between the two; what a file's pages are copied in. */
#define PIECE ((size_t)64 * 1024)
#define SLICE_MS 100

struct decoder {
	pid_t pid; /* 0: none */
	int fd;
	bool is_fit;
	char version[sizeof(((struct preview_hello *)0)->version) + 1];
};

/* --- starting ---------------------------------------------------------------
 */

static int
spawn_as(struct decoder *d, const char *program, bool is_idle,
    const posix_spawn_file_actions_t *files, const posix_spawnattr_t *attr)
{
	char *args[] = { mem_strdup(program),
		is_idle ? mem_strdup(PREVIEW_IDLE) : NULL, NULL };
	char *env[] = { NULL };
	int rc = posix_spawn(&d->pid, program, files, attr, args, env);

	if (rc != 0)
		d->pid = 0;
	free(args[0]);
	free(args[1]);
	return rc;
}

/* Signals as a program expects them, and out of reach of the terminal's. */
static void
describe(posix_spawnattr_t *attr)
{
	sigset_t set;

	(void)posix_spawnattr_init(attr);
	sigemptyset(&set);
	(void)posix_spawnattr_setsigmask(attr, &set);
	sigfillset(&set);
	(void)posix_spawnattr_setsigdefault(attr, &set);
	(void)posix_spawnattr_setpgroup(attr, 0);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
	                                         POSIX_SPAWN_SETSIGDEF |
	                                         POSIX_SPAWN_SETPGROUP);
}

/* Nothing of ours but its end of the socket (rule 7). */
static int
spawn(struct decoder *d, const char *program, bool is_idle, int theirs)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc;

	describe(&attr);
	(void)posix_spawn_file_actions_init(&files);
	rc = posix_spawn_file_actions_adddup2(&files, theirs, PREVIEW_FD);
	for (int fd = 1; fd <= 2 && rc == 0; fd++)
		rc = posix_spawn_file_actions_addopen(
		    &files, fd, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = spawn_as(d, program, is_idle, &files, &attr);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	return rc;
}

/* --- waiting ----------------------------------------------------------------
 */

/* Until any of ${fds} can go on, at most a slice.  -1: no more waiting. */
static int
wait_slice(
    const struct decoder_wait *w, struct pollfd *fds, nfds_t n, struct err *err)
{
	if (w->check != NULL && w->check(w->arg, err) < 0)
		return -1;
	if (clock_mono_ns(clock_system()) >= w->deadline_ns)
		return err_set(err, ERR_TIMEOUT, "decoding takes too long");
	(void)poll(fds, n, SLICE_MS);
	return 0;
}

/* All of ${n} bytes from the program. */
static int
take(struct decoder *d, const struct decoder_wait *w, void *p, size_t n,
    struct err *err)
{
	struct pollfd fd = { .fd = d->fd, .events = POLLIN };
	ssize_t got;

	while (n > 0) {
		got = recv(d->fd, p, n, MSG_DONTWAIT);
		if (got > 0) {
			p = (char *)p + got;
			n -= (size_t)got;
		} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			return err_set(err, ERR_CLOSED, "the decoder ended");
		} else if (wait_slice(w, &fd, 1, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int
hear_hello(struct decoder *d, const struct decoder_wait *wait, struct err *err)
{
	struct preview_hello h;

	if (take(d, wait, &h, sizeof(h), err) < 0)
		return -1;
	if (memcmp(h.magic, PREVIEW_MAGIC, sizeof(h.magic)) != 0)
		return err_set(err, ERR_UNAVAILABLE,
		    "it is another version of '" PREVIEW_PROGRAM "'");
	memcpy(d->version, h.version, sizeof(h.version));
	for (char *p = d->version; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	d->is_fit = true;
	return 0;
}

int
decoder_start(const char *program, bool is_idle,
    const struct decoder_wait *wait, struct decoder **ret_d, struct err *err)
{
	struct decoder *d = mem_calloc(1, sizeof(*d));
	struct err why = ERR_INIT;
	int ends[2] = { -1, -1 };
	int rc = -1;

	d->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		(void)err_set_errno(err, ERR_UNAVAILABLE, "socketpair");
		goto out;
	}
	d->fd = ends[0];
	errno = spawn(d, program, is_idle, ends[1]);
	if (errno != 0) {
		(void)err_set_errno(
		    err, ERR_UNAVAILABLE, "cannot start '%s'", program);
		goto out;
	}
	file_close(ends[1]);
	ends[1] = -1;
	rc = hear_hello(d, wait, &why);
	if (rc < 0 && (why.code == ERR_CLOSED || why.code == ERR_TIMEOUT))
		(void)err_set(err, ERR_UNAVAILABLE,
		    "'%s' does not come to work", program);
	else if (rc < 0 && err != NULL)
		*err = why;
out:
	file_close(ends[1]);
	if (rc == 0)
		*ret_d = d;
	else
		decoder_free(d);
	return rc;
}

const char *
decoder_version(const struct decoder *d)
{
	return d->version;
}

bool
decoder_is_fit(const struct decoder *d)
{
	struct pollfd fd = { .fd = d->fd, .events = POLLIN };

	/* One that has ended meanwhile, or speaks unasked, is not. */
	return d->is_fit && poll(&fd, 1, 0) == 0;
}

void
decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	if (d->pid > 0) {
		(void)kill(d->pid, SIGKILL);
		while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	file_close(d->fd);
	free(d);
}

/* --- one image --------------------------------------------------------------
 */

/* The bytes on their way into the pipe. */
struct feed {
	struct source *src;
	int fd; /* -1: all is in, or no more is wanted */
	unsigned char *piece;
	size_t at;
	size_t n;
};

static void
feed_end(struct feed *f)
{
	file_close(f->fd);
	f->fd = -1;
}

/* What the pipe takes now.  Fails as the source does. */
static int
feed_some(struct feed *f, struct err *err)
{
	ssize_t n;

	if (f->at == f->n) {
		n = source_read(f->src, f->piece, PIECE, err);
		if (n < 0)
			return -1;
		if (n == 0) {
			feed_end(f);
			return 0;
		}
		f->at = 0;
		f->n = (size_t)n;
	}
	n = write(f->fd, f->piece + f->at, f->n - f->at);
	if (n > 0)
		f->at += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		feed_end(f); /* it has seen enough */
	return 0;
}

/* Until the program begins to reply. */
static int
feed_all(struct decoder *d, struct feed *f, const struct decoder_wait *w,
    struct err *err)
{
	struct pollfd fds[2] = { { .fd = d->fd, .events = POLLIN },
		{ .events = POLLOUT } };

	while (fds[0].revents == 0) {
		fds[1].fd = f->fd;
		fds[1].revents = 0;
		if (wait_slice(w, fds, 2, err) < 0)
			return -1;
		if (fds[1].revents != 0 && feed_some(f, err) < 0)
			return -1;
	}
	return 0;
}

static int
hear_reply(struct decoder *d, const struct decoder_wait *w, struct buf *jpeg,
    struct err *err)
{
	struct preview_reply r;
	void *p;

	if (take(d, w, &r, sizeof(r), err) < 0)
		return -1;
	if (r.status == PREVIEW_NONE && r.size == 0) {
		d->is_fit = true;
		return err_set(err, ERR_NO_THUMBNAIL, "no image");
	}
	if (r.status == PREVIEW_BUSY && r.size == 0)
		return err_set(err, ERR_UNAVAILABLE,
		    "no process for an image can be started");
	if (r.status != PREVIEW_MADE || r.size == 0 ||
	    r.size > PREVIEW_BYTES_MAX)
		return err_set(err, ERR_CLOSED, "the decoder talks nonsense");
	p = buf_reserve(jpeg, r.size);
	if (p == NULL)
		return err_set(err, ERR_UNAVAILABLE, "no memory");
	if (take(d, w, p, r.size, err) < 0)
		return -1;
	buf_add(jpeg, r.size);
	d->is_fit = true;
	return 0;
}

static int
hand_over(struct decoder *d, int fd, struct err *err)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char job = PREVIEW_JOB;
	struct iovec iov = { &job, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memset(&control, 0, sizeof(control));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (sendmsg(d->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
		return 0;
	return err_set(err, ERR_CLOSED, "the decoder ended");
}

static int
open_pipe(int ret_ends[2], struct err *err)
{
	if (pipe2(ret_ends, O_CLOEXEC) < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "pipe");
	/* The decoder's end waits, ours does not. */
	(void)fcntl(ret_ends[1], F_SETFL, O_NONBLOCK);
	return 0;
}

int
decoder_run(struct decoder *d, struct source *src,
    const struct decoder_wait *wait, struct buf *ret_jpeg, struct err *err)
{
	struct feed f = { .src = src, .fd = -1 };
	int ends[2] = { -1, -1 };
	int rc = -1;

	d->is_fit = false;
	if (open_pipe(ends, err) < 0)
		return -1;
	f.fd = ends[1];
	rc = hand_over(d, ends[0], err);
	file_close(ends[0]);
	if (rc < 0)
		goto out;
	f.piece = mem_alloc(PIECE);
	buf_clear(ret_jpeg);
	rc = feed_all(d, &f, wait, err);
	feed_end(&f);
	if (rc == 0)
		rc = hear_reply(d, wait, ret_jpeg, err);
out:
	feed_end(&f);
	if (f.piece != NULL)
		mem_wipe(f.piece, PIECE);
	free(f.piece);
	return rc;
}
