/* SPDX-License-Identifier: MIT */
#include "db/rec_key.h"

#include <stdlib.h>

#include "base/hex.h"
#include "db/db_priv.h"

#define HASH_TEXT (2 * REC_KEY_HASH + 1)

#define COLUMNS                                                                \
	"id, hash, name, scopes, prefix, created_ms, expires_ms, last_used_ms"

static const char SQL_PUT[] =
    "INSERT INTO keys (" COLUMNS ") "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
    "ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, "
    "name = excluded.name, scopes = excluded.scopes, "
    "prefix = excluded.prefix, expires_ms = excluded.expires_ms";
static const char SQL_REMOVE[] = "DELETE FROM keys WHERE id = $1";
/* Uses are written late, and not in their order. */
static const char SQL_USED[] =
    "UPDATE keys SET last_used_ms = $1 WHERE id = $2 AND last_used_ms < $1";
static const char SQL_EACH[] = "SELECT " COLUMNS " FROM keys ORDER BY id";

void
rec_key_fini(struct rec_key *k)
{
	free(k->name);
	free(k->prefix);
	*k = (struct rec_key){ 0 };
}

int
rec_key_put(struct db_tx *tx, const struct rec_key *k, struct err *err)
{
	char hash[HASH_TEXT];
	struct sql q;

	hex_encode(k->hash, sizeof(k->hash), hash);
	if (sql_open(&q, tx, SQL_PUT, err) < 0)
		return -1;
	sql_put_text(&q, k->id);
	sql_put_text(&q, hash);
	sql_put_text(&q, k->name);
	sql_put_int(&q, k->scopes);
	sql_put_text(&q, k->prefix);
	sql_put_int(&q, k->created_ms);
	sql_put_int(&q, k->expires_ms);
	sql_put_int(&q, k->last_used_ms);
	return sql_run(&q, NULL, err);
}

int
rec_key_remove(struct db_tx *tx, const char *id, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_REMOVE, err) < 0)
		return -1;
	sql_put_text(&q, id);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	if (changes == 0)
		return err_set(
		    err, ERR_KEY_NOT_FOUND, "there is no key '%s'", id);
	return 0;
}

int
rec_key_used(struct db_tx *tx, const char *id, int64_t when_ms, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_USED, err) < 0)
		return -1;
	sql_put_int(&q, when_ms);
	sql_put_text(&q, id);
	return sql_run(&q, NULL, err);
}

static int
take_row(struct sql *q, struct rec_key *k, struct err *err)
{
	char hash[HASH_TEXT];

	*k = (struct rec_key){ 0 };
	sql_get_chars(q, k->id, sizeof(k->id));
	sql_get_chars(q, hash, sizeof(hash));
	k->name = sql_get_text(q);
	k->scopes = (unsigned)sql_get_int(q);
	k->prefix = sql_get_text(q);
	k->created_ms = sql_get_int(q);
	k->expires_ms = sql_get_int(q);
	k->last_used_ms = sql_get_int(q);
	if (!hex_decode(slice_str(hash), k->hash, sizeof(k->hash)))
		return err_set(err, ERR_DATABASE,
		    "the record of the key '%s' has no hash", k->id);
	return 0;
}

int
rec_key_each(struct db_tx *tx, rec_key_fn fn, void *arg, struct err *err)
{
	struct rec_key k;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_EACH, err) < 0)
		return -1;
	while ((rc = sql_step(&q, err)) > 0) {
		rc = take_row(&q, &k, err);
		if (rc == 0)
			rc = fn(arg, &k, err);
		rec_key_fini(&k);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}
