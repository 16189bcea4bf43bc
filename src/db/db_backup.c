/* SPDX-License-Identifier: MIT */

/*
 * Backups: "records-<UTC time>.db" in a directory of their own.  One is
 * written under another name, synced, checked and only then renamed, so every
 * file of that name was sound once.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "db/db_priv.h"

#include <fcntl.h>

#define BEFORE "records-"
#define AFTER ".db"
#define TEMP_AFTER ".db.tmp"

/* --- names ------------------------------------------------------------ */

static bool
has_form(const char *name, const char *after)
{
	size_t n = strlen(name);

	return n == strlen(BEFORE) + DB_STAMP_SIZE - 1 + strlen(after) &&
	       strncmp(name, BEFORE, strlen(BEFORE)) == 0 &&
	       strcmp(name + n - strlen(after), after) == 0;
}

static int
is_backup(const struct dirent *e)
{
	return has_form(e->d_name, AFTER);
}

static int
is_temp(const struct dirent *e)
{
	return has_form(e->d_name, TEMP_AFTER);
}

/* Newest first: the names sort as their times do. */
static int
compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*b)->d_name, (*a)->d_name);
}

struct names {
	struct dirent **at;
	size_t count;
};

static int
list_names(const char *dir, int (*is_wanted)(const struct dirent *e),
    struct names *ret, struct err *err)
{
	struct dirent **at = NULL;
	int n;

	n = scandir(dir, &at, is_wanted, compare);
	if (n < 0 && errno == ENOENT)
		n = 0;
	if (n < 0)
		return err_set_errno(err, ERR_IO, "cannot list '%s'", dir);
	*ret = (struct names){ at, (size_t)n };
	return 0;
}

static void
free_names(struct names *names)
{
	while (names->count > 0)
		free(names->at[--names->count]);
	free(names->at);
	names->at = NULL;
}

/* Removes all but the first ${keep}. */
static int
remove_all_but(const char *dir, int (*is_wanted)(const struct dirent *e),
    size_t keep, struct err *err)
{
	struct names names = { NULL, 0 };
	char *path;
	int rc = 0;
	size_t i;

	if (list_names(dir, is_wanted, &names, err) < 0)
		return -1;
	for (i = keep; rc == 0 && i < names.count; i++) {
		path = mem_printf("%s/%s", dir, names.at[i]->d_name);
		rc = db_file_remove(path, err);
		free(path);
	}
	free_names(&names);
	return rc;
}

/* --- making one ------------------------------------------------------- */

/* Whoever puts it back, we or a person, has to look for what came later. */
static int
mark_incomplete(
    const struct db_driver *driver, const char *path, struct err *err)
{
	struct db_conn_config cf = { path, DB_ROLE_MAKER };
	struct db_conn *conn;
	struct db_tx *tx;
	int rc;

	if (driver->open(&cf, &conn, err) < 0)
		return -1;
	tx = db_tx_new(driver, conn, "");
	rc = db_schema_set_complete(tx, false, err);
	db_tx_free(tx);
	return rc;
}

/* Sound, and of a version that we know? */
static int
check_file(const struct db_driver *driver, const char *path, struct err *err)
{
	struct db_conn_config cf = { path, DB_ROLE_READER };
	struct db_schema schema;
	struct db_conn *conn;
	struct db_tx *tx;
	int rc = -1;

	if (driver->open(&cf, &conn, err) < 0)
		return -1;
	tx = db_tx_new(driver, conn, "");
	if (driver->check(conn, false, err) == 0)
		rc = db_schema_read(tx, &schema, err);
	db_tx_free(tx);
	return rc;
}

static int
write_copy(struct db *db, const char *path, struct err *err)
{
	struct db_conn_config cf = { db->path, DB_ROLE_READER };
	struct db_conn *conn;
	int rc = -1;

	if (db_file_touch(path, err) < 0)
		return -1;
	if (db->driver->open(&cf, &conn, err) < 0)
		return -1;
	rc = db->driver->snapshot(conn, path, err);
	db->driver->close(conn);
	return rc;
}

