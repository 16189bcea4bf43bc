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

/* A key in memory.  Owned by the map, read and written under auth->lock. */
struct entry {
	struct rec_key rec;
	int64_t used_written_ms; /* as the database has it, or soon will */
};

struct auth {
	struct db *db;
	const struct clock *clock;
	unsigned char admin[REC_KEY_HASH]; /* constant, as the next */
	bool has_admin;
	/* Over what changes both, database and memory, so that the two do it in
	 * the same order; taken before ${lock}, and held while one waits. */
	pthread_mutex_t change;
	pthread_mutex_t lock; /* over the next, and the entries */
	struct map *by_hash;  /* hex of the hash -> struct entry */
	struct map *by_id;    /* the same entries */
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
	(void)map_put(a->by_id, slice_str(e->rec.id), e);
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
	a->by_id = map_new();
	pthread_mutex_init(&a->change, NULL);
	pthread_mutex_init(&a->lock, NULL);
	a->has_admin = admin_key != NULL;
	if (a->has_admin)
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
	map_free(a->by_id);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->change);
	free(a);
}

void
auth_anonymous(struct principal *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->scopes = AUTH_READ | AUTH_WRITE;
}

/* --- the last uses ---------------------------------------------------------
 */

struct use {
	char id[ID_SIZE];
	int64_t when_ms;
};

struct uses {
	struct use *list; /* owned */
	size_t n;
};

/* Takes those that are not written down; from now on they count as such. */
static void
take_uses(struct auth *a, struct uses *ret)
{
	struct slice key;
	struct entry *e;
	size_t pos = 0;

	ret->n = 0;
	pthread_mutex_lock(&a->lock);
	ret->list = mem_calloc(map_count(a->by_hash) + 1, sizeof(*ret->list));
	while ((e = map_next(a->by_hash, &pos, &key)) != NULL) {
		struct use *u = &ret->list[ret->n];

		if (e->rec.last_used_ms <= e->used_written_ms)
			continue;
		e->used_written_ms = e->rec.last_used_ms;
		memcpy(u->id, e->rec.id, ID_SIZE);
		u->when_ms = e->rec.last_used_ms;
		ret->n++;
	}
	pthread_mutex_unlock(&a->lock);
}

static int
write_uses(struct db_tx *tx, void *arg, struct err *err)
{
	const struct uses *u = arg;

	for (size_t i = 0; i < u->n; i++)
		if (rec_key_used(tx, u->list[i].id, u->list[i].when_ms, err) <
		    0)
			return -1;
	return 0;
}

int
auth_write_uses(struct auth *a, struct err *err)
{
	struct uses uses;
	int rc = 0;

	take_uses(a, &uses);
	if (uses.n > 0)
		rc = db_write(a->db, write_uses, &uses, err);
	free(uses.list);
	return rc;
}

/* --- who it is --------------------------------------------------------------
 */

static int
unknown(struct err *err)
{
	return err_set(err, ERR_INVALID_API_KEY,
	    "the API key is unknown, expired or revoked");
}

int
auth_check(
    struct auth *a, struct slice key, struct principal *ret, struct err *err)
{
	unsigned char hash[REC_KEY_HASH];
	char hex[SHA256_HEX_SIZE];
	int64_t now_ms = clock_wall_ms(a->clock);
	struct entry *e;
	bool known;

	/*
	 * The look-up is by the hash: its timing tells nothing of use about the
	 * key, and the last comparison is in constant time.
	 */
	sha256(key.p, key.n, hash);
	memset(ret, 0, sizeof(*ret));
	ret->has_key = true;
	if (a->has_admin && secret_equal(hash, a->admin, sizeof(hash))) {
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
		e->rec.last_used_ms = now_ms;
	}
	pthread_mutex_unlock(&a->lock);
	return known ? 0 : unknown(err);
}

int
auth_check_again(struct auth *a, const struct principal *who, struct err *err)
{
	bool holds;

	if (who->key_id[0] == '\0')
		return 0;
	if (who->expires_ms != 0 && who->expires_ms <= clock_wall_ms(a->clock))
		return unknown(err);
	pthread_mutex_lock(&a->lock);
	holds = map_get(a->by_id, slice_str(who->key_id)) != NULL;
	pthread_mutex_unlock(&a->lock);
	return holds ? 0 : unknown(err);
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

/* In the database and in memory. */
static int
put(struct auth *a, struct rec_key *k, struct err *err)
{
	int rc;

	pthread_mutex_lock(&a->change);
	rc = db_write(a->db, put_key, k, err);
	if (rc == 0) {
		pthread_mutex_lock(&a->lock);
		remember(a, k);
		pthread_mutex_unlock(&a->lock);
	}
	pthread_mutex_unlock(&a->change);
	return rc;
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
	if (put(a, &k, err) < 0)
		goto out;
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
	struct entry *e = map_remove(a->by_id, slice_str(id));
	char hex[SHA256_HEX_SIZE];

	if (e == NULL)
		return;
	hash_text(e->rec.hash, hex);
	entry_free(map_remove(a->by_hash, slice_str(hex)));
}

int
auth_revoke(struct auth *a, const char *id, struct err *err)
{
	char copy[ID_SIZE];
	int rc;

	if (!id_is_valid(id))
		return err_set(
		    err, ERR_KEY_NOT_FOUND, "there is no key with this id");
	memcpy(copy, id, ID_SIZE);
	pthread_mutex_lock(&a->change);
	rc = db_write(a->db, remove_key, copy, err);
	if (rc == 0) {
		pthread_mutex_lock(&a->lock);
		forget(a, id);
		pthread_mutex_unlock(&a->lock);
	}
	pthread_mutex_unlock(&a->change);
	return rc;
}

/* --- what came from beside --------------------------------------------------
 */

struct news {
	struct auth *auth;
	size_t n;
};

static int
add_one(void *arg, const struct rec_key *k, struct err *err)
{
	struct news *news = arg;
	char hex[SHA256_HEX_SIZE];

	(void)err;
	hash_text(k->hash, hex);
	pthread_mutex_lock(&news->auth->lock);
	if (map_get(news->auth->by_hash, slice_str(hex)) == NULL) {
		remember(news->auth, k);
		news->n++;
	}
	pthread_mutex_unlock(&news->auth->lock);
	return 0;
}

static int
add_all(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_key_each(tx, add_one, arg, err);
}

int
auth_read_again(struct auth *a, size_t *ret_new, struct err *err)
{
	struct news news = { a, 0 };
	int rc;

	pthread_mutex_lock(&a->change);
	rc = db_read(a->db, add_all, &news, err);
	pthread_mutex_unlock(&a->change);
	*ret_new = news.n;
	return rc;
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
