/* SPDX-License-Identifier: MIT */
#include "net/datagram.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

static void
receive(const char *path, const char *text)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	struct err err = ERR_INIT;
	char got[64];
	ssize_t n;
	int fd;

	memcpy(at.sun_path, path, strlen(path));
	if (path[0] == '@')
		at.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(datagram_send(path, text, strlen(text), &err), 0);
	n = recv(fd, got, sizeof(got), 0);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
	(void)close(fd);
}

TEST(test_net_datagram__reaches_a_path_and_an_abstract_name)
{
	char name[64];

	receive(unit_temppath("socket"), "READY=1");
	(void)snprintf(name, sizeof(name), "@sft-unit-%ld", (long)getpid());
	receive(name, "STOPPING=1");
}

TEST(test_net_datagram__says_when_nobody_is_there)
{
	char longest[200];
	struct err err = ERR_INIT;

	assert_int_equal(
	    datagram_send(unit_temppath("none"), "x", 1, &err), -1);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	err_clear(&err);
	assert_int_equal(datagram_send(longest, "x", 1, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(datagram_send("", "x", 1, &err), -1);
}
