/* SPDX-License-Identifier: MIT */
#include "storage_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "storage/local_priv.h"

/* What the contract (test_storage_contract.c) does not know of: files. */

/* "objects/xx/ID${suffix}" below the test's directory. */
static const char *
object_path(const char *id, const char *suffix)
{
	char name[100];

	snprintf(name, sizeof(name), "objects/%s/%s%s", id + ID_SIZE - 3, id,
	    suffix);
	return unit_temppath(name);
}

static const char *
below(const char *dir, const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return unit_temppath(path);
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
assert_text(const char *path, const char *text)
{
	char got[100];
	FILE *f = fopen(path, "r");

	if (f == NULL)
		fail_msg("'%s' is not there", path);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(got, text);
}

static size_t
count_entries(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

TEST(test_storage_storage_local__lies_where_it_says)
{
	struct storage *st = help_open_local(unit_tempdir());
	char id[ID_SIZE];
	struct stat info;

	help_new_id(id);
	help_publish(st, id, "hello");
	assert_text(object_path(id, ""), "hello");
	assert_int_equal(stat(object_path(id, ""), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(stat(unit_temppath("objects"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	assert_int_equal(count_entries(unit_temppath("temp")), 0);
	assert_int_equal(count_entries(unit_temppath("objects")), 256);
	storage_close(st);
}

TEST(test_storage_storage_local__stays_over_a_restart)
{
	struct storage *st = help_open_local(unit_tempdir());
	char birth[STORAGE_BIRTH_MAX + 1];
	char wanted[64];
	char id[ID_SIZE];

	help_new_id(id);
	help_publish(st, id, "hello");
	storage_close(st);
	st = help_open_local(unit_tempdir());
	help_assert_blob(st, id, "hello");
	OK(st->ops->blob_birth(st, id, birth, &err));
	snprintf(wanted, sizeof(wanted), "born %s", id);
	assert_string_equal(birth, wanted);
	storage_close(st);
}

/* Whoever can plant a link below the directory must not get us to read or
 * write elsewhere through it. */
TEST(test_storage_storage_local__follows_no_link_to_a_file)
{
	struct storage *st = help_open_local(unit_tempdir());
	const char *secret = unit_temppath("secret");
	struct storage_range range = { 0, 6 };
	char birth[STORAGE_BIRTH_MAX + 1];
	struct source *src;
	struct blob *b;
	char id[ID_SIZE];
	uint64_t size;

	write_text(secret, "secret");
	help_new_id(id);
	assert_int_equal(symlink(secret, object_path(id, "")), 0);
	FAILS(ERR_IO, st->ops->blob_open(st, id, range, &src, &err));
	FAILS(ERR_IO, st->ops->blob_size(st, id, &size, &err));
	FAILS(ERR_IO, st->ops->blob_birth(st, id, birth, &err));
	FAILS(ERR_IO, st->ops->blob_get_head(st, id, birth, 1, &err));
	FAILS(ERR_IO, st->ops->blob_set_head(st, id, "x", 1, &err));
	OK(st->ops->blob_remove(st, id, &err)); /* the link itself */
	assert_false(is_there(object_path(id, "")));

	assert_int_equal(symlink(secret, below("temp", id)), 0);
	FAILS(ERR_EXISTS, st->ops->blob_new(st, id, 1, &b, &err));
	OK(st->ops->clean_temp(st, NULL, NULL, &err));
	assert_int_equal(count_entries(unit_temppath("temp")), 0);

	/* the sidecar that a birth record would go to, or come from */
	local_of(st)->has_xattr = false;
	assert_int_equal(symlink(secret, object_path(id, ".birth")), 0);
	OK(st->ops->blob_new(st, id, 1, &b, &err));
	FAILS(ERR_IO, st->ops->blob_publish(b, 0, "birth", true, &err));
	write_text(object_path(id, ""), "");
	FAILS(ERR_IO, st->ops->blob_birth(st, id, birth, &err));
	assert_text(secret, "secret");
	storage_close(st);
}

TEST(test_storage_storage_local__follows_no_link_to_a_directory)
{
	static const char *const parts[] = { "objects", "temp", "lost",
		"objects/7f" };
	const char *away = unit_temppath("away");
	struct storage *st;
	char url[300];
	size_t i;

	snprintf(url, sizeof(url), "file:%s", unit_tempdir());
	assert_int_equal(mkdir(away, 0700), 0);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		assert_int_equal(symlink(away, unit_temppath(parts[i])), 0);
		FAILS(ERR_SETTING, storage_open(url, &st, &err));
		assert_int_equal(count_entries(away), 0);
		assert_int_equal(unlink(unit_temppath(parts[i])), 0);
		if (i == 0)
			assert_int_equal(
			    mkdir(unit_temppath("objects"), 0700), 0);
	}
}

/* Opening a pipe for reading would wait for a writer. */
TEST(test_storage_storage_local__waits_for_no_pipe)
{
	struct storage *st = help_open_local(unit_tempdir());
	struct storage_range range = { 0, 0 };
	struct source *src;
	char id[ID_SIZE];

	help_new_id(id);
	assert_int_equal(mkfifo(object_path(id, ""), 0600), 0);
	FAILS(ERR_IO, st->ops->blob_open(st, id, range, &src, &err));
	storage_close(st);
}

static int
no_blob(void *arg, const char *id, uint64_t size, struct err *err)
{
	(void)arg;
	(void)size;
	return err_set(err, ERR_INTERNAL, "'%s' was listed", id);
}

TEST(test_storage_storage_local__lists_only_blobs)
{
	struct storage *st = help_open_local(unit_tempdir());
	char id[ID_SIZE];

	help_new_id(id);
	write_text(unit_temppath("objects/README"), "");
	write_text(unit_temppath("objects/00/README"), "");
	/* in a directory that is not its own */
	id[ID_SIZE - 2] = '1';
	write_text(below("objects/00", id), "");
	id[ID_SIZE - 3] = id[ID_SIZE - 2] = '0';
	assert_int_equal(symlink("/etc/passwd", object_path(id, "")), 0);
	write_text(object_path(id, ".birth"), "");
	OK(st->ops->blob_list(st, no_blob, NULL, &err));
	storage_close(st);
}

static bool
keep_one(void *arg, const char *id)
{
	return strcmp(id, arg) == 0;
}

TEST(test_storage_storage_local__cleans_temp)
{
	struct storage *st = help_open_local(unit_tempdir());
	char kept[ID_SIZE], gone[ID_SIZE], object[ID_SIZE];

	help_new_id(kept);
	help_new_id(gone);
	help_new_id(object);
	write_text(below("temp", kept), "kept");
	write_text(below("temp", gone), "gone");
	write_text(unit_temppath("temp/notes.txt"), "somebody's");
	help_publish(st, object, "object");
	OK(st->ops->clean_temp(st, keep_one, kept, &err));
	assert_true(is_there(below("temp", kept)));
	assert_false(is_there(below("temp", gone)));
	assert_true(is_there(unit_temppath("temp/notes.txt")));
	help_assert_blob(st, object, "object");
	storage_close(st);
}

/* With its birth record, and over nothing that is there. */
static void
set_aside_thrice(bool has_xattr)
{
	struct storage *st = help_open_local(unit_tempdir());
	char birth[64], name[64];
	char id[ID_SIZE];

	local_of(st)->has_xattr = has_xattr;
	help_new_id(id);
	snprintf(birth, sizeof(birth), "born %s", id);
	help_publish(st, id, "one");
	OK(st->ops->blob_set_aside(st, id, &err));
	help_publish(st, id, "two");
	OK(st->ops->blob_set_aside(st, id, &err));
	help_publish(st, id, "three");
	OK(st->ops->blob_set_aside(st, id, &err));
	assert_text(below("lost", id), "one");
	snprintf(name, sizeof(name), "%s.1", id);
	assert_text(below("lost", name), "two");
	snprintf(name, sizeof(name), "%s.2", id);
	assert_text(below("lost", name), "three");
	snprintf(name, sizeof(name), "%s.2.birth", id);
	assert_int_equal(is_there(below("lost", name)), !has_xattr);
	if (!has_xattr)
		assert_text(below("lost", name), birth);
	assert_false(is_there(object_path(id, ".birth")));
	storage_close(st);
}

TEST(test_storage_storage_local__sets_aside_with_attribute)
{
	set_aside_thrice(true);
}

TEST(test_storage_storage_local__sets_aside_with_sidecar)
{
	set_aside_thrice(false);
}

/* A crash between sidecar and blob leaves one without the other. */
TEST(test_storage_storage_local__half_set_aside_comes_together)
{
	struct storage *st = help_open_local(unit_tempdir());
	char id[ID_SIZE], name[64];

	local_of(st)->has_xattr = false;
	help_new_id(id);
	help_publish(st, id, "one");
	snprintf(name, sizeof(name), "%s.birth", id);
	assert_int_equal(
	    rename(object_path(id, ".birth"), below("lost", name)), 0);
	OK(st->ops->blob_set_aside(st, id, &err));
	assert_text(below("lost", id), "one");
	snprintf(name, sizeof(name), "%s.birth", id);
	assert_true(is_there(below("lost", name)));
	storage_close(st);
}

TEST(test_storage_storage_local__sidecar_goes_with_its_blob)
{
	struct storage *st = help_open_local(unit_tempdir());
	struct blob *b;
	char id[ID_SIZE];

	local_of(st)->has_xattr = false;
	help_new_id(id);
	write_text(object_path(id, ".birth"), "of a crash");
	help_publish(st, id, "one");
	/* a second one with this id leaves the first's alone */
	OK(st->ops->blob_new(st, id, 1, &b, &err));
	FAILS(ERR_EXISTS, st->ops->blob_publish(b, 0, "no", true, &err));
	assert_true(is_there(object_path(id, ".birth")));
	OK(st->ops->blob_remove(st, id, &err));
	assert_false(is_there(object_path(id, ".birth")));
	storage_close(st);
}

/* The descriptor of temp/ID. */
static int
descriptor_of(const char *id)
{
	char link[64];
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	for (fd = 0; fd < 1024; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n > 0 ? n : 0] = '\0';
		if (strstr(path, id) != NULL)
			return fd;
	}
	fail_msg("nothing has '%s' open", id);
	return -1;
}

/* Puts what cannot be synced, a pipe, in the place of the blob's file. */
static void
break_blob(const char *id)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(dup2(fds[1], descriptor_of(id)) >= 0);
	close(fds[0]);
	close(fds[1]);
}

/* Rule 4: what failed to sync is not tried again, and not published. */
TEST(test_storage_storage_local__failed_sync_is_final)
{
	struct storage *st = help_open_local(unit_tempdir());
	struct blob *b;
	char id[ID_SIZE];
	int fd, keep;

	help_new_id(id);
	OK(st->ops->blob_new(st, id, 1, &b, &err));
	OK(b->ops->blob_write_at(b, 0, "x", 1, &err));
	fd = descriptor_of(id);
	keep = dup(fd);
	break_blob(id);
	FAILS(ERR_IO, b->ops->blob_sync(b, &err));
	/* it works again, and that is too late */
	assert_true(dup2(keep, fd) >= 0);
	close(keep);
	FAILS(ERR_IO, b->ops->blob_sync(b, &err));
	FAILS(ERR_IO, b->ops->blob_write_at(b, 1, "y", 1, &err));
	FAILS(ERR_IO, b->ops->blob_publish(b, 1, "birth", true, &err));
	assert_int_equal(count_entries(unit_temppath("temp")), 0);
	OK(st->ops->blob_list(st, no_blob, NULL, &err));
	storage_close(st);
}

TEST(test_storage_storage_local__failed_publish_leaves_nothing)
{
	struct storage *st = help_open_local(unit_tempdir());
	struct blob *b;
	char id[ID_SIZE];

	help_new_id(id);
	OK(st->ops->blob_new(st, id, 1, &b, &err));
	OK(b->ops->blob_write_at(b, 0, "x", 1, &err));
	break_blob(id);
	FAILS(ERR_IO, b->ops->blob_publish(b, 1, "birth", true, &err));
	assert_int_equal(count_entries(unit_temppath("temp")), 0);
	assert_false(is_there(object_path(id, "")));
	assert_false(is_there(object_path(id, ".birth")));
	storage_close(st);
}

/* More than the windows of early write-back, in every order. */
TEST(test_storage_storage_local__large_blob_is_whole)
{
	enum { STEP = 1024 * 1024, STEPS = 72 };
	struct storage *st = help_open_local(unit_tempdir());
	unsigned char *p = malloc(STEP);
	struct storage_range range = { 0, (uint64_t)STEP * STEPS };
	struct err why = ERR_INIT;
	struct source *src;
	struct blob *b;
	char id[ID_SIZE];
	int i;

	assert_non_null(p);
	help_new_id(id);
	OK(st->ops->blob_new(st, id, range.length, &b, &err));
	for (i = 0; i < STEPS; i++) {
		/* 71, 0, 70, 1, ... */
		int at = i % 2 == 0 ? STEPS - 1 - i / 2 : i / 2;

		memset(p, at, STEP);
		OK(b->ops->blob_write_at(
		    b, (uint64_t)at * STEP, p, STEP, &err));
	}
	OK(st->ops->blob_publish(b, range.length, "", true, &err));
	OK(st->ops->blob_open(st, id, range, &src, &err));
	for (i = 0; i < STEPS; i++) {
		assert_int_equal(source_read_full(src, p, STEP, &why), STEP);
		assert_int_equal(p[0], i);
		assert_memory_equal(p, p + 1, STEP - 1);
	}
	source_close(src);
	storage_close(st);
	free(p);
}

/* In a child on 4 MiB, with rights and limits that only it has. */
static void
fill_disk(const char *path)
{
	struct err err = ERR_INIT;
	struct storage *st;
	struct blob *b;
	char url[300], id[ID_SIZE];
	char *p = calloc(1, 1024 * 1024);
	uint64_t at, bytes;

	CHILD_CHECK(p != NULL);
	snprintf(url, sizeof(url), "file:%s", path);
	CHILD_CHECK(storage_open(url, &st, &err) == 0);
	help_new_id(id);
	CHILD_CHECK(
	    st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &b, &err) == 0);
	for (at = 0; at < 8; at++) {
		if (st->ops->blob_write_at(
		        b, at * 1024 * 1024, p, 1024 * 1024, &err) < 0)
			break;
	}
	CHILD_CHECK(at <= 4);
	CHILD_CHECK(err.code == ERR_STORAGE_FULL);
	CHILD_CHECK(strstr(err.msg, path) == NULL);
	CHILD_CHECK(st->ops->free_space(st, &bytes, &err) == 0);
	CHILD_CHECK(bytes < 1024 * 1024);
	/* and there is room again */
	st->ops->blob_abort(b);
	CHILD_CHECK(st->ops->free_space(st, &bytes, &err) == 0);
	CHILD_CHECK(bytes > 2 * 1024 * 1024);
	CHILD_CHECK(st->ops->blob_new(st, id, 1, &b, &err) == 0);
	CHILD_CHECK(st->ops->blob_publish(b, 0, "", true, &err) == 0);
	storage_close(st);
	free(p);
}

TEST(test_storage_storage_local__full_disk)
{
	help_on_small_disk(fill_disk, unit_tempdir());
}

/* What can be reserved is refused before a byte is written. */
TEST(test_storage_storage_local__too_large_for_the_disk)
{
	struct storage *st = help_open_local(unit_tempdir());
	uint64_t bytes = 0;
	struct blob *b;
	char id[ID_SIZE];

	if (!st->ops->caps(st)->reserves) {
		storage_close(st);
		print_message("space cannot be reserved here\n");
		skip();
	}
	help_new_id(id);
	OK(st->ops->free_space(st, &bytes, &err));
	FAILS(ERR_FILE_TOO_LARGE,
	    st->ops->blob_new(st, id, UINT64_MAX - 1, &b, &err));
	assert_int_equal(st->ops->blob_new(st, id, 2 * bytes, &b, NULL), -1);
	assert_int_equal(count_entries(unit_temppath("temp")), 0);
	storage_close(st);
}

static void
make_read_only(const char *path)
{
	struct err err = ERR_INIT;
	struct storage *st;
	struct blob *b;
	char url[300], id[ID_SIZE];

	snprintf(url, sizeof(url), "file:%s", path);
	CHILD_CHECK(storage_open(url, &st, &err) == 0);
	help_remount_read_only(path);
	help_new_id(id);
	CHILD_CHECK(st->ops->blob_new(st, id, 0, &b, &err) < 0);
	CHILD_CHECK(err.code == ERR_IO);
	storage_close(st);
}

TEST(test_storage_storage_local__read_only_disk)
{
	help_on_small_disk(make_read_only, unit_tempdir());
}

#ifdef SFT_FAULTS

/* Publishes over what is in the directory, and dies on the way. */
static char crash_id[ID_SIZE];
static const char *crash_point;
static bool crash_has_xattr;

static void
publish_and_crash(const char *path)
{
	struct err err = ERR_INIT;
	struct storage *st;
	struct blob *b;
	char url[300];

	(void)setenv("SFT_FAULT", crash_point, 1);
	snprintf(url, sizeof(url), "file:%s", path);
	CHILD_CHECK(storage_open(url, &st, &err) == 0);
	local_of(st)->has_xattr = crash_has_xattr;
	CHILD_CHECK(st->ops->blob_new(st, crash_id, 5, &b, &err) == 0);
	CHILD_CHECK(b->ops->blob_write_at(b, 0, "hello", 5, &err) == 0);
	CHILD_CHECK(st->ops->blob_publish(b, 5, "birth", true, &err) == 0);
}

/* Either whole, with its birth record, or not there. */
static void
crash_at(const char *point, bool is_visible)
{
	char birth[STORAGE_BIRTH_MAX + 1];
	struct storage *st;
	char before[ID_SIZE];
	int status;

	help_new_id(before);
	help_new_id(crash_id);
	crash_point = point;
	st = help_open_local(unit_tempdir());
	local_of(st)->has_xattr = crash_has_xattr;
	help_publish(st, before, "before");
	status = help_in_child(publish_and_crash, unit_tempdir());
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	OK(st->ops->clean_temp(st, NULL, NULL, &err));
	assert_int_equal(count_entries(unit_temppath("temp")), 0);
	if (is_visible) {
		help_assert_blob(st, crash_id, "hello");
		OK(st->ops->blob_birth(st, crash_id, birth, &err));
		assert_string_equal(birth, "birth");
	} else {
		assert_false(is_there(object_path(crash_id, "")));
		/* and the id is not spoilt */
		help_publish(st, crash_id, "again");
		help_assert_blob(st, crash_id, "again");
	}
	help_assert_blob(st, before, "before");
	storage_close(st);
}

static void
crash_everywhere(bool has_xattr)
{
	crash_has_xattr = has_xattr;
	crash_at("publish.begin", false);
	crash_at("publish.birth", false);
	crash_at("publish.synced", false);
	crash_at("publish.renamed", true);
	crash_at("publish.dir_synced", true);
}

TEST(test_storage_storage_local__crash_with_attribute)
{
	crash_everywhere(true);
}

TEST(test_storage_storage_local__crash_with_sidecar)
{
	crash_everywhere(false);
}

#endif
