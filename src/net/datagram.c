/* SPDX-License-Identifier: MIT */
#include "net/datagram.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/file.h"

int
datagram_send(const char *path, const void *p, size_t n, struct err *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t path_n = strlen(path);
	socklen_t len;
	int rc = 0;
	int fd;

	if (path_n == 0 || path_n >= sizeof(to.sun_path))
		return err_set(err, ERR_IO, "the socket's path is too long");
	memcpy(to.sun_path, path, path_n);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_n);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, ERR_IO, "socket");
	if (sendto(fd, p, n, MSG_NOSIGNAL, (const struct sockaddr *)&to, len) <
	    0)
		rc = err_set_errno(err, ERR_IO, "sendto");
	file_close(fd);
	return rc;
}
