/* SPDX-License-Identifier: MIT */
#include "db/rec_client.h"

#include <stdlib.h>
#include <string.h>

#include "db/db_priv.h"
#include "db/rec_counter.h"

/* The counter of all clients. */
#define COUNTER "clients"
/* Each lost race means that another writer won one. */
#define TRIES 16

static const char SQL_ADD[] =
    "UPDATE clients SET uploads = uploads + $1, "
    "downloads = downloads + $2, bytes = bytes + $3, "
    "agent = CASE WHEN $4 >= last_ms AND $5 IS NOT NULL THEN $5 "
    "ELSE agent END, "
    "last_ms = CASE WHEN $4 > last_ms THEN $4 ELSE last_ms END "
    "WHERE ip = $6 AND client_id = $7";
static const char SQL_INSERT[] =
    "INSERT INTO clients (uploads, downloads, bytes, last_ms, agent, ip, "
    "client_id) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT (ip, client_id) DO NOTHING";
static const char SQL_REMOVE[] =
    "DELETE FROM clients WHERE ip = $1 AND client_id = $2 "
    "AND uploads = 0 AND downloads = 0";
static const char SQL_EACH[] =
    "SELECT ip, client_id, agent, uploads, downloads, bytes, last_ms "
    "FROM clients ORDER BY last_ms DESC, ip, client_id LIMIT $1";
static const char SQL_FILES[] =
    "SELECT t.filename FROM (SELECT filename, client_id, id FROM transfers "
    "WHERE client_ip = $1 ORDER BY id DESC LIMIT $2) t "
    "WHERE COALESCE(t.client_id, '') = $3 ORDER BY t.id DESC";

void
rec_client_fini(struct rec_client *c)
{
	free(c->ip);
	free(c->id);
	free(c->agent);
	memset(c, 0, sizeof(*c));
}

/* --- what a transfer counts for ------------------------------------------- */

static const char *
id_of(const struct rec_transfer *t)
{
	return t->client_id == NULL ? "" : t->client_id;
}

static bool
is_same(const struct rec_transfer *a, const struct rec_transfer *b)
{
	return a->client_ip != NULL && b->client_ip != NULL &&
	       strcmp(a->client_ip, b->client_ip) == 0 &&
	       strcmp(id_of(a), id_of(b)) == 0;
}

/* A change of a client's sums. */
struct delta {
	const struct rec_transfer *t; /* whose client it is */
	int64_t uploads;
	int64_t downloads;
	int64_t bytes;
};

static struct delta
worth(const struct rec_transfer *t, int sign)
{
	return (struct delta){
		.t = t,
		.uploads = t->direction == REC_UPLOAD ? sign : 0,
		.downloads = t->direction == REC_DOWNLOAD ? sign : 0,
		.bytes = t->status == REC_COMPLETED
		             ? sign * (int64_t)t->transferred
		             : 0,
	};
}

static int
run(struct db_tx *tx, const char *text, const struct delta *d,
    int64_t *ret_changes, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, text, err) < 0)
		return -1;
	sql_put_int(&q, d->uploads);
	sql_put_int(&q, d->downloads);
	sql_put_int(&q, d->bytes);
	sql_put_int(&q, d->t->updated_ms);
	sql_put_text(&q, d->t->user_agent);
	sql_put_text(&q, d->t->client_ip);
	sql_put_text(&q, id_of(d->t));
	return sql_run(&q, ret_changes, err);
}

static int
add(struct db_tx *tx, const struct delta *d, struct err *err)
{
	int64_t changes;

	for (int i = 0; i < TRIES; i++) {
		if (run(tx, SQL_ADD, d, &changes, err) < 0)
			return -1;
		if (changes > 0)
			return 0;
		if (run(tx, SQL_INSERT, d, &changes, err) < 0)
			return -1;
		if (changes > 0) {
			rec_counter_add(tx, COUNTER, 1);
			return 0;
		}
	}
	return err_set(err, ERR_UNAVAILABLE,
	    "a client's sums are changed by others all the time");
}

/* A client that has no transfer any more never was. */
static int
remove_empty(struct db_tx *tx, const struct rec_transfer *t, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_REMOVE, err) < 0)
		return -1;
	sql_put_text(&q, t->client_ip);
	sql_put_text(&q, id_of(t));
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	if (changes > 0)
		rec_counter_add(tx, COUNTER, -1);
	return 0;
}

/* The same transfer of the same client goes on. */
static int
change(struct db_tx *tx, const struct rec_transfer *t,
    const struct rec_transfer *old, struct err *err)
{
	struct delta d = worth(t, 1);
	const struct delta before = worth(old, -1);

	d.uploads += before.uploads;
	d.downloads += before.downloads;
	d.bytes += before.bytes;
	return add(tx, &d, err);
}

int
rec_client_note(struct db_tx *tx, const struct rec_transfer *t,
    const struct rec_transfer *old, struct err *err)
{
	struct delta d;

	if (old != NULL && is_same(old, t))
		return change(tx, t, old, err);
	if (old != NULL && old->client_ip != NULL) {
		d = worth(old, -1);
		if (add(tx, &d, err) < 0 || remove_empty(tx, old, err) < 0)
			return -1;
	}
	if (t->client_ip == NULL)
		return 0;
	d = worth(t, 1);
	return add(tx, &d, err);
}

/* --- reading -------------------------------------------------------------- */

static void
take_row(struct sql *q, struct rec_client *c)
{
	*c = (struct rec_client){ 0 };
	c->ip = sql_get_text(q);
	c->id = sql_get_text(q);
	c->agent = sql_get_text(q);
	c->uploads = (uint64_t)sql_get_int(q);
	c->downloads = (uint64_t)sql_get_int(q);
	c->bytes = (uint64_t)sql_get_int(q);
	c->last_ms = sql_get_int(q);
	if (c->id != NULL && c->id[0] == '\0') {
		free(c->id);
		c->id = NULL;
	}
}

int
rec_client_each(struct db_tx *tx, unsigned limit, rec_client_fn fn, void *arg,
    struct err *err)
{
	struct rec_client c;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_EACH, err) < 0)
		return -1;
	sql_put_int(&q, limit);
	while ((rc = sql_step(&q, err)) > 0) {
		take_row(&q, &c);
		rc = fn(arg, &c, err);
		rec_client_fini(&c);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}

int
rec_client_count(struct db_tx *tx, uint64_t *ret, struct err *err)
{
	int64_t n;

	if (rec_counter_get(tx, COUNTER, &n, err) < 0)
		return -1;
	*ret = n > 0 ? (uint64_t)n : 0;
	return 0;
}

int
rec_client_each_file(struct db_tx *tx, const struct rec_client *c,
    rec_client_file_fn fn, void *arg, struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_FILES, err) < 0)
		return -1;
	sql_put_text(&q, c->ip);
	sql_put_int(&q, REC_CLIENT_LOOK);
	sql_put_text(&q, c->id == NULL ? "" : c->id);
	while ((rc = sql_step(&q, err)) > 0) {
		char *name = sql_get_text(&q);

		rc = fn(arg, name, err);
		free(name);
		if (rc != 0)
			break;
	}
	sql_close(&q);
	return rc < 0 ? -1 : 0;
}
