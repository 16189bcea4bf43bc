/* SPDX-License-Identifier: MIT */
#include "db/rec_transfer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "db/db_priv.h"
#include "db/rec_client.h"
#include "db/rec_counter.h"
#include "db/rec_transfer_priv.h"

/* Each lost race means that another writer won one. */
#define TRIES 16
#define INTERRUPT_STEP 64

/* lease_ms is 0: a node that has the directory to itself needs no lease. */
static const char SQL_INSERT[] =
    "INSERT INTO transfers (direction, status, filename, sha256, encryption, "
    "priority, transferred, total, speed_bps, client_ip, client_id, "
    "user_agent, retry_count, created_ms, updated_ms, ended_ms, error, "
    "error_code, node, id, lease_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
    "$15, $16, $17, $18, $19, $20, 0) ON CONFLICT (id) DO NOTHING";
/* Only what was seen is replaced, so that sums are right. */
static const char SQL_UPDATE[] =
    "UPDATE transfers SET direction = $1, status = $2, filename = $3, "
    "sha256 = $4, encryption = $5, priority = $6, transferred = $7, "
    "total = $8, speed_bps = $9, client_ip = $10, client_id = $11, "
    "user_agent = $12, retry_count = $13, created_ms = $14, "
    "updated_ms = $15, ended_ms = $16, error = $17, error_code = $18, "
    "node = $19 WHERE id = $20 "
    "AND status = $21 AND updated_ms = $22 AND transferred = $23";
static const char SQL_GET[] =
    "SELECT " REC_TRANSFER_COLUMNS " FROM transfers t WHERE t.id = $1";
/* With the condition of the index. */
static const char SQL_RUNNING[] =
    "SELECT t.id FROM transfers t WHERE t.status IN (0, 1, 2) "
    "AND t.status <> 3 AND t.node = $1 LIMIT $2";

void
rec_transfer_fini(struct rec_transfer *t)
{
	free(t->filename);
	free(t->client_ip);
	free(t->client_id);
	free(t->user_agent);
	free(t->error);
	free(t->error_code);
	*t = (struct rec_transfer){ 0 };
}

void
rec_transfer_copy(struct rec_transfer *ret, const struct rec_transfer *t)
{
	*ret = *t;
	ret->filename = mem_strdup(t->filename);
	ret->client_ip = mem_strdup(t->client_ip);
	ret->client_id = mem_strdup(t->client_id);
	ret->user_agent = mem_strdup(t->user_agent);
	ret->error = mem_strdup(t->error);
	ret->error_code = mem_strdup(t->error_code);
}

/* The next column, a number below ${end}; a damaged row may hold any. */
static int
take_choice(struct sql *q, int end, int otherwise)
{
	int64_t v = sql_get_int(q);

	return v >= 0 && v < end ? (int)v : otherwise;
}

void
rec_transfer_take_row(struct sql *q, struct rec_transfer *ret)
{
	*ret = (struct rec_transfer){ 0 };
	sql_get_chars(q, ret->id, sizeof(ret->id));
	ret->direction = (enum rec_direction)take_choice(q, 2, REC_UPLOAD);
	ret->status =
	    (enum rec_status)take_choice(q, REC_STATUS_COUNT, REC_FAILED);
	ret->filename = sql_get_text(q);
	sql_get_chars(q, ret->sha256, sizeof(ret->sha256));
	ret->encryption = sql_get_bool(q);
	ret->priority = (int)sql_get_int(q);
	ret->transferred = (uint64_t)sql_get_int(q);
	ret->total = REC_SIZE_UNKNOWN;
	if (sql_get_is_null(q))
		sql_skip(q);
	else
		ret->total = (uint64_t)sql_get_int(q);
	ret->speed_bps = (uint64_t)sql_get_int(q);
	ret->client_ip = sql_get_text(q);
	ret->client_id = sql_get_text(q);
	ret->user_agent = sql_get_text(q);
	ret->retry_count = (unsigned)sql_get_int(q);
	ret->created_ms = sql_get_int(q);
	ret->updated_ms = sql_get_int(q);
	ret->error = sql_get_text(q);
	ret->error_code = sql_get_text(q);
}

/* The parameters that SQL_INSERT and SQL_UPDATE share. */
static void
put_row(struct sql *q, const char *node, const struct rec_transfer *t)
{
	sql_put_int(q, t->direction);
	sql_put_int(q, t->status);
	sql_put_text(q, t->filename);
	sql_put_text(q, t->sha256);
	sql_put_int(q, t->encryption);
	sql_put_int(q, t->priority);
	sql_put_int(q, (int64_t)t->transferred);
	if (t->total == REC_SIZE_UNKNOWN)
		sql_put_null(q);
	else
		sql_put_int(q, (int64_t)t->total);
	sql_put_int(q, (int64_t)t->speed_bps);
	sql_put_text(q, t->client_ip);
	sql_put_text(q, t->client_id);
	sql_put_text(q, t->user_agent);
	sql_put_int(q, t->retry_count);
	sql_put_int(q, t->created_ms);
	sql_put_int(q, t->updated_ms);
	if (rec_status_is_ended(t->status))
		sql_put_int(q, t->updated_ms);
	else
		sql_put_null(q);
	sql_put_text(q, t->error);
	sql_put_text(q, t->error_code);
	sql_put_text(q, node);
	sql_put_text(q, t->id);
}

