/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/mem.h"
#include "db/db_priv.h"
#include "db/rec_counter_priv.h"

static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";

struct db_tx *
db_tx_new(
    const struct db_driver *driver, struct db_conn *conn, const char *node)
{
	struct db_tx *tx = mem_calloc(1, sizeof(*tx));

	tx->driver = driver;
	tx->conn = conn;
	tx->node = node;
	return tx;
}

void
db_tx_free(struct db_tx *tx)
{
	if (tx == NULL)
		return;
	sql_cache_fini(&tx->cache, tx->driver);
	tx->driver->close(tx->conn);
	rec_counter_deltas_free(tx->deltas);
	free(tx);
}

int
db_tx_begin(struct db_tx *tx, bool write, struct err *err)
{
	return sql_do(
	    tx, write ? tx->driver->begin_write : tx->driver->begin_read, err);
}

int
db_tx_commit(struct db_tx *tx, struct err *err)
{
	return sql_do(tx, SQL_COMMIT, err);
}

void
db_tx_rollback(struct db_tx *tx)
{
	/* What cannot be rolled back was never committed: the next BEGIN
	 * says what is wrong. */
	if (tx->driver->in_transaction(tx->conn))
		(void)sql_do(tx, SQL_ROLLBACK, NULL);
}
