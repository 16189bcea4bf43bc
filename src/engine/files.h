/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_FILES_H
#define ENGINE_FILES_H

/*
 * The files that are there: listing and removing them.  Any thread; each call
 * waits for the database.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "db/rec_file_list.h"
#include "engine/engine.h"

struct files_page {
	struct rec_file *files; /* owned */
	size_t count;
	bool has_more; /* behind the last of them */
};
void files_page_fini(struct files_page *p);

/* The record of that name.  ERR_FILE_NOT_FOUND. */
int files_find(struct engine *e, const struct principal *who,
    const char *filename, struct rec_file *ret, struct err *err);
/* ${q}->prefix is set by it to what ${who} may see. */
int files_list(struct engine *e, const struct principal *who,
    struct rec_file_query *q, struct files_page *ret, struct err *err);
/* The name is gone; its bytes go as soon as nobody reads them any more.
 * ERR_FILE_NOT_FOUND. */
int files_remove(struct engine *e, const struct principal *who,
    const char *filename, struct err *err);

#endif
