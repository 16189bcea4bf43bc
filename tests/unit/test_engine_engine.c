/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/status.h"
#include "engine_fixture.h"
#include "unit.h"

/* A server's directory, opened and closed as often as a test likes. */
struct place {
	struct fixture f; /* its engine is the opened one */
	struct engine_report report;
	char dir[512];
	char status_file[512];
};

static void
place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->dir, sizeof(p->dir), "%s", unit_temppath("files"));
	(void)snprintf(p->status_file, sizeof(p->status_file), "%s",
	    unit_temppath("status.json"));
	clock_manual_init(&p->f.clock, 1700000000000);
	p->f.settings.upload_dir = p->dir;
	p->f.settings.log_file = p->status_file;
	p->f.settings.max_file_size = 1000000;
	p->f.settings.queue_keep_seconds = 300;
	p->f.client.ip = "192.0.2.1";
	auth_anonymous(&p->f.who);
}

static void
fatal(const struct err *e)
{
	(void)fprintf(stderr, "fatal: %s\n", e->msg);
	abort();
}

static int
try_open(struct place *p, struct err *err)
{
	const struct engine_config cf = {
		.settings = &p->f.settings,
		.clock = &p->f.clock.clock,
		.fatal = fatal,
	};

	return engine_open(&cf, &p->f.engine, &p->report, err);
}

static void
place_open(struct place *p)
{
	struct err err = ERR_INIT;

	/* The next run is later. */
	clock_manual_advance(&p->f.clock, 60000);
	if (try_open(p, &err) < 0)
		fail_msg("%s", err.msg);
}

static void
place_close(struct place *p)
{
	engine_close(p->f.engine);
	p->f.engine = NULL;
}

