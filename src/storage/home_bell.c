/* SPDX-License-Identifier: MIT */

/*
 * A bell between the running server and who works beside it.  The lock is what
 * both have: ringing sets its times, answering writes its first byte over
 * itself; inotify tells the two apart.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/home_priv.h"

/* What happens to the lock from now on, as a descriptor to poll. */
static int
watch_lock(const struct home *home, uint32_t what, struct err *err)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char *path;
	int rc;

	if (fd < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "inotify_init");
	path = home_path(home, HOME_LOCK);
	rc = inotify_add_watch(fd, path, what);
	if (rc < 0)
		(void)err_set_errno(err, ERR_UNAVAILABLE, "inotify_add_watch");
	free(path);
	if (rc >= 0)
		return fd;
	file_close(fd);
	return -1;
}

int
home_bell_open(const struct home *home, struct err *err)
{
	return watch_lock(home, IN_ATTRIB, err);
}

void
home_bell_take(int bell)
{
	char events[4096];

	while (read(bell, events, sizeof(events)) > 0)
		continue;
}

void
home_bell_answer(const struct home *home)
{
	char first;

	/* Who rang waits no longer than it likes. */
	if (file_pread_full(home->lockfd, &first, 1, 0, NULL) == 1)
		(void)file_pwrite_all(home->lockfd, &first, 1, 0, NULL);
}

bool
home_bell_ring(const struct home *home, int wait_ms)
{
	struct pollfd answer = { .events = POLLIN };
	bool heard = false;

	answer.fd = watch_lock(home, IN_MODIFY, NULL);
	if (utimensat(home->dirfd, HOME_LOCK, NULL, AT_SYMLINK_NOFOLLOW) == 0)
		heard = answer.fd >= 0 && poll(&answer, 1, wait_ms) == 1;
	file_close(answer.fd);
	return heard;
}
