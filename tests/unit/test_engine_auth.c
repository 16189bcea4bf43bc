/* SPDX-License-Identifier: MIT */
#include "engine/auth.h"

#include <string.h>

#include "engine_fixture.h"
#include "unit.h"

static void
make(struct fixture *f, const struct auth_new_key *nk, char key[AUTH_KEY_SIZE],
    char id[ID_SIZE])
{
	struct rec_key k;
	struct err err = ERR_INIT;

	assert_int_equal(auth_generate(f->engine->auth, nk, key, &k, &err), 0);
	memcpy(id, k.id, ID_SIZE);
	rec_key_fini(&k);
}

static enum err_code
check(struct fixture *f, const char *key, struct principal *ret)
{
	struct err err = ERR_INIT;

	(void)auth_check(f->engine->auth, slice_str(key), ret, &err);
	return err.code;
}

TEST(test_engine_auth__the_first_admin_key_may_everything)
{
	struct principal p;
	struct fixture f;

	fixture_init(&f, NULL);
	assert_int_equal(check(&f, "the-first-admin-key", &p), ERR_NONE);
	assert_true(auth_allows(&p, AUTH_ADMIN));
	assert_true(auth_allows(&p, AUTH_READ | AUTH_WRITE));
	assert_int_equal(
	    check(&f, "the-first-admin-kex", &p), ERR_INVALID_API_KEY);
	assert_int_equal(check(&f, "", &p), ERR_INVALID_API_KEY);
	fixture_fini(&f);
}

TEST(test_engine_auth__a_key_has_its_scopes_and_prefix)
{
	const struct auth_new_key nk = {
		.name = "n",
		.scopes = AUTH_READ,
		.prefix = "team-a/",
	};
	char key[AUTH_KEY_SIZE], id[ID_SIZE];
	struct principal p;
	struct fixture f;

	fixture_init(&f, NULL);
	make(&f, &nk, key, id);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	assert_string_equal(p.key_id, id);
	assert_string_equal(p.prefix, "team-a/");
	assert_true(auth_allows(&p, AUTH_READ));
	assert_false(auth_allows(&p, AUTH_WRITE));
	assert_false(auth_allows(&p, AUTH_ADMIN));
	fixture_fini(&f);
}

