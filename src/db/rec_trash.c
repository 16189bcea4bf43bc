/* SPDX-License-Identifier: MIT */
#include "db/db_priv.h"
#include "db/rec_file.h"

static const char SQL_ADD[] = "INSERT INTO trash (blob_id) VALUES ($1) "
                              "ON CONFLICT (blob_id) DO NOTHING";
static const char SQL_REMOVE[] = "DELETE FROM trash WHERE blob_id = $1";
static const char SQL_EACH[] = "SELECT blob_id FROM trash "
                               "WHERE blob_id > $1 ORDER BY blob_id LIMIT $2";

static int
run_on(struct db_tx *tx, const char *text, const char *blob_id, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, text, err) < 0)
		return -1;
	sql_put_text(&q, blob_id);
	return sql_run(&q, NULL, err);
}

int
rec_trash_add(struct db_tx *tx, const char *blob_id, struct err *err)
{
	return run_on(tx, SQL_ADD, blob_id, err);
}

int
rec_trash_remove(struct db_tx *tx, const char *blob_id, struct err *err)
{
	return run_on(tx, SQL_REMOVE, blob_id, err);
}

int
rec_trash_each(struct db_tx *tx, const struct db_page *page, rec_trash_fn fn,
    void *arg, struct err *err)
{
	char blob_id[ID_SIZE];
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_EACH, err) < 0)
		return -1;
	sql_put_text(&q, page->after);
	sql_put_int(&q, page->limit);
	while ((rc = sql_step(&q, err)) > 0) {
		sql_get_chars(&q, blob_id, sizeof(blob_id));
		rc = fn(arg, blob_id, err);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}
