/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_FILE_LIST_H
#define DB_REC_FILE_LIST_H

/*
 * Files for people, in an order of their choice.  A page begins behind the
 * place of the last one's end: a key and a name, not a number of rows, so that
 * no file which stays is missed or seen twice while others come and go.
 *
 * Each order walks an index; by name even a prefix costs only what it holds.
 * In the others one that holds FILES_FEW at most is put in order as it is asked
 * for, and a larger one looked for in the index, where it is soon met.
 */

#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "db/rec_file.h"

#define FILES_FEW 10000

enum rec_file_order {
	REC_FILE_BY_NAME, /* by its bytes */
	REC_FILE_NEWEST,  /* modified last comes first */
	REC_FILE_LARGEST, /* comes first */
};

struct rec_file_query {
	const char *prefix; /* the caller's */
	const char *begins; /* with this as well; "" for all */
	enum rec_file_order order;
	const char *after; /* this name; NULL: from the first */
	int64_t after_key; /* rec_file_order_key() of it */
	unsigned limit;
};

/* What a file is ordered by; 0 by name. */
int64_t rec_file_order_key(enum rec_file_order order, const struct rec_file *f);
int rec_file_list(struct db_tx *tx, const struct rec_file_query *q,
    rec_file_fn fn, void *arg, struct err *err);

#endif
