/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <stdlib.h>
#include <string.h>

#include "db/rec_key.h"

struct keys {
	struct rec_key at[4];
	size_t count;
};

static int
take(void *arg, const struct rec_key *k, struct err *err)
{
	struct keys *keys = arg;

	(void)err;
	assert_true(keys->count < 4);
	keys->at[keys->count] = *k;
	keys->at[keys->count].name = k->name ? strdup(k->name) : NULL;
	keys->at[keys->count].prefix = k->prefix ? strdup(k->prefix) : NULL;
	keys->count++;
	return 0;
}

static int
read_all(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_each(tx, take, arg, err);
}

static void
drop(struct keys *keys)
{
	while (keys->count > 0)
		rec_key_fini(&keys->at[--keys->count]);
}

static int
put(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_put(tx, arg, err);
}

static int
remove_key(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_remove(tx, arg, err);
}

static int
used_at_70(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_used(tx, arg, 70, err);
}

static int
used_at_60(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_used(tx, arg, 60, err);
}

static struct rec_key
key(unsigned n)
{
	struct rec_key k = { .scopes = 3, .created_ms = 50, .expires_ms = 99 };

	help_id(n, k.id);
	memset(k.hash, (int)n, sizeof(k.hash));
	k.hash[0] = 0xff;
	return k;
}

DB_TEST(test_db_rec_key__comes_back_whole)
{
	char name[] = "deploy", prefix[] = "team/";
	struct keys keys = { .count = 0 };
	struct rec_key a = key(1);
	struct rec_key b = key(2);

	b.name = name;
	b.prefix = prefix;
	assert_int_equal(db_write(db, put, &b, NULL), 0);
	assert_int_equal(db_write(db, put, &a, NULL), 0);
	assert_int_equal(db_read(db, read_all, &keys, NULL), 0);
	assert_int_equal(keys.count, 2);
	assert_string_equal(keys.at[0].id, a.id);
	assert_null(keys.at[0].name);
	assert_null(keys.at[0].prefix);
	assert_string_equal(keys.at[1].id, b.id);
	assert_memory_equal(keys.at[1].hash, b.hash, REC_KEY_HASH);
	assert_string_equal(keys.at[1].name, "deploy");
	assert_string_equal(keys.at[1].prefix, "team/");
	assert_int_equal(keys.at[1].scopes, 3);
	assert_int_equal(keys.at[1].created_ms, 50);
	assert_int_equal(keys.at[1].expires_ms, 99);
	assert_int_equal(keys.at[1].last_used_ms, 0);
	drop(&keys);
}

DB_TEST(test_db_rec_key__is_gone_once_removed)
{
	struct keys keys = { .count = 0 };
	struct rec_key k = key(1);
	struct err err = ERR_INIT;

	assert_int_equal(db_write(db, put, &k, NULL), 0);
	assert_int_equal(db_write(db, remove_key, k.id, NULL), 0);
	assert_int_equal(db_write(db, remove_key, k.id, &err), -1);
	assert_int_equal(err.code, ERR_KEY_NOT_FOUND);
	assert_int_equal(db_read(db, read_all, &keys, NULL), 0);
	assert_int_equal(keys.count, 0);
}

DB_TEST(test_db_rec_key__use_never_goes_back)
{
	struct keys keys = { .count = 0 };
	struct rec_key k = key(1);

	assert_int_equal(db_write(db, put, &k, NULL), 0);
	assert_int_equal(db_write(db, used_at_70, k.id, NULL), 0);
	assert_int_equal(db_write(db, used_at_60, k.id, NULL), 0);
	/* Put again: its use and its age stay. */
	k.scopes = 1;
	k.created_ms = 1;
	assert_int_equal(db_write(db, put, &k, NULL), 0);
	assert_int_equal(db_read(db, read_all, &keys, NULL), 0);
	assert_int_equal(keys.at[0].last_used_ms, 70);
	assert_int_equal(keys.at[0].created_ms, 50);
	assert_int_equal(keys.at[0].scopes, 1);
	drop(&keys);
	/* Revoked in between: nothing to note, nothing wrong. */
	assert_int_equal(db_write(db, remove_key, k.id, NULL), 0);
	assert_int_equal(db_write(db, used_at_70, k.id, NULL), 0);
}

/* Two keys with one hash cannot be: which would it be? */
DB_TEST(test_db_rec_key__hash_is_one_keys)
{
	struct rec_key a = key(1);
	struct rec_key b = key(2);

	memcpy(b.hash, a.hash, sizeof(b.hash));
	assert_int_equal(db_write(db, put, &a, NULL), 0);
	assert_int_equal(db_write(db, put, &b, NULL), -1);
}