static void
open_fails(struct place *p, const char *why)
{
	struct err err = ERR_INIT;

	assert_int_equal(try_open(p, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	if (strstr(err.msg, why) == NULL)
		fail_msg("'%s' lacks '%s'", err.msg, why);
}

/* "<dir>/<part>", valid until the next call. */
static const char *
part(const struct place *p, const char *name)
{
	static char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	return path;
}

static void
write_part(const struct place *p, const char *name, const char *text)
{
	const struct file_content content = {
		.p = text,
		.n = strlen(text),
		.mode = 0600,
	};
	struct err err = ERR_INIT;

	if (file_replace(AT_FDCWD, part(p, name), &content, &err) < 0)
		fail_msg("%s", err.msg);
}

static bool
has_part(const struct place *p, const char *name)
{
	return access(part(p, name), F_OK) == 0;
}

static void
holds(struct place *p, const char *filename, const char *text)
{
	char *got = fixture_get(&p->f, filename);

	assert_non_null(got);
	assert_string_equal(got, text);
	free(got);
}

static void
remove_database(const struct place *p)
{
	static const char *const names[] = {
		"records.db",
		"records.db-wal",
		"records.db-shm",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(part(p, names[i]));
	assert_false(has_part(p, "records.db"));
}

static int
is_backup(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Removes the copies of the database but for the oldest ${keep}; returns how
 * many there were. */
static int
keep_backups(const struct place *p, int keep)
{
	struct dirent **names;
	char name[512];
	int i, n;

	n = scandir(part(p, "backups"), &names, is_backup, alphasort);
	assert_true(n >= 0);
	for (i = 0; i < n; i++) {
		(void)snprintf(
		    name, sizeof(name), "backups/%s", names[i]->d_name);
		if (i >= keep)
			assert_int_equal(unlink(part(p, name)), 0);
		free(names[i]);
	}
	free(names);
	return n;
}

/* As a person may do it: the oldest copy in the database's place. */
static void
put_backup_back(const struct place *p)
{
	struct dirent **names;
	char name[512], to[1024];
	int i, n;

	n = scandir(part(p, "backups"), &names, is_backup, alphasort);
	assert_true(n > 0);
	(void)snprintf(name, sizeof(name), "backups/%s", names[0]->d_name);
	(void)snprintf(to, sizeof(to), "%s", part(p, "records.db"));
	assert_int_equal(rename(part(p, name), to), 0);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* --- the first admin key ------------------------------------------------- */

static void
read_key(const struct place *p, char ret[128])
{
	struct err err = ERR_INIT;
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(
	    file_read_all(AT_FDCWD, part(p, "admin.key"), &b, &err), 0);
	(void)snprintf(
	    ret, 128, "%.*s", (int)strcspn(buf_str(&b), "\n"), buf_str(&b));
	buf_fini(&b);
}

static bool
is_admin(struct place *p, const char *key)
{
	struct principal who;
	struct err err = ERR_INIT;

	return auth_check(p->f.engine->auth, slice_str(key), &who, &err) == 0 &&
	       auth_allows(&who, AUTH_ADMIN);
}

TEST(test_engine_engine__first_start_makes_a_key_that_stays)
{
	char key[128], again[128];
	struct place p;
	struct stat st;

	place_init(&p);
	place_open(&p);
	assert_true(p.report.db.is_new);
	assert_true(p.report.made_admin_key);
	assert_true(p.report.admin_key_in_file);
	assert_int_equal(stat(part(&p, "admin.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	read_key(&p, key);
	assert_true(is_admin(&p, key));
	assert_false(is_admin(&p, "another-key-0123456"));
	place_close(&p);

	place_open(&p);
	assert_false(p.report.db.is_new);
	assert_false(p.report.made_admin_key);
	assert_true(p.report.admin_key_in_file);
	read_key(&p, again);
	assert_string_equal(again, key);
	assert_true(is_admin(&p, key));
	place_close(&p);
}

TEST(test_engine_engine__key_of_the_settings_needs_no_file)
{
	char key[] = "key-of-the-settings";
	struct place p;

	place_init(&p);
	p.f.settings.admin_api_key = key;
	place_open(&p);
	assert_false(p.report.made_admin_key);
	assert_false(p.report.admin_key_in_file);
	assert_false(has_part(&p, "admin.key"));
	assert_true(is_admin(&p, key));
	place_close(&p);
}

TEST(test_engine_engine__takes_a_key_that_a_person_wrote)
{
	static const char *const texts[] = {
		"0123456789abcdef",
		"0123456789abcdef\n",
		"  0123456789abcdef \t\r\n\n",
	};
	struct place p;
	size_t i;

	place_init(&p);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		place_open(&p);
		place_close(&p);
		write_part(&p, "admin.key", texts[i]);
		place_open(&p);
		assert_true(is_admin(&p, "0123456789abcdef"));
		place_close(&p);
	}
}

TEST(test_engine_engine__refuses_a_file_without_a_key)
{
	static const char *const texts[] = { "", "\n", "0123456789abcde\n" };
	struct place p;
	size_t i;

	place_init(&p);
	place_open(&p);
	place_close(&p);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_part(&p, "admin.key", texts[i]);
		open_fails(&p, "admin.key' holds no key");
	}
}

/* --- what stays ------------------------------------------------------------
 */

TEST(test_engine_engine__one_directory_has_one_server)
{
	struct place p, second;

	place_init(&p);
	place_init(&second);
	place_open(&p);
	open_fails(&second, "in use by another server");
	fixture_put(&p.f, "a", "still served");
	holds(&p, "a", "still served");
	place_close(&p);
	place_open(&second);
	place_close(&second);
}

TEST(test_engine_engine__files_outlive_the_run_and_every_end_is_backed_up)
{
	struct place p;

	place_init(&p);
	place_open(&p);
	fixture_put(&p.f, "a", "one");
	place_close(&p);
	assert_int_equal(keep_backups(&p, 99), 1);
	place_open(&p);
	assert_false(p.report.db.was_unclean);
	assert_int_equal(p.report.rebuilt, 0);
	assert_int_equal(p.report.interrupted, 0);
	holds(&p, "a", "one");
	place_close(&p);
	assert_int_equal(keep_backups(&p, 99), 2);
	/* Nothing was recorded: a copy would only push an older one out. */
	place_open(&p);
	place_close(&p);
	assert_int_equal(keep_backups(&p, 99), 2);
	/* There is none. */
	(void)keep_backups(&p, 0);
	place_open(&p);
	place_close(&p);
	assert_int_equal(keep_backups(&p, 99), 1);
}

TEST(test_engine_engine__a_start_that_fails_backs_nothing_up)
{
	struct place p;

	place_init(&p);
	place_open(&p);
	fixture_put(&p.f, "a", "one");
	place_close(&p);
	(void)keep_backups(&p, 0);
	write_part(&p, "admin.key", "short");
	open_fails(&p, "holds no key");
	assert_int_equal(keep_backups(&p, 99), 0);
}

static int
put_running(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_transfer_put(tx, arg, err);
}

TEST(test_engine_engine__what_the_last_run_left_running_is_interrupted)
{
	char name[] = "half.bin";
	char ip[] = "192.0.2.1";
	struct rec_transfer t = {
		.direction = REC_UPLOAD,
		.status = REC_UPLOADING,
		.filename = name,
		.total = 1000,
		.transferred = 10,
		.client_ip = ip,
		.created_ms = 1700000000000,
		.updated_ms = 1700000000000,
	};
	struct transfer_view v;
	struct err err = ERR_INIT;
	char half[ID_SIZE + 8];
	struct place p;

	place_init(&p);
	place_open(&p);
	id_new(t.created_ms, t.id);
	assert_int_equal(db_write(p.f.engine->db, put_running, &t, &err), 0);
	place_close(&p);
	(void)snprintf(half, sizeof(half), "temp/%s", t.id);
	write_part(&p, half, "half of it");

	place_open(&p);
	assert_int_equal(p.report.interrupted, 1);
	assert_false(has_part(&p, half));
	assert_int_equal(
	    status_of(p.f.engine, &p.f.who, "half.bin", &v, &err), 0);
	assert_int_equal(v.rec.status, REC_INTERRUPTED);
	assert_non_null(v.rec.error);
	transfer_view_fini(&v);
	place_close(&p);
}

/* --- what was lost comes back -----------------------------------------------
 */

TEST(test_engine_engine__without_a_database_files_are_rebuilt)
{
	struct place p;

	place_init(&p);
	place_open(&p);
	fixture_put(&p.f, "a/b", "bee");
	fixture_put(&p.f, "c", "old");
	fixture_put(&p.f, "c", "sea");
	place_close(&p);
	remove_database(&p);
	(void)keep_backups(&p, 0);

	place_open(&p);
	assert_true(p.report.db.is_new);
	assert_true(p.report.rebuilt >= 2);
	holds(&p, "a/b", "bee");
	holds(&p, "c", "sea");
	place_close(&p);
}

TEST(test_engine_engine__an_old_copy_is_completed_from_the_objects)
{
	struct place p;

	place_init(&p);
	place_open(&p);
	fixture_put(&p.f, "kept", "as it was");
	fixture_put(&p.f, "replaced", "old");
	place_close(&p);
	place_open(&p);
	fixture_put(&p.f, "replaced", "new");
	fixture_put(&p.f, "added", "later");
	place_close(&p);
	remove_database(&p);
	assert_int_equal(keep_backups(&p, 1), 2);

	place_open(&p);
	assert_true(p.report.db.from_backup);
	assert_int_equal(p.report.rebuilt, 2);
	holds(&p, "kept", "as it was");
	holds(&p, "replaced", "new");
	holds(&p, "added", "later");
	place_close(&p);
}

TEST(test_engine_engine__a_backup_put_back_by_hand_is_completed)
{
	struct place p;

	place_init(&p);
	place_open(&p);
	fixture_put(&p.f, "replaced", "old");
	place_close(&p);
	place_open(&p);
	fixture_put(&p.f, "replaced", "new");
	fixture_put(&p.f, "added", "later");
	place_close(&p);
	remove_database(&p);
	put_backup_back(&p);

	place_open(&p);
	assert_false(p.report.db.from_backup);
	assert_true(p.report.db.is_incomplete);
	assert_int_equal(p.report.rebuilt, 2);
	holds(&p, "replaced", "new");
	holds(&p, "added", "later");
	place_close(&p);
	place_open(&p);
	assert_false(p.report.db.is_incomplete);
	assert_int_equal(p.report.rebuilt, 0);
	place_close(&p);
}

static void
copy_part(const struct place *p, const char *from, const char *to)
{
	struct file_content content = { .mode = 0600 };
	struct err err = ERR_INIT;
	struct buf b;

	buf_init(&b, 16u << 20);
	if (file_read_all(AT_FDCWD, part(p, from), &b, &err) < 0)
		fail_msg("%s", err.msg);
	content.p = b.p;
	content.n = b.len;
	if (file_replace(AT_FDCWD, part(p, to), &content, &err) < 0)
		fail_msg("%s", err.msg);
	buf_fini(&b);
}

/* Last night's copy, put back by a person, costs nothing of today's. */
TEST(test_engine_engine__a_copy_put_back_by_hand_is_completed)
{
	struct place p;

	place_init(&p);
	place_open(&p);
	fixture_put(&p.f, "kept", "as it was");
	fixture_put(&p.f, "replaced", "old");
	place_close(&p);
	copy_part(&p, "records.db", "saved.db");
	place_open(&p);
	assert_false(p.report.db.is_other);
	fixture_put(&p.f, "replaced", "new");
	fixture_put(&p.f, "added", "later");
	place_close(&p);
	copy_part(&p, "saved.db", "records.db");

	place_open(&p);
	assert_true(p.report.db.is_other);
	assert_int_equal(p.report.rebuilt, 2);
	holds(&p, "kept", "as it was");
	holds(&p, "replaced", "new");
	holds(&p, "added", "later");
	place_close(&p);
	place_open(&p);
	assert_false(p.report.db.is_other);
	assert_false(p.report.db.is_incomplete);
	assert_int_equal(p.report.rebuilt, 0);
	place_close(&p);
}

TEST(test_engine_engine__a_damaged_database_is_set_aside_and_restored)
{
	char name[300];
	struct place p;

	place_init(&p);
	place_open(&p);
	fixture_put(&p.f, "a", "one");
	place_close(&p);
	write_part(&p, "records.db", "this is no database at all");

	place_open(&p);
	assert_true(p.report.db.was_damaged);
	assert_true(p.report.db.from_backup);
	holds(&p, "a", "one");
	(void)snprintf(name, sizeof(name), "%s", p.report.db.set_aside);
	assert_true(has_part(&p, name));
	place_close(&p);
}

TEST(test_engine_engine__a_damaged_status_file_does_not_stop_the_start)
{
	const struct file_content content = { .p = "{", .n = 1, .mode = 0600 };
	struct place p;

	place_init(&p);
	assert_int_equal(
	    file_replace(AT_FDCWD, p.status_file, &content, NULL), 0);
	place_open(&p);
	assert_int_equal(p.report.status_file.code, ERR_INVALID_JSON);
	assert_int_equal(access(p.status_file, F_OK), -1);
	place_close(&p);
}

/* --- the ballast -------------------------------------------------------------
 */

/* The disk is full as long as the ballast lies on it. */
static int
write_on_full_disk(struct db_tx *tx, void *arg, struct err *err)
{
	(void)tx;
	if (has_part(arg, "ballast"))
		return err_set(err, ERR_STORAGE_FULL, "the storage is full");
	return 0;
}

static int
write_nowhere(struct db_tx *tx, void *arg, struct err *err)
{
	(void)tx;
	++*(int *)arg;
	return err_set(err, ERR_FILE_NOT_FOUND, "no");
}

TEST(test_engine_engine__gives_its_ballast_up_for_a_write)
{
	struct err err = ERR_INIT;
	struct place p;
	int calls = 0;

	place_init(&p);
	place_open(&p);
	if (!has_part(&p, "ballast"))
		write_part(&p, "ballast", "a disk too small for one");
	/* Another failure is no reason to. */
	assert_int_equal(
	    engine_write(p.f.engine, write_nowhere, &calls, &err), -1);
	assert_int_equal(err.code, ERR_FILE_NOT_FOUND);
	assert_int_equal(calls, 1);
	assert_true(has_part(&p, "ballast"));
	err_clear(&err);
	assert_int_equal(
	    engine_write(p.f.engine, write_on_full_disk, &p, &err), 0);
	assert_int_equal(err.code, ERR_NONE);
	place_close(&p);
}
