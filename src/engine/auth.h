/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_AUTH_H
#define ENGINE_AUTH_H

/*
 * API keys and who they make the caller.  The keys live in memory (checking
 * one is a hash and a look-up, never a query) and, as SHA-256 hashes, in the
 * database.  All functions may be called from any thread; auth_generate(),
 * auth_revoke(), auth_list(), auth_read_again() and auth_write_uses() wait for
 * the database.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/slice.h"
#include "db/db.h"
#include "db/rec_key.h"

/* Scopes, as bits; admin includes all. */
#define AUTH_READ 1u
#define AUTH_WRITE 2u
#define AUTH_ADMIN 4u
#define AUTH_ALL (AUTH_READ | AUTH_WRITE | AUTH_ADMIN)

#define AUTH_PREFIX_MAX 1024

/* Who asks.  Every engine call that touches names takes one (rule 26). */
struct principal {
	bool has_key;
	unsigned scopes;      /* without a key: all that needs none */
	char key_id[ID_SIZE]; /* "" without a key and for the first admin key */
	char prefix[AUTH_PREFIX_MAX + 1]; /* "" : every name */
	int64_t expires_ms; /* unix ms, when the key does; 0: never */
};

/* Who is at the other end, for the records; strings are borrowed. */
struct client {
	const char *ip;
	const char *id;    /* NULL: none */
	const char *agent; /* NULL: none */
};

struct auth;

/* Loads the keys; ${admin_key} is the first admin key, copied as a hash; NULL:
 * there is none, for who only makes keys. */
int auth_new(struct db *db, const struct clock *clock, const char *admin_key,
    struct auth **ret_auth, struct err *err);
void auth_free(struct auth *a);

/* Whoever comes without a key. */
void auth_anonymous(struct principal *ret);
/* The holder of ${key}; ERR_INVALID_API_KEY when it is unknown, expired or
 * revoked. */
int auth_check(
    struct auth *a, struct slice key, struct principal *ret, struct err *err);
/* Does the key that ${who} came with still hold, after some waiting?  As
 * auth_check(); 0, too, for who has none. */
int auth_check_again(
    struct auth *a, const struct principal *who, struct err *err);
bool auth_allows(const struct principal *p, unsigned scope);

/* "read,write" words to bits and back. ERR_INVALID_PARAMETER. */
int auth_scopes_parse(struct slice word, unsigned *scopes, struct err *err);
extern const char *const auth_scope_names[3]; /* bit 0, 1, 2 */

struct auth_new_key {
	const char *name; /* NULL: none */
	unsigned scopes;
	const char *prefix;    /* NULL: none */
	int64_t expires_in_ms; /* 0: never */
};
/* ERR_INVALID_PARAMETER names the field (ERR_INVALID_FILENAME: the prefix) and
 * says what is wrong with it. */
int auth_check_new(const struct auth_new_key *nk, struct err *err);
#define AUTH_EXPIRES_MAX (100ll * 366 * 24 * 3600 * 1000) /* ms */
#define AUTH_KEY_SIZE 48
/* Makes and stores a key.  *${ret} is for the caller to rec_key_fini(). */
int auth_generate(struct auth *a, const struct auth_new_key *nk,
    char ret_key[AUTH_KEY_SIZE], struct rec_key *ret, struct err *err);
/* From now on unknown. ERR_KEY_NOT_FOUND. */
int auth_revoke(struct auth *a, const char *id, struct err *err);
/* Another process has made keys: knows them, too.  *${ret_new}: how many. */
int auth_read_again(struct auth *a, size_t *ret_new, struct err *err);
/* Records the last uses that are known in memory only, all in one go.  Those
 * that could not be written are tried again with their next use. */
int auth_write_uses(struct auth *a, struct err *err);
/* Calls ${fn} for every key, oldest first, with its last use up to date. */
int auth_list(struct auth *a, rec_key_fn fn, void *arg, struct err *err);

#endif
