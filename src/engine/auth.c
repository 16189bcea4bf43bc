/* SPDX-License-Identifier: MIT */
#include "engine/auth.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/map.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

/* How far a key's recorded last use may lag, so that a busy key does not
 * write a row for every request. */
#define USED_LAG_MS 60000

/* A key in memory.  Owned by the map, read and written under auth->lock. */
struct entry {
	struct rec_key rec;
	int64_t used_written_ms;
};

struct auth {
	struct db *db;
	const struct clock *clock;
	unsigned char admin[REC_KEY_HASH]; /* constant */
	pthread_mutex_t lock;
	struct map *by_hash; /* hex of the hash -> struct entry */
};

const char *const auth_scope_names[3] = { "read", "write", "admin" };

static_assert(AUTH_KEY_SIZE >= SECRET_KEY_SIZE, "a key fits");

static void
hash_text(const unsigned char hash[REC_KEY_HASH], char ret[SHA256_HEX_SIZE])
{
	hex_encode(hash, REC_KEY_HASH, ret);
}

static void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	rec_key_fini(&e->rec);
	free(e);
}

static void
copy_key(struct rec_key *ret, const struct rec_key *k)
{
	*ret = *k;
	ret->name = mem_strdup(k->name);
	ret->prefix = mem_strdup(k->prefix);
}

static void
remember(struct auth *a, const struct rec_key *k)
{
	char hex[SHA256_HEX_SIZE];
	struct entry *e = mem_calloc(1, sizeof(*e));

	copy_key(&e->rec, k);
	e->used_written_ms = k->last_used_ms;
	hash_text(k->hash, hex);
	entry_free(map_put(a->by_hash, slice_str(hex), e));
}

static int
load_one(void *arg, const struct rec_key *k, struct err *err)
{
	(void)err;
	remember(arg, k);
	return 0;
}

static int
load_all(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_each(tx, load_one, arg, err);
}

int
auth_new(struct db *db, const struct clock *clock, const char *admin_key,
    struct auth **ret_auth, struct err *err)
{
	struct auth *a = mem_calloc(1, sizeof(*a));

	a->db = db;
	a->clock = clock;
	a->by_hash = map_new();
	pthread_mutex_init(&a->lock, NULL);
	sha256(admin_key, strlen(admin_key), a->admin);
	if (db_read(db, load_all, a, err) < 0) {
		auth_free(a);
		return -1;
	}
	*ret_auth = a;
	return 0;
}