static int
insert(struct db_tx *tx, const struct rec_transfer *t, bool *ret_done,
    struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_INSERT, err) < 0)
		return -1;
	put_row(&q, tx->node, t);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	*ret_done = changes > 0;
	if (changes == 0)
		return 0;
	rec_transfer_sum(tx, t, 1);
	if (rec_client_note(tx, t, NULL, err) < 0)
		return -1;
	return rec_transfer_note_newest(tx, t, err);
}

static int
update(struct db_tx *tx, const struct rec_transfer *t,
    const struct rec_transfer *old, bool *ret_done, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_UPDATE, err) < 0)
		return -1;
	put_row(&q, tx->node, t);
	sql_put_int(&q, old->status);
	sql_put_int(&q, old->updated_ms);
	sql_put_int(&q, (int64_t)old->transferred);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	*ret_done = changes > 0;
	if (changes == 0)
		return 0;
	rec_transfer_sum(tx, old, -1);
	rec_transfer_sum(tx, t, 1);
	if (rec_client_note(tx, t, old, err) < 0)
		return -1;
	if (slice_eq(slice_str(old->filename), slice_str(t->filename)) &&
	    old->direction == t->direction)
		return 0;
	if (rec_transfer_find_newest(tx, old, err) < 0)
		return -1;
	return rec_transfer_note_newest(tx, t, err);
}

/* 1: there is one. */
static int
find(
    struct db_tx *tx, const char *id, struct rec_transfer *ret, struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_GET, err) < 0)
		return -1;
	sql_put_text(&q, id);
	rc = sql_step(&q, err);
	if (rc > 0)
		rec_transfer_take_row(&q, ret);
	sql_close(&q);
	return rc;
}

int
rec_transfer_put(
    struct db_tx *tx, const struct rec_transfer *t, struct err *err)
{
	struct rec_transfer old;
	bool done;
	int rc, i;

	for (i = 0; i < TRIES; i++) {
		if (insert(tx, t, &done, err) < 0)
			return -1;
		if (done)
			return 0;
		rc = find(tx, t->id, &old, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		rc = update(tx, t, &old, &done, err);
		rec_transfer_fini(&old);
		if (rc < 0 || done)
			return rc;
	}
	return err_set(err, ERR_UNAVAILABLE,
	    "the transfer '%s' is changed by others all the time", t->id);
}

int
rec_transfer_get(
    struct db_tx *tx, const char *id, struct rec_transfer *ret, struct err *err)
{
	int rc = find(tx, id, ret, err);

	if (rc == 0)
		return err_set(err, ERR_TRANSFER_NOT_FOUND,
		    "there is no transfer '%s'", id);
	return rc < 0 ? -1 : 0;
}

int
rec_transfer_count(struct db_tx *tx, uint64_t *ret, struct err *err)
{
	return rec_counter_on_record(tx, "rows", ret, err);
}

/* Up to INTERRUPT_STEP of them. */
static int
running_ids(struct db_tx *tx, char ids[INTERRUPT_STEP][ID_SIZE],
    size_t *ret_count, struct err *err)
{
	size_t count = 0;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_RUNNING, err) < 0)
		return -1;
	sql_put_text(&q, tx->node);
	sql_put_int(&q, INTERRUPT_STEP);
	while ((rc = sql_step(&q, err)) > 0)
		sql_get_chars(&q, ids[count++], ID_SIZE);
	sql_close(&q);
	if (rc == 0)
		*ret_count = count;
	return rc;
}

static int
interrupt(struct db_tx *tx, const char *id, int64_t now_ms, struct err *err)
{
	struct rec_transfer t = { 0 };
	int rc = -1;

	if (rec_transfer_get(tx, id, &t, err) < 0)
		goto out;
	t.status = REC_INTERRUPTED;
	t.updated_ms = now_ms;
	free(t.error);
	t.error = mem_strdup("the server ended before the transfer did");
	free(t.error_code);
	t.error_code = mem_strdup(rec_status_name(REC_INTERRUPTED));
	rc = rec_transfer_put(tx, &t, err);
out:
	rec_transfer_fini(&t);
	return rc;
}

int
rec_transfer_interrupt_all(
    struct db_tx *tx, int64_t now_ms, uint64_t *ret_count, struct err *err)
{
	char ids[INTERRUPT_STEP][ID_SIZE];
	uint64_t total = 0;
	size_t count, i;

	do {
		if (running_ids(tx, ids, &count, err) < 0)
			return -1;
		for (i = 0; i < count; i++) {
			if (interrupt(tx, ids[i], now_ms, err) < 0)
				return -1;
		}
		total += count;
	} while (count > 0);
	*ret_count = total;
	return 0;
}
