/* SPDX-License-Identifier: MIT */
#include "sftd/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/home.h"

static int
find_user(const char *name, struct passwd *ret, char *text, size_t size,
    struct err *err)
{
	struct passwd *found = NULL;

	errno = getpwnam_r(name, ret, text, size, &found);
	if (found != NULL)
		return 0;
	if (errno != 0)
		return err_set_errno(
		    err, ERR_SETTING, "cannot look RUN_AS=%s up", name);
	return err_set(err, ERR_SETTING,
	    "RUN_AS=%s: there is no such user on this system", name);
}

/* A directory that root made would be closed to the user. */
static int
give_directory(const char *path, const struct passwd *user, struct err *err)
{
	bool is_new;

	if (home_make(path, &is_new, err) < 0)
		return -1;
	if (is_new && lchown(path, user->pw_uid, user->pw_gid) < 0)
		return err_set_errno(err, ERR_SETTING,
		    "cannot give '%s' to the user of RUN_AS", path);
	return 0;
}

static int
become(const struct passwd *user, struct err *err)
{
	if (initgroups(user->pw_name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return err_set_errno(err, ERR_SETTING,
		    "cannot change to the user RUN_AS=%s", user->pw_name);
	/* There must be no way back. */
	if (user->pw_uid != 0 && setresuid(0, 0, 0) == 0)
		return err_set(err, ERR_INTERNAL,
		    "the change to RUN_AS=%s could be undone", user->pw_name);
	return 0;
}

static int
assume(const struct settings *s, bool serves, struct err *err)
{
	struct passwd user;
	char text[4096];

	if (s->run_as == NULL || s->run_as[0] == '\0')
		return 0;
	if (find_user(s->run_as, &user, text, sizeof(text), err) < 0)
		return -1;
	if (geteuid() == user.pw_uid)
		return 0;
	if (geteuid() != 0)
		return err_set(err, ERR_SETTING,
		    "RUN_AS=%s: only root can change to another user; start "
		    "sftd as root or as that user, or leave RUN_AS out",
		    s->run_as);
	if (serves && give_directory(s->upload_dir, &user, err) < 0)
		return -1;
	return become(&user, err);
}

int
identity_assume(const struct settings *s, struct err *err)
{
	return assume(s, false, err);
}

int
identity_assume_server(const struct settings *s, struct err *err)
{
	return assume(s, true, err);
}
