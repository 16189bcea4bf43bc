/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/local_priv.h"

/* A stream over the directory that leaves ${dirfd} alone. */
static DIR *
open_dir(int dirfd, const char *name, struct err *err)
{
	DIR *dir;
	int fd;

	fd = file_open(dirfd, ".", O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)err_set_errno(err, ERR_IO, "cannot list '%s'", name);
		file_close(fd);
	}
	return dir;
}

/* The next name, NULL at the end or, with -1 in *ret_rc, on an error. */
static const char *
next_name(DIR *dir, const char *what, int *ret_rc, struct err *err)
{
	struct dirent *entry;

	errno = 0;
	entry = readdir(dir);
	if (entry != NULL)
		return entry->d_name;
	if (errno != 0)
		*ret_rc = err_set_errno(err, ERR_IO, "cannot list '%s'", what);
	return NULL;
}

struct visit {
	struct local *local;
	storage_list_fn fn;
	void *arg;
};

/* Calls back for ${name} when it is a blob of that directory. */
static int
visit_entry(
    const struct visit *v, int shardfd, const char *name, struct err *err)
{
	struct stat st;

	if (!id_is_valid(name) || local_shard(v->local, name) != shardfd)
		return 0;
	if (fstatat(shardfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0; /* removed meanwhile */
		return err_set_errno(err, ERR_IO, "cannot look at '%s'", name);
	}
	if (!S_ISREG(st.st_mode))
		return 0;
	return v->fn(v->arg, name, (uint64_t)st.st_size, err);
}

static int
visit_shard(const struct visit *v, int shardfd, struct err *err)
{
	const char *name;
	DIR *dir;
	int rc = 0;

	dir = open_dir(shardfd, "objects", err);
	if (dir == NULL)
		return -1;
	while (rc == 0) {
		name = next_name(dir, "objects", &rc, err);
		if (name == NULL)
			break;
		rc = visit_entry(v, shardfd, name, err);
	}
	(void)closedir(dir);
	return rc;
}

int
local_list_blobs(
    struct storage *st, storage_list_fn fn, void *arg, struct err *err)
{
	struct visit v = { local_of(st), fn, arg };
	int rc = 0;
	int i;

	for (i = 0; i < LOCAL_SHARDS && rc == 0; i++)
		rc = visit_shard(&v, v.local->shardfd[i], err);
	return rc;
}

int
local_list_clean_temp(struct storage *st,
    bool (*keep)(void *arg, const char *id), void *arg, struct err *err)
{
	struct local *l = local_of(st);
	const char *name;
	DIR *dir;
	int rc = 0;

	dir = open_dir(l->tempfd, "temp", err);
	if (dir == NULL)
		return -1;
	while (rc == 0) {
		name = next_name(dir, "temp", &rc, err);
		if (name == NULL)
			break;
		/* What has another name is not ours to remove. */
		if (!id_is_valid(name) || (keep != NULL && keep(arg, name)))
			continue;
		if (unlinkat(l->tempfd, name, 0) < 0 && errno != ENOENT)
			rc = err_set_errno(
			    err, ERR_IO, "cannot remove 'temp/%s'", name);
	}
	(void)closedir(dir);
	return rc;
}
