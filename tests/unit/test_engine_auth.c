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