TEST(test_engine_auth__who_was_let_in_is_checked_again)
{
	const struct auth_new_key nk = {
		.scopes = AUTH_READ,
		.expires_in_ms = 1000,
	};
	char key[AUTH_KEY_SIZE], id[ID_SIZE], other[ID_SIZE];
	struct err err = ERR_INIT;
	struct principal p, q;
	struct fixture f;
	struct auth *a;

	fixture_init(&f, NULL);
	a = f.engine->auth;
	make(&f, &nk, key, id);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	make(&f, &nk, key, other);
	assert_int_equal(check(&f, key, &q), ERR_NONE);
	assert_int_equal(auth_check_again(a, &p, &err), 0);
	assert_int_equal(auth_revoke(a, id, &err), 0);
	assert_int_equal(auth_check_again(a, &p, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_API_KEY);
	err_clear(&err);
	assert_int_equal(auth_check_again(a, &q, &err), 0);
	clock_manual_advance(&f.clock, 1000);
	assert_int_equal(auth_check_again(a, &q, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_API_KEY);
	auth_anonymous(&p);
	assert_int_equal(auth_check_again(a, &p, NULL), 0);
	assert_int_equal(check(&f, "the-first-admin-key", &p), ERR_NONE);
	assert_int_equal(auth_check_again(a, &p, NULL), 0);
	fixture_fini(&f);
}

TEST(test_engine_auth__a_key_ends_when_it_expires_or_is_revoked)
{
	const struct auth_new_key short_lived = {
		.scopes = AUTH_READ,
		.expires_in_ms = 1000,
	};
	const struct auth_new_key lasting = { .scopes = AUTH_READ };
	char key[AUTH_KEY_SIZE], id[ID_SIZE];
	struct err err = ERR_INIT;
	struct principal p;
	struct fixture f;

	fixture_init(&f, NULL);
	make(&f, &short_lived, key, id);
	clock_manual_advance(&f.clock, 999);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	clock_manual_advance(&f.clock, 1);
	assert_int_equal(check(&f, key, &p), ERR_INVALID_API_KEY);

	make(&f, &lasting, key, id);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	assert_int_equal(auth_revoke(f.engine->auth, id, &err), 0);
	assert_int_equal(check(&f, key, &p), ERR_INVALID_API_KEY);
	assert_int_equal(auth_revoke(f.engine->auth, id, &err), -1);
	assert_int_equal(err.code, ERR_KEY_NOT_FOUND);
	fixture_fini(&f);
}

TEST(test_engine_auth__keys_are_there_again_after_a_restart)
{
	const struct auth_new_key nk = { .scopes = AUTH_WRITE };
	char key[AUTH_KEY_SIZE], id[ID_SIZE];
	struct err err = ERR_INIT;
	struct principal p;
	struct fixture f;

	fixture_init(&f, NULL);
	make(&f, &nk, key, id);
	auth_free(f.engine->auth);
	assert_int_equal(auth_new(f.engine->db, f.engine->clock,
	                     "another-admin-key", &f.engine->auth, &err),
	    0);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	assert_true(auth_allows(&p, AUTH_WRITE));
	assert_int_equal(
	    check(&f, "the-first-admin-key", &p), ERR_INVALID_API_KEY);
	fixture_fini(&f);
}

static int
last_use(void *arg, const struct rec_key *k, struct err *err)
{
	(void)err;
	*(int64_t *)arg = k->last_used_ms;
	return 0;
}

TEST(test_engine_auth__the_list_knows_the_last_use)
{
	const struct auth_new_key nk = { .scopes = AUTH_READ };
	char key[AUTH_KEY_SIZE], id[ID_SIZE];
	struct err err = ERR_INIT;
	struct principal p;
	struct fixture f;
	int64_t used = -1;

	fixture_init(&f, NULL);
	make(&f, &nk, key, id);
	assert_int_equal(auth_list(f.engine->auth, last_use, &used, &err), 0);
	assert_int_equal(used, 0);
	clock_manual_advance(&f.clock, 5);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	assert_int_equal(auth_list(f.engine->auth, last_use, &used, &err), 0);
	assert_int_equal(used, clock_wall_ms(f.engine->clock));
	fixture_fini(&f);
}

static int64_t
recorded_use(struct fixture *f)
{
	struct err err = ERR_INIT;
	struct auth *fresh;
	int64_t used = -1;

	/* one that knows nothing but what is in the database */
	assert_int_equal(
	    auth_new(f->engine->db, f->engine->clock, NULL, &fresh, &err), 0);
	assert_int_equal(auth_list(fresh, last_use, &used, &err), 0);
	auth_free(fresh);
	return used;
}

TEST(test_engine_auth__uses_are_written_when_it_is_told)
{
	const struct auth_new_key nk = { .scopes = AUTH_READ };
	char key[AUTH_KEY_SIZE], id[ID_SIZE];
	struct err err = ERR_INIT;
	struct principal p;
	struct fixture f;
	int64_t first;

	fixture_init(&f, NULL);
	make(&f, &nk, key, id);
	clock_manual_advance(&f.clock, 5);
	first = clock_wall_ms(f.engine->clock);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	fixture_settle(&f);
	assert_int_equal(recorded_use(&f), 0);
	assert_int_equal(auth_write_uses(f.engine->auth, &err), 0);
	assert_int_equal(recorded_use(&f), first);
	/* nothing new, nothing written; then the newest */
	assert_int_equal(auth_write_uses(f.engine->auth, &err), 0);
	clock_manual_advance(&f.clock, 5);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	clock_manual_advance(&f.clock, 5);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	assert_int_equal(check(&f, "wrong", &p), ERR_INVALID_API_KEY);
	assert_int_equal(auth_write_uses(f.engine->auth, &err), 0);
	assert_int_equal(recorded_use(&f), first + 10);
	fixture_fini(&f);
}

TEST(test_engine_auth__keys_that_another_process_made)
{
	const struct auth_new_key nk = { .scopes = AUTH_READ };
	char key[AUTH_KEY_SIZE], old[AUTH_KEY_SIZE], id[ID_SIZE];
	struct err err = ERR_INIT;
	struct auth *other;
	struct rec_key k;
	struct principal p;
	struct fixture f;
	size_t n;

	fixture_init(&f, NULL);
	make(&f, &nk, old, id);
	assert_int_equal(
	    auth_new(f.engine->db, f.engine->clock, NULL, &other, &err), 0);
	assert_int_equal(auth_generate(other, &nk, key, &k, &err), 0);
	rec_key_fini(&k);
	assert_int_equal(check(&f, key, &p), ERR_INVALID_API_KEY);
	assert_int_equal(auth_read_again(f.engine->auth, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(check(&f, key, &p), ERR_NONE);
	assert_int_equal(check(&f, old, &p), ERR_NONE);
	/* what is revoked here stays so */
	assert_int_equal(auth_revoke(f.engine->auth, id, &err), 0);
	assert_int_equal(auth_read_again(f.engine->auth, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(check(&f, old, &p), ERR_INVALID_API_KEY);
	auth_free(other);
	fixture_fini(&f);
}

TEST(test_engine_auth__without_a_first_admin_key_none_fits)
{
	struct err err = ERR_INIT;
	struct principal p;
	struct auth *a;
	struct fixture f;

	fixture_init(&f, NULL);
	assert_int_equal(
	    auth_new(f.engine->db, f.engine->clock, NULL, &a, &err), 0);
	assert_int_equal(auth_check(a, SLICE_LIT(""), &p, &err), -1);
	assert_int_equal(
	    auth_check(a, SLICE_LIT("the-first-admin-key"), &p, &err), -1);
	auth_free(a);
	fixture_fini(&f);
}

TEST(test_engine_auth__what_a_new_key_may_be_like)
{
	static const struct {
		struct auth_new_key nk;
		enum err_code code;
	} rows[] = {
		{ { NULL, AUTH_READ, NULL, 0 }, ERR_NONE },
		{ { "a b", AUTH_ADMIN, NULL, 0 }, ERR_NONE },
		{ { "", AUTH_READ, "team-a/", 0 }, ERR_NONE },
		{ { NULL, AUTH_READ, "team", 0 }, ERR_NONE },
		{ { "a\nb", AUTH_READ, NULL, 0 }, ERR_INVALID_PARAMETER },
		{ { "a\xff", AUTH_READ, NULL, 0 }, ERR_INVALID_PARAMETER },
		{ { NULL, AUTH_ADMIN, "a/", 0 }, ERR_INVALID_PARAMETER },
		{ { NULL, AUTH_READ, "e\xcc\x81/", 0 }, ERR_INVALID_PARAMETER },
		{ { NULL, AUTH_READ, "../", 0 }, ERR_INVALID_FILENAME },
		{ { NULL, AUTH_READ, "", 0 }, ERR_INVALID_FILENAME },
		{ { NULL, AUTH_READ, "/", 0 }, ERR_INVALID_FILENAME },
	};
	char long_name[200];
	struct auth_new_key nk = { .name = long_name, .scopes = AUTH_READ };
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct err)ERR_INIT;
		(void)auth_check_new(&rows[i].nk, &err);
		assert_int_equal(err.code, rows[i].code);
	}
	memset(long_name, 'n', sizeof(long_name));
	long_name[129] = '\0';
	assert_int_equal(auth_check_new(&nk, &err), -1);
	long_name[128] = '\0';
	assert_int_equal(auth_check_new(&nk, &err), 0);
}

TEST(test_engine_auth__scopes_are_words)
{
	struct err err = ERR_INIT;
	unsigned scopes = 0;

	assert_int_equal(
	    auth_scopes_parse(SLICE_LIT("read"), &scopes, &err), 0);
	assert_int_equal(
	    auth_scopes_parse(SLICE_LIT("admin"), &scopes, &err), 0);
	assert_int_equal(scopes, AUTH_READ | AUTH_ADMIN);
	assert_int_equal(
	    auth_scopes_parse(SLICE_LIT("Read"), &scopes, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_PARAMETER);
}