void
auth_free(struct auth *a)
{
	struct slice key;
	struct entry *e;
	size_t pos = 0;

	if (a == NULL)
		return;
	while ((e = map_next(a->by_hash, &pos, &key)) != NULL)
		entry_free(e);
	map_free(a->by_hash);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void
auth_anonymous(struct principal *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->scopes = AUTH_READ | AUTH_WRITE;
}

/* A use to be recorded, owned by the database's queue. */
struct use {
	char id[ID_SIZE];
	int64_t when_ms;
};

static int
write_use(struct db_tx *tx, void *arg, struct err *err)
{
	const struct use *u = arg;

	return rec_key_used(tx, u->id, u->when_ms, err);
}

static void
use_done(void *arg, const struct err *err)
{
	(void)err; /* a last use that is not recorded harms nobody */
	free(arg);
}

/* Under the lock: counts a use; true when it should be written down. */
static bool
mark_used(struct entry *e, int64_t now_ms)
{
	e->rec.last_used_ms = now_ms;
	if (now_ms - e->used_written_ms < USED_LAG_MS)
		return false;
	e->used_written_ms = now_ms;
	return true;
}

static void
record_use(struct auth *a, const char *id, int64_t now_ms)
{
	struct use *u = mem_calloc(1, sizeof(*u));

	memcpy(u->id, id, ID_SIZE);
	u->when_ms = now_ms;
	db_write_later(a->db, write_use, u, use_done);
}

int
auth_check(
    struct auth *a, struct slice key, struct principal *ret, struct err *err)
{
	unsigned char hash[REC_KEY_HASH];
	char hex[SHA256_HEX_SIZE];
	int64_t now_ms = clock_wall_ms(a->clock);
	struct entry *e;
	bool write_it = false;
	bool known;

	/*
	 * The look-up is by the hash: its timing tells nothing of use about the
	 * key, and the last comparison is in constant time.
	 */
	sha256(key.p, key.n, hash);
	memset(ret, 0, sizeof(*ret));
	ret->has_key = true;
	if (secret_equal(hash, a->admin, sizeof(hash))) {
		ret->scopes = AUTH_ALL;
		return 0;
	}
	hash_text(hash, hex);
	pthread_mutex_lock(&a->lock);
	e = map_get(a->by_hash, slice_str(hex));
	known = e != NULL && secret_equal(hash, e->rec.hash, sizeof(hash)) &&
	        (e->rec.expires_ms == 0 || e->rec.expires_ms > now_ms);
	if (known) {
		ret->scopes = e->rec.scopes;
		ret->expires_ms = e->rec.expires_ms;
		memcpy(ret->key_id, e->rec.id, ID_SIZE);
		if (e->rec.prefix != NULL)
			memcpy(ret->prefix, e->rec.prefix,
			    strlen(e->rec.prefix) + 1);
		write_it = mark_used(e, now_ms);
	}
	pthread_mutex_unlock(&a->lock);
	if (!known)
		return err_set(err, ERR_INVALID_API_KEY,
		    "the API key is unknown, expired or revoked");
	if (write_it)
		record_use(a, ret->key_id, now_ms);
	return 0;
}

bool
auth_allows(const struct principal *p, unsigned scope)
{
	return (p->scopes & AUTH_ADMIN) != 0 || (p->scopes & scope) == scope;
}

int
auth_scopes_parse(struct slice word, unsigned *scopes, struct err *err)
{
	for (unsigned i = 0; i < 3; i++) {
		if (slice_eq_str(word, auth_scope_names[i])) {
			*scopes |= 1u << i;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID_PARAMETER,
	    "a scope must be 'read', 'write' or 'admin'");
}

static int
put_key(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_put(tx, arg, err);
}

int
auth_generate(struct auth *a, const struct auth_new_key *nk,
    char ret_key[AUTH_KEY_SIZE], struct rec_key *ret, struct err *err)
{
	char key[SECRET_KEY_SIZE];
	struct rec_key k = { 0 };
	int rc = -1;

	k.created_ms = clock_wall_ms(a->clock);
	id_new(k.created_ms, k.id);
	k.name = mem_strdup(nk->name);
	k.prefix = mem_strdup(nk->prefix);
	k.scopes = nk->scopes;
	if (nk->expires_in_ms > 0)
		k.expires_ms = k.created_ms + nk->expires_in_ms;
	secret_new_key(key);
	sha256(key, strlen(key), k.hash);
	if (db_write(a->db, put_key, &k, err) < 0)
		goto out;
	pthread_mutex_lock(&a->lock);
	remember(a, &k);
	pthread_mutex_unlock(&a->lock);
	memcpy(ret_key, key, sizeof(key));
	*ret = k;
	memset(&k, 0, sizeof(k));
	rc = 0;
out:
	rec_key_fini(&k);
	mem_wipe(key, sizeof(key));
	return rc;
}

static int
remove_key(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_remove(tx, arg, err);
}

/* Under the lock: out of memory. */
static void
forget(struct auth *a, const char *id)
{
	char hex[SHA256_HEX_SIZE];
	struct slice key;
	struct entry *e;
	size_t pos = 0;

	while ((e = map_next(a->by_hash, &pos, &key)) != NULL) {
		if (strcmp(e->rec.id, id) == 0) {
			hash_text(e->rec.hash, hex);
			entry_free(map_remove(a->by_hash, slice_str(hex)));
			return;
		}
	}
}

int
auth_revoke(struct auth *a, const char *id, struct err *err)
{
	char copy[ID_SIZE];

	if (!id_is_valid(id))
		return err_set(
		    err, ERR_KEY_NOT_FOUND, "there is no key with this id");
	memcpy(copy, id, ID_SIZE);
	if (db_write(a->db, remove_key, copy, err) < 0)
		return -1;
	pthread_mutex_lock(&a->lock);
	forget(a, id);
	pthread_mutex_unlock(&a->lock);
	return 0;
}

struct listing {
	struct auth *auth;
	rec_key_fn fn;
	void *arg;
};

static int
list_one(void *arg, const struct rec_key *k, struct err *err)
{
	const struct listing *l = arg;
	char hex[SHA256_HEX_SIZE];
	struct rec_key now = *k;
	const struct entry *e;

	hash_text(k->hash, hex);
	pthread_mutex_lock(&l->auth->lock);
	e = map_get(l->auth->by_hash, slice_str(hex));
	if (e != NULL && e->rec.last_used_ms > now.last_used_ms)
		now.last_used_ms = e->rec.last_used_ms;
	pthread_mutex_unlock(&l->auth->lock);
	return l->fn(l->arg, &now, err);
}

static int
list_all(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_each(tx, list_one, arg, err);
}

int
auth_list(struct auth *a, rec_key_fn fn, void *arg, struct err *err)
{
	struct listing l = { a, fn, arg };

	return db_read(a->db, list_all, &l, err);
}
