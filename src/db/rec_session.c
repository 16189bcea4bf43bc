/* SPDX-License-Identifier: MIT */
#include "db/rec_session.h"

#include <stdlib.h>

#include "db/db_priv.h"

#define COLUMNS                                                                \
	"id, kind, state, url, filename, prefix, client, blob_id, layout, "    \
	"encryption, total_chunks, total_size, file_hash, grid, off_grid, "    \
	"received, front_number, front_offset, header, tail, hash_offset, "    \
	"hash_crc32, hash_state, metadata, concat, error, error_code, "        \
	"last_number, last_hash, updated_ms, until_ms, keep_existing"

static const char SQL_PUT[] =
    "INSERT INTO sessions (" COLUMNS ") "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
    "$15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, "
    "$29, $30, $31, $32) "
    "ON CONFLICT (id) DO UPDATE SET state = excluded.state, "
    "filename = excluded.filename, client = excluded.client, "
    "total_size = excluded.total_size, file_hash = excluded.file_hash, "
    "grid = excluded.grid, off_grid = excluded.off_grid, "
    "received = excluded.received, front_number = excluded.front_number, "
    "front_offset = excluded.front_offset, header = excluded.header, "
    "tail = excluded.tail, hash_offset = excluded.hash_offset, "
    "hash_crc32 = excluded.hash_crc32, hash_state = excluded.hash_state, "
    "error = excluded.error, error_code = excluded.error_code, "
    "last_number = excluded.last_number, last_hash = excluded.last_hash, "
    "updated_ms = excluded.updated_ms, until_ms = excluded.until_ms, "
    "keep_existing = excluded.keep_existing";
static const char SQL_TOUCH[] =
    "UPDATE sessions SET grid = $1, received = "
    "CASE WHEN received < $2 THEN $2 ELSE received END, total_size = $3, "
    "file_hash = $4, updated_ms = $5, keep_existing = $6 WHERE id = $7";
static const char SQL_ADVANCE[] =
    "UPDATE sessions SET off_grid = $1, front_number = $2, "
    "front_offset = $3, tail = $4, hash_offset = $5, hash_crc32 = $6, "
    "hash_state = $7 WHERE id = $8";
static const char SQL_REMOVE[] = "DELETE FROM sessions WHERE id = $1";
static const char SQL_EACH[] = "SELECT " COLUMNS " FROM sessions ORDER BY id";
static const char SQL_HAS_BLOB[] =
    "SELECT 1 FROM sessions WHERE blob_id = $1 AND state = 0";
static const char SQL_CORRECT[] =
    "UPDATE transfers SET transferred = (SELECT received FROM sessions "
    "WHERE sessions.id = transfers.id) WHERE id IN "
    "(SELECT id FROM sessions WHERE state = 0)";

void
rec_session_fini(struct rec_session *s)
{
	free(s->url);
	free(s->filename);
	free(s->prefix);
	free(s->client);
	free(s->file_hash);
	free(s->header);
	free(s->tail);
	free(s->hash_state);
	free(s->metadata);
	free(s->concat);
	free(s->error);
	free(s->error_code);
	free(s->last_hash);
	*s = (struct rec_session){ 0 };
}

static void
put_size(struct sql *q, uint64_t size)
{
	if (size == UINT64_MAX)
		sql_put_null(q);
	else
		sql_put_int(q, (int64_t)size);
}

int
rec_session_put(struct db_tx *tx, const struct rec_session *s, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_PUT, err) < 0)
		return -1;
	sql_put_text(&q, s->id);
	sql_put_int(&q, s->kind);
	sql_put_int(&q, s->state);
	sql_put_text(&q, s->url);
	sql_put_text(&q, s->filename);
	sql_put_text(&q, s->prefix);
	sql_put_text(&q, s->client);
	sql_put_text(&q, s->blob_id);
	sql_put_int(&q, s->layout);
	sql_put_int(&q, s->encryption);
	sql_put_int(&q, (int64_t)s->total_chunks);
	put_size(&q, s->total_size);
	sql_put_text(&q, s->file_hash);
	sql_put_int(&q, (int64_t)s->grid);
	sql_put_int(&q, s->off_grid);
	sql_put_int(&q, (int64_t)s->received);
	sql_put_int(&q, (int64_t)s->front_number);
	sql_put_int(&q, (int64_t)s->front_offset);
	sql_put_text(&q, s->header);
	sql_put_text(&q, s->tail);
	sql_put_int(&q, (int64_t)s->hash_offset);
	sql_put_int(&q, s->hash_crc32);
	sql_put_text(&q, s->hash_state);
	sql_put_text(&q, s->metadata);
	sql_put_text(&q, s->concat);
	sql_put_text(&q, s->error);
	sql_put_text(&q, s->error_code);
	sql_put_int(&q, (int64_t)s->last_number);
	sql_put_text(&q, s->last_hash);
	sql_put_int(&q, s->updated_ms);
	sql_put_int(&q, s->until_ms);
	sql_put_int(&q, s->keep_existing);
	return sql_run(&q, NULL, err);
}

