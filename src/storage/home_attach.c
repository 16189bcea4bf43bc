/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "storage/home_priv.h"

#define MAINTENANCE_LOCK "maintenance.lock"

static int
take_lock(struct home *home, struct err *err)
{
	struct err why = ERR_INIT;
	struct stat st;

	home->lockfd = file_open(home->dirfd, MAINTENANCE_LOCK,
	    O_RDWR | O_CREAT | O_NOFOLLOW, HOME_FILE_MODE, &why);
	if (home->lockfd < 0)
		return home_refuse(home->path, why.sys, err);
	/* Root may have made it, and the server's user will want it. */
	if (geteuid() == 0 && fstat(home->dirfd, &st) == 0)
		(void)!fchown(home->lockfd, st.st_uid, st.st_gid);
	if (home_flock(home->lockfd) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_SETTING,
		    "'%s' is being checked, or its keys changed, by another "
		    "sftd: wait until that has ended",
		    home->path);
	return home_refuse(home->path, errno, err);
}

static int
enter(struct home *home, struct err *err)
{
	int is_ours = home_check_format(home, err);

	if (is_ours < 0)
		return -1;
	if (is_ours == 0)
		return err_set(err, ERR_SETTING,
		    "'%s' holds no files of a server: name its directory in "
		    "UPLOAD_DIR",
		    home->path);
	return 0;
}

int
home_visit(const char *path, struct home **ret_home, struct err *err)
{
	struct home *home = mem_calloc(1, sizeof(*home));
	struct err why = ERR_INIT;

	home->lockfd = -1;
	home->dirfd =
	    file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &why);
	if (home->dirfd < 0 && why.sys == ENOENT) {
		(void)err_set(err, ERR_SETTING,
		    "there is no directory '%s': name the server's in "
		    "UPLOAD_DIR",
		    path);
		goto fail;
	}
	if (home->dirfd < 0) {
		(void)home_refuse(path, why.sys, err);
		goto fail;
	}
	home->path = realpath(path, NULL);
	if (home->path == NULL) {
		(void)home_refuse(path, errno, err);
		goto fail;
	}
	if (enter(home, err) < 0)
		goto fail;
	*ret_home = home;
	return 0;
fail:
	home_close(home);
	return -1;
}

int
home_attach(const char *path, struct home **ret_home, struct err *err)
{
	struct home *home;

	if (home_visit(path, &home, err) < 0)
		return -1;
	if (take_lock(home, err) < 0) {
		home_close(home);
		return -1;
	}
	*ret_home = home;
	return 0;
}

bool
home_is_served(const struct home *home)
{
	int fd =
	    file_open(home->dirfd, HOME_LOCK, O_RDONLY | O_NOFOLLOW, 0, NULL);
	bool served;

	if (fd < 0)
		return false;
	/* A server that starts in this very moment tries again. */
	served = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	file_close(fd);
	return served;
}
