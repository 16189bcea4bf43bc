/* SPDX-License-Identifier: MIT */
#ifndef UNIT_DB_HELP_H
#define UNIT_DB_HELP_H

/*
 * Records, for their tests.  DB_TEST runs its body over an empty database of
 * every kind that there is (the contract of a driver):
 *
 *	DB_TEST(test_db_rec_key__is_gone)
 *	{
 *		... db_write(db, ...) ...
 *	}
 *
 * help_*() run one record function each, as a job or as a read.
 */

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "db/rec_file.h"
#include "db/rec_transfer.h"
#include "unit.h"

void help_each_database(void (*test)(struct db *db));

#define DB_TEST(name)                                                          \
	static void name##_over(struct db *db);                                \
	TEST(name)                                                             \
	{                                                                      \
		help_each_database(name##_over);                               \
	}                                                                      \
	static void name##_over(struct db *db)

/* A durable one at ${path}, with backups in the test's "backups", which must
 * open. */
struct db *help_open(const char *path, struct db_state *ret_found);

/* How many files of the test's directory have ${part} in their names. */
unsigned help_count_files(const char *part);

/* "0000...<n>": ids in the order of their numbers. */
const char *help_id(unsigned n, char ret[ID_SIZE]);

/* Plain rows of their name; nothing in them is to be freed. */
struct rec_file help_file(const char *filename, unsigned blob);
struct rec_transfer help_transfer(
    const char *filename, unsigned id, enum rec_status status);

/* Each returns the code of its failure, ERR_NONE without. */
enum err_code help_file_put(
    struct db *db, const struct rec_file *f, bool may_replace, bool *ret_new);
enum err_code help_file_get(struct db *db, const char *prefix,
    const char *filename, struct rec_file *ret);
enum err_code help_file_remove(
    struct db *db, const char *prefix, const char *filename);
bool help_file_is_there(struct db *db, const char *filename);
bool help_blob_is_known(struct db *db, const char *blob_id);
enum err_code help_transfer_put(struct db *db, const struct rec_transfer *t);
enum err_code help_transfer_get(
    struct db *db, const char *id, struct rec_transfer *ret);
enum err_code help_transfer_newest(struct db *db, const char *prefix,
    const char *filename, struct rec_transfer *ret);
uint64_t help_transfer_count(struct db *db);
int64_t help_counter(struct db *db, const char *name);

#endif
