/* SPDX-License-Identifier: MIT */
#include "sftd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define NO_LANDLOCK 77

/* In a child: each returns 0 when it is as it should be. */

static int
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static int
binds(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? errno : 0;
	(void)close(fd);
	return rc;
}

static int
try_all(const char *inside, const char *outside, int version)
{
	if (opens(inside, O_RDWR | O_CREAT) != 0)
		return 1;
	if (rename(inside, unit_temppath("home/b/moved")) < 0)
		return 2;
	if (opens(unit_temppath("status/file.json"), O_RDWR | O_CREAT) != 0)
		return 3;
	if (opens(outside, O_RDONLY) != EACCES)
		return 4;
	if (opens(unit_temppath("new"), O_WRONLY | O_CREAT) != EACCES)
		return 5;
	if (opens("/etc/passwd", O_RDONLY) != 0)
		return 6;
	if (opens("/etc/passwd", O_WRONLY) == 0)
		return 7;
	if (opens("/dev/null", O_WRONLY) != 0)
		return 8;
	if (version >= 4 && binds() != EACCES)
		return 9;
	if (version >= 6 && kill(getppid(), 0) == 0)
		return 10;
	return 0;
}

static int
child(const char *inside, const char *outside)
{
	struct settings s = {
		.upload_dir = strdup(unit_temppath("home")),
		.log_file = strdup(unit_temppath("status/file.json")),
	};
	struct sandbox_report r;
	struct err e = ERR_INIT;

	if (sandbox_enter(&s, &r, &e) < 0) {
		print_error("%s\n", e.msg);
		return 90;
	}
	free(s.upload_dir);
	free(s.log_file);
	return r.landlock == 0 ? NO_LANDLOCK
	                       : try_all(inside, outside, r.landlock);
}

TEST(test_sftd_sandbox__leaves_what_is_needed_and_nothing_else)
{
	const char *outside = unit_temppath("secret");
	const char *inside = unit_temppath("home/a/file");
	int status, fd;
	pid_t pid;

	assert_int_equal(mkdir(unit_temppath("home"), 0700), 0);
	assert_int_equal(mkdir(unit_temppath("home/a"), 0700), 0);
	assert_int_equal(mkdir(unit_temppath("home/b"), 0700), 0);
	assert_int_equal(mkdir(unit_temppath("status"), 0700), 0);
	fd = open(outside, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	(void)close(fd);
	pid = fork();
	if (pid == 0)
		_exit(child(inside, outside));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LANDLOCK)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}
