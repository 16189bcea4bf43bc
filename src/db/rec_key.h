/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_KEY_H
#define DB_REC_KEY_H

/* The record of an API key: never the key, only its SHA-256. */

#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "db/db.h"

#define REC_KEY_HASH 32

struct rec_key {
	char id[ID_SIZE];
	unsigned char hash[REC_KEY_HASH];
	char *name;      /* owned; NULL: none */
	unsigned scopes; /* bits of engine/auth.h */
	char *prefix;    /* owned; NULL: none */
	int64_t created_ms;
	int64_t expires_ms;   /* 0: never */
	int64_t last_used_ms; /* 0: never */
};

void rec_key_fini(struct rec_key *k);
int rec_key_put(struct db_tx *tx, const struct rec_key *k, struct err *err);
int rec_key_remove(struct db_tx *tx, const char *id, struct err *err);
/* ERR_KEY_NOT_FOUND */
int rec_key_used(
    struct db_tx *tx, const char *id, int64_t when_ms, struct err *err);
typedef int (*rec_key_fn)(void *arg, const struct rec_key *k, struct err *err);
int rec_key_each(struct db_tx *tx, rec_key_fn fn, void *arg, struct err *err);

#endif
