/* SPDX-License-Identifier: MIT */

/* Each name's newest transfers, so that they are found in constant time. */

#include "db/db_priv.h"
#include "db/rec_prefix.h"
#include "db/rec_transfer_priv.h"

static const char *const SQL_NOTE[] = {
	[REC_UPLOAD] =
	    "INSERT INTO newest (filename, upload_id) VALUES ($1, $2) "
	    "ON CONFLICT (filename) DO UPDATE "
	    "SET upload_id = excluded.upload_id "
	    "WHERE newest.upload_id IS NULL "
	    "OR newest.upload_id < excluded.upload_id",
	[REC_DOWNLOAD] =
	    "INSERT INTO newest (filename, download_id) VALUES ($1, $2) "
	    "ON CONFLICT (filename) DO UPDATE "
	    "SET download_id = excluded.download_id "
	    "WHERE newest.download_id IS NULL "
	    "OR newest.download_id < excluded.download_id",
};
static const char SQL_FIND[] =
    "UPDATE newest SET "
    "upload_id = (SELECT t.id FROM transfers t "
    "WHERE t.filename = $1 AND t.direction = 0 ORDER BY t.id DESC LIMIT 1), "
    "download_id = (SELECT t.id FROM transfers t "
    "WHERE t.filename = $1 AND t.direction = 1 ORDER BY t.id DESC LIMIT 1) "
    "WHERE filename = $1";
static const char SQL_PRUNE[] = "DELETE FROM newest WHERE filename = $1 "
                                "AND upload_id IS NULL AND download_id IS NULL";
static const char SQL_GET[] =
    "SELECT " REC_TRANSFER_COLUMNS " FROM newest n JOIN transfers t "
    "ON t.id = COALESCE(n.upload_id, n.download_id) WHERE n.filename = $1";

int
rec_transfer_note_newest(
    struct db_tx *tx, const struct rec_transfer *t, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_NOTE[t->direction], err) < 0)
		return -1;
	sql_put_text(&q, t->filename);
	sql_put_text(&q, t->id);
	return sql_run(&q, NULL, err);
}

int
rec_transfer_find_newest(
    struct db_tx *tx, const struct rec_transfer *old, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_FIND, err) < 0)
		return -1;
	sql_put_text(&q, old->filename);
	if (sql_run(&q, NULL, err) < 0)
		return -1;
	if (sql_open(&q, tx, SQL_PRUNE, err) < 0)
		return -1;
	sql_put_text(&q, old->filename);
	return sql_run(&q, NULL, err);
}

int
rec_transfer_newest(struct db_tx *tx, const char *prefix, const char *filename,
    struct rec_transfer *ret, struct err *err)
{
	struct sql q;
	int rc = 0;

	if (rec_prefix_holds(prefix, filename)) {
		if (sql_open(&q, tx, SQL_GET, err) < 0)
			return -1;
		sql_put_text(&q, filename);
		rc = sql_step(&q, err);
		if (rc > 0)
			rec_transfer_take_row(&q, ret);
		sql_close(&q);
	}
	if (rc == 0)
		return err_set(err, ERR_TRANSFER_NOT_FOUND,
		    "there is no transfer of '%s'", filename);
	return rc < 0 ? -1 : 0;
}
