/* SPDX-License-Identifier: MIT */
#include "db/rec_day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "db/db_priv.h"
#include "db/rec_counter.h"

/* So that all have six digits, and sort. */
#define BASE 100000
#define LAST 899999

static int
day_of(int64_t ms)
{
	int64_t day = ms / REC_DAY_MS;

	if (day < 0)
		return 0;
	return day < LAST ? (int)day : LAST;
}

void
rec_day_add(struct db_tx *tx, const struct rec_transfer *t, int sign)
{
	char name[REC_COUNTER_NAME];

	(void)snprintf(name, sizeof(name), REC_DAY "%d.%d%d",
	    BASE + day_of(id_wall_ms(t->id)), (int)t->direction,
	    (int)t->status);
	rec_counter_add(tx, name, sign);
}

/* --- reading ---------------------------------------------------------------
 */

struct day {
	int day;
	uint64_t count;
};

struct days {
	const struct rec_day_query *query;
	struct day *at; /* in order */
	size_t count;
	size_t cap;
};

static struct day *
last_of(struct days *d, int day)
{
	if (d->count > 0 && d->at[d->count - 1].day == day)
		return &d->at[d->count - 1];
	if (d->count == d->cap) {
		d->cap = d->cap == 0 ? 64 : 2 * d->cap;
		d->at = mem_realloc(d->at, d->cap * sizeof(*d->at));
	}
	d->at[d->count] = (struct day){ day, 0 };
	return &d->at[d->count++];
}

/* "day.120449.03" */
static int
take(void *arg, const char *name, int64_t value, struct err *err)
{
	struct days *d = arg;
	const char *digits = name + sizeof(REC_DAY) - 1;
	uint64_t day;

	(void)err;
	if (value <= 0 || strlen(digits) != 9 || digits[6] != '.' ||
	    !num_uint((struct slice){ digits, 6 }, UINT64_MAX, &day))
		return 0;
	if (d->query->direction >= 0 && digits[7] - '0' != d->query->direction)
		return 0;
	if (d->query->status >= 0 && digits[8] - '0' != d->query->status)
		return 0;
	last_of(d, (int)day - BASE)->count += (uint64_t)value;
	return 0;
}

static int
read_days(struct db_tx *tx, struct days *d, struct err *err)
{
	/* '/' comes behind the '.' of REC_DAY. */
	char from[REC_COUNTER_NAME], end[REC_COUNTER_NAME] = "day/";
	const struct rec_counter_range range = { from, end };

	(void)snprintf(
	    from, sizeof(from), REC_DAY "%d", BASE + day_of(d->query->from_ms));
	if (d->query->before_ms != INT64_MAX)
		(void)snprintf(end, sizeof(end), REC_DAY "%d",
		    BASE + day_of(d->query->before_ms));
	return rec_counter_between(tx, &range, take, d, err);
}

int
rec_day_count(struct db_tx *tx, const struct rec_day_query *q, uint64_t *ret,
    struct err *err)
{
	struct days d = { .query = q };
	int rc = read_days(tx, &d, err);

	*ret = 0;
	for (size_t i = 0; i < d.count; i++)
		*ret += d.at[i].count;
	free(d.at);
	return rc;
}

int
rec_day_skip(struct db_tx *tx, const struct rec_day_query *q, uint64_t *offset,
    int64_t *before_ms, struct err *err)
{
	struct days d = { .query = q };
	int rc = read_days(tx, &d, err);

	for (size_t i = d.count; rc == 0 && i-- > 0;) {
		if (d.at[i].count > *offset)
			break;
		*offset -= d.at[i].count;
		*before_ms = d.at[i].day * REC_DAY_MS;
	}
	free(d.at);
	return rc;
}