int
rec_session_touch(
    struct db_tx *tx, const struct rec_session *s, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_TOUCH, err) < 0)
		return -1;
	sql_put_int(&q, (int64_t)s->grid);
	sql_put_int(&q, (int64_t)s->received);
	put_size(&q, s->total_size);
	sql_put_text(&q, s->file_hash);
	sql_put_int(&q, s->updated_ms);
	sql_put_int(&q, s->keep_existing);
	sql_put_text(&q, s->id);
	return sql_run(&q, NULL, err);
}

int
rec_session_advance(
    struct db_tx *tx, const struct rec_session *s, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_ADVANCE, err) < 0)
		return -1;
	sql_put_int(&q, s->off_grid);
	sql_put_int(&q, (int64_t)s->front_number);
	sql_put_int(&q, (int64_t)s->front_offset);
	sql_put_text(&q, s->tail);
	sql_put_int(&q, (int64_t)s->hash_offset);
	sql_put_int(&q, s->hash_crc32);
	sql_put_text(&q, s->hash_state);
	sql_put_text(&q, s->id);
	return sql_run(&q, NULL, err);
}

int
rec_session_remove(struct db_tx *tx, const char *id, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_REMOVE, err) < 0)
		return -1;
	sql_put_text(&q, id);
	return sql_run(&q, NULL, err);
}

static uint64_t
get_size(struct sql *q)
{
	if (!sql_get_is_null(q))
		return (uint64_t)sql_get_int(q);
	sql_skip(q);
	return UINT64_MAX;
}

static void
take_row(struct sql *q, struct rec_session *s)
{
	*s = (struct rec_session){ 0 };
	sql_get_chars(q, s->id, sizeof(s->id));
	s->kind = sql_get_int(q) == REC_SESSION_TUS ? REC_SESSION_TUS
	                                            : REC_SESSION_CHUNKS;
	s->state = (enum rec_session_state)(sql_get_int(q) & 3);
	s->url = sql_get_text(q);
	s->filename = sql_get_text(q);
	s->prefix = sql_get_text(q);
	s->client = sql_get_text(q);
	sql_get_chars(q, s->blob_id, sizeof(s->blob_id));
	s->layout = sql_get_int(q) == REC_SEALED ? REC_SEALED : REC_PLAIN;
	s->encryption = sql_get_bool(q);
	s->total_chunks = (uint64_t)sql_get_int(q);
	s->total_size = get_size(q);
	s->file_hash = sql_get_text(q);
	s->grid = (uint64_t)sql_get_int(q);
	s->off_grid = sql_get_bool(q);
	s->received = (uint64_t)sql_get_int(q);
	s->front_number = (uint64_t)sql_get_int(q);
	s->front_offset = (uint64_t)sql_get_int(q);
	s->header = sql_get_text(q);
	s->tail = sql_get_text(q);
	s->hash_offset = (uint64_t)sql_get_int(q);
	s->hash_crc32 = (uint32_t)sql_get_int(q);
	s->hash_state = sql_get_text(q);
	s->metadata = sql_get_text(q);
	s->concat = sql_get_text(q);
	s->error = sql_get_text(q);
	s->error_code = sql_get_text(q);
	s->last_number = (uint64_t)sql_get_int(q);
	s->last_hash = sql_get_text(q);
	s->updated_ms = sql_get_int(q);
	s->until_ms = sql_get_int(q);
	s->keep_existing = sql_get_bool(q);
}

int
rec_session_each(
    struct db_tx *tx, rec_session_fn fn, void *arg, struct err *err)
{
	struct rec_session s;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_EACH, err) < 0)
		return -1;
	while ((rc = sql_step(&q, err)) > 0) {
		take_row(&q, &s);
		rc = fn(arg, &s, err);
		rec_session_fini(&s);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}

int
rec_session_has_blob(
    struct db_tx *tx, const char *blob_id, bool *ret, struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_HAS_BLOB, err) < 0)
		return -1;
	sql_put_text(&q, blob_id);
	rc = sql_step(&q, err);
	sql_close(&q);
	*ret = rc > 0;
	return rc < 0 ? -1 : 0;
}

int
rec_session_correct_transfers(struct db_tx *tx, struct err *err)
{
	return sql_do(tx, SQL_CORRECT, err);
}
