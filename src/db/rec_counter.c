/* SPDX-License-Identifier: MIT */
#include "db/rec_counter.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/db_priv.h"
#include "db/rec_counter_priv.h"
#include "db/rec_prefix.h"

/* More entries than this are not kept in memory for the next group, and are
 * looked for by an index: what is taken over may bring any number of days and
 * extensions in one job. */
#define KEPT 64

static const char SQL_ADD[] = "UPDATE counters SET value = value + $1 "
                              "WHERE node = $2 AND name = $3";
static const char SQL_INSERT[] =
    "INSERT INTO counters (node, name, value) VALUES ($1, $2, $3) "
    "ON CONFLICT (name, node) DO UPDATE "
    "SET value = counters.value + excluded.value";
static const char SQL_TYPES[] = "SELECT count(*) FROM counters "
                                "WHERE node = $1 AND name >= $2 AND name < $3";
static const char SQL_GET[] =
    "SELECT CAST(COALESCE(SUM(value), 0) AS BIGINT) FROM counters "
    "WHERE name = $1";
static const char SQL_EACH[] =
    "SELECT name, CAST(SUM(value) AS BIGINT) FROM counters "
    "WHERE name >= $1 AND name < $2 GROUP BY name ORDER BY name";

struct rec_counter_deltas *
rec_counter_deltas_new(void)
{
	return mem_calloc(1, sizeof(struct rec_counter_deltas));
}

void
rec_counter_deltas_free(struct rec_counter_deltas *d)
{
	if (d == NULL)
		return;
	map_free(d->index);
	free(d->at);
	free(d);
}

static struct rec_counter_delta *
find(const struct rec_counter_deltas *d, const char *name)
{
	uintptr_t place;
	size_t i;

	if (d->index != NULL) {
		place = (uintptr_t)map_get(d->index, slice_str(name));
		return place == 0 ? NULL : &d->at[place - 1];
	}
	for (i = 0; i < d->count; i++) {
		if (strcmp(d->at[i].name, name) == 0)
			return &d->at[i];
	}
	return NULL;
}

static void
put_index(struct rec_counter_deltas *d, size_t i)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): never followed */
	(void)map_put(d->index, slice_str(d->at[i].name), (void *)(i + 1));
}

static struct rec_counter_delta *
append(struct rec_counter_deltas *d, const char *name)
{
	struct rec_counter_delta *at;
	size_t i;

	if (d->count == d->cap) {
		d->cap = d->cap == 0 ? 16 : d->cap * 2;
		d->at = mem_realloc(d->at, d->cap * sizeof(*d->at));
	}
	at = &d->at[d->count++];
	*at = (struct rec_counter_delta){ 0 };
	memcpy(at->name, name, strlen(name) + 1);
	if (d->index != NULL) {
		put_index(d, d->count - 1);
	} else if (d->count > KEPT) {
		d->index = map_new();
		for (i = 0; i < d->count; i++)
			put_index(d, i);
	}
	return at;
}

void
rec_counter_add(struct db_tx *tx, const char *name, int64_t delta)
{
	struct rec_counter_deltas *d = tx->deltas;
	struct rec_counter_delta *at;

	assert(d != NULL && strlen(name) < REC_COUNTER_NAME);
	at = find(d, name);
	if (at == NULL)
		at = append(d, name);
	at->job += delta;
}

void
rec_counter_keep(struct rec_counter_deltas *d)
{
	size_t i;

	for (i = 0; i < d->count; i++) {
		d->at[i].group += d->at[i].job;
		d->at[i].job = 0;
	}
}

void
rec_counter_drop(struct rec_counter_deltas *d)
{
	size_t i;

	for (i = 0; i < d->count; i++)
		d->at[i].job = 0;
}

void
rec_counter_clear(struct rec_counter_deltas *d)
{
	d->count = 0;
	map_free(d->index);
	d->index = NULL;
	if (d->cap <= KEPT)
		return;
	free(d->at);
	d->at = NULL;
	d->cap = 0;
}

/* Is there a row to add to? */
static int
add_to_row(struct db_tx *tx, const char *name, int64_t delta, bool *ret_found,
    struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_ADD, err) < 0)
		return -1;
	sql_put_int(&q, delta);
	sql_put_text(&q, tx->node);
	sql_put_text(&q, name);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	*ret_found = changes > 0;
	return 0;
}

