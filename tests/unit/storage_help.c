/* SPDX-License-Identifier: MIT */
#include "storage_help.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"

#define NOT_PERMITTED 77

void
help_new_id(char ret[ID_SIZE])
{
	id_new(clock_wall_ms(clock_system()), ret);
}

void
help_publish(struct storage *st, const char *id, const char *text)
{
	size_t n = strlen(text);
	char birth[64];
	struct blob *b;

	snprintf(birth, sizeof(birth), "born %s", id);
	OK(st->ops->blob_new(st, id, n, &b, &err));
	OK(st->ops->blob_write_at(b, 0, text, n, &err));
	OK(st->ops->blob_publish(b, n, birth, true, &err));
}

void
help_assert_blob(struct storage *st, const char *id, const char *text)
{
	size_t n = strlen(text);
	char *p = malloc(n + 1);
	struct source *src;
	struct err why = ERR_INIT;
	uint64_t size;

	assert_non_null(p);
	OK(st->ops->blob_size(st, id, &size, &err));
	assert_int_equal(size, n);
	OK(st->ops->blob_open(
	    st, id, (struct storage_range){ 0, n }, &src, &err));
	assert_int_equal(source_read_full(src, p, n + 1, &why), n);
	assert_memory_equal(p, text, n);
	source_close(src);
	free(p);
}

struct storage *
help_open_local(const char *path)
{
	struct storage *st;
	char url[300];

	snprintf(url, sizeof(url), "file:%s", path);
	OK(storage_open(url, &st, &err));
	return st;
}

int
help_in_child(void (*body)(const char *path), const char *path)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		body(path);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* What the child of help_on_small_disk() does first. */
static void (*small_disk_body)(const char *path);

static void
run_on_small_disk(const char *path)
{
	int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);

	/* A mount of its own, that ends with it. */
	if (unshare(flags) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", path, "tmpfs", 0, "size=4m") < 0)
		_exit(NOT_PERMITTED);
	small_disk_body(path);
}

void
help_on_small_disk(void (*body)(const char *path), const char *path)
{
	int status;

	small_disk_body = body;
	status = help_in_child(run_on_small_disk, path);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_PERMITTED) {
		print_message("a mount of its own is not permitted here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

void
help_remount_read_only(const char *path)
{
	CHILD_CHECK(
	    mount("none", path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
}
