/* SPDX-License-Identifier: MIT */

/*
 * Which database is this?  Whoever puts an older copy of it in its place by
 * hand tells nobody; yet what was stored since then has no record in it.
 *
 * So the database holds a random id, another one from each opening and each
 * closing on, and the file NAME.run beside it, synced, names the ids that may
 * be found.  Before the database is told the next one the file names both, so
 * that a crash in between is no false alarm; afterwards only the next, so
 * that a copy from before is noticed.  A database that the file does not name
 * may lack records, and is named only once it says so itself.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/id.h"
#include "base/mem.h"
#include "db/db_priv.h"

#define FILE_MAX 256 /* bytes, of two lines */

static char *
path_of(const struct db *db)
{
	return mem_printf("%s.run", db->path);
}

/* An id a line. */
static int
write_names(
    struct db *db, const char *first, const char *second, struct err *err)
{
	char *path = path_of(db);
	char text[FILE_MAX];
	struct file_content content = { .p = text, .mode = 0600 };
	int rc;

	content.n = (size_t)snprintf(text, sizeof(text), "%s\n%s%s", first,
	    second, second[0] ? "\n" : "");
	rc = file_replace(AT_FDCWD, path, &content, err);
	free(path);
	return rc;
}

/* Whatever makes the file unreadable, nothing is known then. */
static bool
is_named(struct db *db, const char *run)
{
	char *path = path_of(db);
	struct slice rest, line;
	bool found = false;
	struct buf b;

	buf_init(&b, FILE_MAX);
	if (file_read_all(AT_FDCWD, path, &b, NULL) == 0) {
		rest = buf_slice(&b);
		while (!found && slice_next(&rest, '\n', &line))
			found = run[0] != '\0' && slice_eq_str(line, run);
	}
	buf_fini(&b);
	free(path);
	return found;
}

/* On a disk that is full the id stays: one must be able to start there, and
 * to end, and a copy goes unnoticed only if it is from this very time. */
static int
turn(struct db *db, struct db_tx *tx, struct db_schema *s, bool is_other,
    struct err *err)
{
	struct err why = ERR_INIT;
	char next[ID_SIZE];

	id_new(clock_wall_ms(db->clock), next);
	if (write_names(db, next, is_other ? "" : s->run, &why) == 0)
		memcpy(s->run, next, ID_SIZE);
	else if (why.code != ERR_STORAGE_FULL)
		goto fail;
	FAULT_POINT("db.run_named");
	if (db_schema_turn(tx, s, &why) < 0)
		goto fail;
	FAULT_POINT("db.run_turned");
	if (strcmp(s->run, next) == 0 && write_names(db, next, "", &why) < 0 &&
	    why.code != ERR_STORAGE_FULL)
		goto fail;
	return 0;
fail:
	if (err != NULL)
		*err = why;
	return -1;
}

int
db_run_begin(
    struct db *db, struct db_tx *tx, struct db_state *state, struct err *err)
{
	struct db_schema s;

	if (db_schema_read(tx, &s, err) < 0)
		return -1;
	s.clean = false;
	if (db->path == NULL)
		return db_schema_turn(tx, &s, err);
	/* One that we have just put there is no surprise. */
	if (!state->is_new && !state->from_backup && !is_named(db, s.run)) {
		state->is_other = state->is_incomplete = true;
		s.complete = false;
	}
	return turn(db, tx, &s, state->is_other, err);
}

int
db_run_end(struct db *db, struct db_tx *tx, struct err *err)
{
	struct db_schema s;

	if (db_schema_read(tx, &s, err) < 0)
		return -1;
	s.clean = true;
	if (db->path == NULL)
		return db_schema_turn(tx, &s, err);
	/* Or a power failure would bring back an id that the file does not
	 * name any more. */
	if (!db->durable && tx->driver->set_durable(tx->conn, true, err) < 0)
		return -1;
	return turn(db, tx, &s, false, err);
}
