/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "storage/home_priv.h"

#define NAMES_SHOWN 3
#define NAMES_MAX 100 /* bytes, of a message that should stay a line */

/* May be in a directory that counts as empty: what a new file system has,
 * and what we leave when we end before FORMAT is written. */
static bool
is_expected(const char *name)
{
	static const char *const expected[] = {
		".",
		"..",
		"lost+found",
		"lock",
		"FORMAT.tmp",
	};
	size_t i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (strcmp(name, expected[i]) == 0)
			return true;
	}
	return false;
}

/* Names the first few things in ${dir} and counts them all. */
static size_t
gather(DIR *dir, struct buf *names)
{
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir)) != NULL) {
		if (is_expected(entry->d_name))
			continue;
		/* One that does not fit is counted all the same. */
		if (n++ < NAMES_SHOWN)
			(void)buf_printf(names, "%s'%s'",
			    names->len > 0 ? ", " : "", entry->d_name);
	}
	return n;
}

static int
say_foreign(
    const struct home *home, struct buf *names, size_t n, struct err *err)
{
	return err_set(err, ERR_SETTING,
	    "'%s' is not a server's directory: it has no file FORMAT, but "
	    "%s%s; name an empty or a new one in UPLOAD_DIR",
	    home->path, names->len > 0 ? buf_str(names) : "other files",
	    n > NAMES_SHOWN ? " and more" : "");
}

int
home_check_empty(const struct home *home, struct err *err)
{
	struct buf names;
	DIR *dir;
	size_t n;
	int fd;

	fd = file_open(home->dirfd, ".", O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL) {
		file_close(fd);
		return err_set_errno(
		    err, ERR_SETTING, "cannot list '%s'", home->path);
	}
	buf_init(&names, NAMES_MAX);
	n = gather(dir, &names);
	(void)closedir(dir);
	if (n > 0)
		(void)say_foreign(home, &names, n, err);
	buf_fini(&names);
	return n > 0 ? -1 : 0;
}
