/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_PREFIX_H
#define DB_REC_PREFIX_H

/*
 * A caller's prefix on names (rule 26), as a range that an index answers:
 * prefix <= name < end, compared by bytes.
 */

#include <stdbool.h>

bool rec_prefix_holds(const char *prefix, const char *name);
/* The first text (valid UTF-8 where the prefix is) after all that begin with
 * ${prefix}, for the caller to free(); NULL: nothing comes after them. */
char *rec_prefix_end(const char *prefix);

#endif
