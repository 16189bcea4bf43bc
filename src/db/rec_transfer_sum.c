/* SPDX-License-Identifier: MIT */

/* What a transfer's row counts for; the names are in rec_counter.h. */

#include <stdio.h>
#include <string.h>

#include "db/rec_counter.h"
#include "db/rec_day.h"
#include "db/rec_transfer_priv.h"

static const char *const directions[] = {
	[REC_UPLOAD] = "upload",
	[REC_DOWNLOAD] = "download",
};

/* The time that it moved, without the time that it waited for its turn. */
static int64_t
duration_us(const struct rec_transfer *t)
{
	if (t->speed_bps == 0)
		return (t->updated_ms - t->created_ms) * 1000;
	return (int64_t)((double)t->transferred * 1e6 / (double)t->speed_bps);
}

/* "type..txt": ASCII in lower case; what is too long is no extension, nor is
 * what follows the dot of a hidden file. */
static void
type_of(const char *filename, char ret[REC_COUNTER_NAME])
{
	const char *slash = strrchr(filename, '/');
	const char *last = slash == NULL ? filename : slash + 1;
	const char *dot = strrchr(last, '.');
	size_t n = strlen(REC_COUNTER_TYPE);

	memcpy(ret, REC_COUNTER_TYPE, n + 1);
	if (dot == NULL || dot == last || dot[1] == '\0' ||
	    strlen(dot) >= REC_COUNTER_NAME - n)
		return;
	for (; *dot != '\0'; dot++)
		ret[n++] = *dot >= 'A' && *dot <= 'Z' ? (char)(*dot - 'A' + 'a')
		                                      : *dot;
	ret[n] = '\0';
}

static void
add(struct db_tx *tx, const char *group, const char *which, int64_t v)
{
	char name[REC_COUNTER_NAME];

	snprintf(name, sizeof(name), "%s.%s", group, which);
	rec_counter_add(tx, name, v);
}

void
rec_transfer_sum_pruned(struct db_tx *tx, const struct rec_transfer *t)
{
	char name[REC_COUNTER_NAME];

	rec_counter_add(tx, REC_COUNTER_PRUNED "rows", 1);
	snprintf(name, sizeof(name), REC_COUNTER_PRUNED "%s.%s",
	    directions[t->direction], rec_status_name(t->status));
	rec_counter_add(tx, name, 1);
	rec_day_add(tx, t, -1);
}

void
rec_transfer_sum(struct db_tx *tx, const struct rec_transfer *t, int sign)
{
	const char *direction = directions[t->direction];
	char type[REC_COUNTER_NAME];

	rec_counter_add(tx, "rows", sign);
	rec_day_add(tx, t, sign);
	add(tx, direction, rec_status_name(t->status), sign);
	if (t->status == REC_COMPLETED) {
		add(tx, "bytes", direction, sign * (int64_t)t->transferred);
		add(tx, "us", direction, sign * duration_us(t));
	}
	if (t->direction != REC_UPLOAD)
		return;
	if (t->encryption)
		rec_counter_add(tx, "encrypted", sign);
	type_of(t->filename, type);
	rec_counter_add(tx, type, sign);
}
