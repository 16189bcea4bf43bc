/* SPDX-License-Identifier: MIT */
#include "preview/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "preview/decode.h"
#include "preview/jail.h"
#include "proto/preview.h"

static int
say_hello(int fd)
{
	struct preview_hello h;

	memset(&h, 0, sizeof(h));
	memcpy(h.magic, PREVIEW_MAGIC, sizeof(h.magic));
	(void)snprintf(h.version, sizeof(h.version), "%s, %s", SFT_VERSION,
	    decode_version());
	return file_write_all(fd, &h, sizeof(h), NULL);
}

/* The pipe of the next image; -1 when there is none. */
static int
next_image(int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char job;
	struct iovec iov = { &job, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct cmsghdr *c;
	ssize_t n;
	int image;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != 1 || job != PREVIEW_JOB)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&image, CMSG_DATA(c), sizeof(image));
	return image;
}

/* --- the process of one image ----------------------------------------------
 */

static int
answer(int fd, const struct buf *jpeg)
{
	struct preview_reply r = { PREVIEW_NONE, 0 };

	if (jpeg->len > 0)
		r = (struct preview_reply){ PREVIEW_MADE, (uint32_t)jpeg->len };
	if (file_write_all(fd, &r, sizeof(r), NULL) < 0)
		return -1;
	return jpeg->len == 0 ? 0
	                      : file_write_all(fd, jpeg->p, jpeg->len, NULL);
}

/* With the walls up before the first byte of the image comes in. */
static int
work(int image)
{
	struct buf jpeg;

	jail_watch();
	if (jail_shut(NULL) < 0)
		return EXIT_FAILURE;
	buf_init(&jpeg, PREVIEW_BYTES_MAX);
	if (decode(image, &jpeg, NULL) < 0)
		buf_clear(&jpeg);
	/* Who feeds it learns that no more is wanted. */
	file_close(image);
	return answer(PREVIEW_FD, &jpeg) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ${reply} takes the place of the server's socket.  Without what libraries
 * would still like to do at the end. */
static void
be_worker(pid_t parent, int image, const int reply[2])
{
	/* With the parent, which the server ends when this takes too long. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
	    dup2(reply[1], PREVIEW_FD) < 0)
		_exit(EXIT_FAILURE);
	file_close(reply[0]);
	file_close(reply[1]);
	_exit(work(image));
}

/* --- its parent -------------------------------------------------------------
 */

static int
read_whole(int fd, void *p, size_t n)
{
	ssize_t got = 1;

	for (size_t at = 0; at < n && got > 0; at += (size_t)got)
		do
			got = read(fd, (char *)p + at, n - at);
		while (got < 0 && errno == EINTR);
	return got > 0 ? 0 : -1;
}

/* What a worker says, if it keeps to the rules. */
static int
take_reply(int fd, struct buf *ret)
{
	struct preview_reply r;
	void *jpeg;

	if (read_whole(fd, &r, sizeof(r)) < 0 || r.size > PREVIEW_BYTES_MAX)
		return -1;
	(void)buf_append(ret, &r, sizeof(r));
	jpeg = buf_reserve(ret, r.size);
	if (jpeg == NULL || read_whole(fd, jpeg, r.size) < 0)
		return -1;
	buf_add(ret, r.size);
	return 0;
}

/* Its reply was its last word. */
static void
end_worker(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* -1: none can be had. */
static pid_t
fork_worker(int image, int *ret_reply)
{
	pid_t self = getpid();
	int reply[2];
	pid_t pid;

	if (pipe2(reply, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		be_worker(self, image, reply);
	file_close(reply[1]);
	if (pid < 0)
		file_close(reply[0]);
	*ret_reply = reply[0];
	return pid;
}

/* Takes ${image}. */
static int
have_decoded(int image, struct buf *ret)
{
	const struct preview_reply busy = { PREVIEW_BUSY, 0 };
	int reply;
	pid_t pid = fork_worker(image, &reply);
	int rc;

	file_close(image);
	if (pid < 0)
		return buf_append(ret, &busy, sizeof(busy));
	rc = take_reply(reply, ret);
	file_close(reply);
	end_worker(pid);
	return rc;
}

/* An image whose process fails ends all: the server counts it as that image's
 * fault, and starts anew. */
int
serve(int fd)
{
	struct buf reply;
	int image;
	int rc = say_hello(fd);

	buf_init(&reply, sizeof(struct preview_reply) + PREVIEW_BYTES_MAX);
	while (rc == 0 && (image = next_image(fd)) >= 0) {
		rc = have_decoded(image, &reply);
		if (rc == 0)
			rc = file_write_all(fd, reply.p, reply.len, NULL);
		buf_clear(&reply);
	}
	buf_fini(&reply);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
