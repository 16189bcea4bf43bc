/* SPDX-License-Identifier: MIT */
#include "preview/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

int
serve(int fd)
{
	struct buf jpeg;
	int image;
	int rc = say_hello(fd);

	while (rc == 0 && (image = next_image(fd)) >= 0) {
		/* Nothing of the one before is left in memory for it. */
		buf_init(&jpeg, PREVIEW_BYTES_MAX);
		jail_watch(true);
		if (decode(image, &jpeg, NULL) < 0)
			buf_clear(&jpeg);
		jail_watch(false);
		file_close(image);
		rc = answer(fd, &jpeg);
		buf_fini(&jpeg);
	}
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