/* Extensions come from clients: there must be an end to them. */
static int
types_are_full(struct db_tx *tx, bool *ret_full, struct err *err)
{
	char *end = rec_prefix_end(REC_COUNTER_TYPE);
	struct sql q;
	int rc = -1;

	if (sql_open(&q, tx, SQL_TYPES, err) < 0)
		goto out;
	sql_put_text(&q, tx->node);
	sql_put_text(&q, REC_COUNTER_TYPE);
	sql_put_text(&q, end);
	rc = sql_step(&q, err);
	if (rc > 0)
		*ret_full = sql_get_int(&q) >= REC_COUNTER_TYPES;
	rc = rc < 0 ? -1 : 0;
	sql_close(&q);
out:
	free(end);
	return rc;
}

/* ${full}: they were, or are now; full once is full for the rest. */
static int
insert_row(struct db_tx *tx, const struct rec_counter_delta *at, bool *full,
    struct err *err)
{
	bool is_type =
	    strncmp(at->name, REC_COUNTER_TYPE, strlen(REC_COUNTER_TYPE)) == 0;
	struct sql q;

	if (is_type && !*full && types_are_full(tx, full, err) < 0)
		return -1;
	if (sql_open(&q, tx, SQL_INSERT, err) < 0)
		return -1;
	sql_put_text(&q, tx->node);
	sql_put_text(&q, is_type && *full ? REC_COUNTER_TYPE_OTHER : at->name);
	sql_put_int(&q, at->group);
	return sql_run(&q, NULL, err);
}

int
rec_counter_write(struct db_tx *tx, struct err *err)
{
	const struct rec_counter_delta *at;
	bool found, full = false;
	size_t i;

	for (i = 0; i < tx->deltas->count; i++) {
		at = &tx->deltas->at[i];
		if (at->group == 0)
			continue;
		if (add_to_row(tx, at->name, at->group, &found, err) < 0)
			return -1;
		if (!found && insert_row(tx, at, &full, err) < 0)
			return -1;
	}
	return 0;
}

int
rec_counter_get(
    struct db_tx *tx, const char *name, int64_t *ret, struct err *err)
{
	const struct rec_counter_delta *at = NULL;
	int64_t sum = 0;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_GET, err) < 0)
		return -1;
	sql_put_text(&q, name);
	rc = sql_step(&q, err);
	if (rc > 0)
		sum = sql_get_int(&q);
	sql_close(&q);
	if (rc < 0)
		return -1;
	if (tx->deltas != NULL)
		at = find(tx->deltas, name);
	*ret = at == NULL ? sum : sum + at->job + at->group;
	return 0;
}

int
rec_counter_on_record(
    struct db_tx *tx, const char *name, uint64_t *ret, struct err *err)
{
	char pruned[REC_COUNTER_NAME];
	int64_t all, gone;

	(void)snprintf(pruned, sizeof(pruned), REC_COUNTER_PRUNED "%s", name);
	if (rec_counter_get(tx, name, &all, err) < 0 ||
	    rec_counter_get(tx, pruned, &gone, err) < 0)
		return -1;
	*ret = all > gone ? (uint64_t)(all - gone) : 0;
	return 0;
}

int
rec_counter_between(struct db_tx *tx, const struct rec_counter_range *range,
    rec_counter_fn fn, void *arg, struct err *err)
{
	char name[REC_COUNTER_NAME];
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_EACH, err) < 0)
		return -1;
	sql_put_text(&q, range->from);
	sql_put_text(&q, range->end);
	while ((rc = sql_step(&q, err)) > 0) {
		sql_get_chars(&q, name, sizeof(name));
		rc = fn(arg, name, sql_get_int(&q), err);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}

int
rec_counter_each(struct db_tx *tx, const char *prefix, rec_counter_fn fn,
    void *arg, struct err *err)
{
	char *end = rec_prefix_end(prefix);
	/* Names are ASCII. */
	struct rec_counter_range range = { prefix, end == NULL ? "\x7f" : end };
	int rc = rec_counter_between(tx, &range, fn, arg, err);

	free(end);
	return rc;
}