static int
nothing(struct db_tx *tx, void *arg, struct err *err)
{
	(void)tx;
	(void)arg;
	(void)err;
	return 0;
}

/* Returns when all is done that was queued. */
static int
settle(struct db *db, struct err *err)
{
	struct db_job job = { nothing, NULL, true, false };

	return db_writer_run(db->writer, &job, err);
}

/* Written and checked as ${temp}: whole at ${path}, or not there. */
static int
make_copy(struct db *db, const char *temp, const char *path, struct err *err)
{
	if (write_copy(db, temp, err) == 0 &&
	    mark_incomplete(db->driver, temp, err) == 0 &&
	    db_file_sync(temp, err) == 0 &&
	    check_file(db->driver, temp, err) == 0)
		return db_file_rename(temp, path, err);
	(void)db_file_remove(temp, NULL); /* the next one does it */
	return -1;
}

int
db_backup(struct db *db, unsigned keep, struct err *err)
{
	char stamp[DB_STAMP_SIZE];
	char *path = NULL;
	char *temp = NULL;
	int rc = -1;

	if (db->path == NULL || db->backup_dir == NULL)
		return err_set(
		    err, ERR_UNAVAILABLE, "this database has no backups");
	db_file_stamp(clock_wall_ms(db->clock), stamp);
	path = mem_printf("%s/" BEFORE "%s" AFTER, db->backup_dir, stamp);
	temp = mem_printf("%s/" BEFORE "%s" TEMP_AFTER, db->backup_dir, stamp);
	if (settle(db, err) < 0 ||
	    file_mkdir(AT_FDCWD, db->backup_dir, 0700, err) < 0 ||
	    remove_all_but(db->backup_dir, is_temp, 0, err) < 0)
		goto out;
	/* First: what is recorded meanwhile may not be in the copy. */
	atomic_store(&db->has_changed, false);
	if (make_copy(db, temp, path, err) < 0) {
		atomic_store(&db->has_changed, true);
		goto out;
	}
	rc = remove_all_but(db->backup_dir, is_backup, keep, err);
out:
	free(temp);
	free(path);
	return rc;
}

bool
db_wants_backup(struct db *db, int64_t age_ms)
{
	char now[DB_STAMP_SIZE], then[DB_STAMP_SIZE];
	struct names names = { NULL, 0 };
	const char *newest;
	bool is_old = true;

	if (db->path == NULL || db->backup_dir == NULL)
		return false;
	(void)settle(db, NULL);
	db_file_stamp(clock_wall_ms(db->clock), now);
	db_file_stamp(clock_wall_ms(db->clock) - age_ms, then);
	/* What cannot be listed is an error of db_backup(). */
	if (list_names(db->backup_dir, is_backup, &names, NULL) == 0 &&
	    names.count > 0) {
		newest = names.at[0]->d_name + strlen(BEFORE);
		/* One from the future is of a clock that was wrong. */
		is_old = strncmp(newest, then, strlen(then)) <= 0 ||
		         strncmp(newest, now, strlen(now)) > 0;
		is_old = is_old && atomic_load(&db->has_changed);
	}
	free_names(&names);
	return is_old;
}

/* --- going back to one ------------------------------------------------ */

int
db_backup_restore(struct db *db, const char *path, char ret_name[DB_NAME_SIZE],
    struct err *err)
{
	struct names names = { NULL, 0 };
	char *from;
	int rc = 0;
	size_t i;

	ret_name[0] = '\0';
	if (db->backup_dir == NULL)
		return 0;
	if (list_names(db->backup_dir, is_backup, &names, err) < 0)
		return -1;
	for (i = 0; i < names.count; i++) {
		from = mem_printf("%s/%s", db->backup_dir, names.at[i]->d_name);
		rc = db_file_copy(from, path, err);
		free(from);
		if (rc < 0)
			break;
		if (check_file(db->driver, path, err) == 0) {
			snprintf(
			    ret_name, DB_NAME_SIZE, "%s", names.at[i]->d_name);
			break;
		}
		/* An older one may be sound. */
		rc = db_file_remove(path, err);
		if (rc < 0)
			break;
	}
	free_names(&names);
	return rc;
}
