/* SPDX-License-Identifier: MIT */
#include "api/guard.h"

#include <string.h>

#include "engine_fixture.h"
#include "unit.h"

#define RIGHT "the-first-admin-key"

struct ground {
	struct fixture f;
	struct guard *guard;
};

static void
begin(struct ground *g)
{
	fixture_init(&g->f, NULL);
	g->f.settings.auth_fail_limit = 2;
	g->f.settings.rate_limit = 2;
	g->f.settings.max_connections_per_client = 2;
	assert_int_equal(guard_new(&g->f.settings, g->f.engine->auth,
	                     g->f.engine->clock, &g->guard, NULL),
	    0);
}

static void
end(struct ground *g)
{
	guard_free(g->guard);
	fixture_fini(&g->f);
}

static struct addr
ip(const char *text)
{
	struct addr a;

	assert_true(addr_parse_ip(slice_str(text), &a));
	return a;
}

static enum err_code
show(struct ground *g, const char *key, const char *from, int64_t *wait_s)
{
	struct visitor v = { .from = ip(from) };
	struct err e = ERR_INIT;
	struct principal who;

	(void)guard_check_key(g->guard, slice_str(key), &v, &who, &e);
	*wait_s = v.retry_after_s;
	return e.code;
}

TEST(test_api_guard__wrong_keys_are_counted_by_address)
{
	struct ground g;
	int64_t wait_s;

	begin(&g);
	for (int i = 0; i < 2; i++)
		assert_int_equal(show(&g, "wrong", "192.0.2.1", &wait_s),
		    ERR_INVALID_API_KEY);
	clock_manual_advance(&g.f.clock, 500);
	assert_int_equal(
	    show(&g, "wrong", "192.0.2.1", &wait_s), ERR_TOO_MANY_REQUESTS);
	assert_int_equal(wait_s, 60);
	/* neither right ones nor others suffer */
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    show(&g, RIGHT, "192.0.2.1", &wait_s), ERR_NONE);
	assert_int_equal(
	    show(&g, "wrong", "192.0.2.2", &wait_s), ERR_INVALID_API_KEY);
	assert_int_equal(
	    show(&g, "wrong", "192.0.2.1", &wait_s), ERR_TOO_MANY_REQUESTS);
	clock_manual_advance(&g.f.clock, 59500);
	assert_int_equal(
	    show(&g, "wrong", "192.0.2.1", &wait_s), ERR_INVALID_API_KEY);
	end(&g);
}

TEST(test_api_guard__ipv6_is_counted_by_its_network)
{
	struct ground g;
	int64_t wait_s;

	begin(&g);
	assert_int_equal(
	    show(&g, "wrong", "2001:db8::1", &wait_s), ERR_INVALID_API_KEY);
	assert_int_equal(
	    show(&g, "wrong", "2001:db8::2:2", &wait_s), ERR_INVALID_API_KEY);
	assert_int_equal(show(&g, "wrong", "2001:db8::ffff:1", &wait_s),
	    ERR_TOO_MANY_REQUESTS);
	assert_int_equal(
	    show(&g, "wrong", "2001:db8:0:1::1", &wait_s), ERR_INVALID_API_KEY);
	end(&g);
}

TEST(test_api_guard__a_key_too_long_is_a_wrong_one)
{
	char key[4096];
	struct ground g;
	int64_t wait_s;

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	begin(&g);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    show(&g, key, "192.0.2.1", &wait_s), ERR_INVALID_API_KEY);
	assert_int_equal(
	    show(&g, key, "192.0.2.1", &wait_s), ERR_TOO_MANY_REQUESTS);
	end(&g);
}

static enum err_code
ask(struct ground *g, const struct principal *who, const char *from)
{
	struct visitor v = { .from = ip(from) };
	struct err e = ERR_INIT;

	(void)guard_count(g->guard, who, &v, &e);
	assert_int_equal(v.retry_after_s, e.code == ERR_NONE ? 0 : 30);
	return e.code;
}

TEST(test_api_guard__requests_are_counted_by_key_or_else_address)
{
	struct principal nobody, admin, other;
	struct ground g;

	begin(&g);
	auth_anonymous(&nobody);
	admin = other = nobody;
	admin.has_key = other.has_key = true;
	memcpy(other.key_id, "another-key", 12);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(&g, &nobody, "192.0.2.1"), ERR_NONE);
		assert_int_equal(ask(&g, &admin, "192.0.2.1"), ERR_NONE);
		assert_int_equal(ask(&g, &other, "192.0.2.1"), ERR_NONE);
	}
	assert_int_equal(ask(&g, &nobody, "192.0.2.1"), ERR_TOO_MANY_REQUESTS);
	assert_int_equal(ask(&g, &nobody, "192.0.2.2"), ERR_NONE);
	/* a key is one client, wherever it comes from */
	assert_int_equal(ask(&g, &admin, "192.0.2.2"), ERR_TOO_MANY_REQUESTS);
	assert_int_equal(ask(&g, &other, "192.0.2.3"), ERR_TOO_MANY_REQUESTS);
	clock_manual_advance(&g.f.clock, 30000);
	assert_int_equal(ask(&g, &other, "192.0.2.3"), ERR_NONE);
	assert_int_equal(ask(&g, &other, "192.0.2.3"), ERR_TOO_MANY_REQUESTS);
	end(&g);
}

TEST(test_api_guard__what_a_client_of_a_proxy_has_open)
{
	struct addr a = ip("2001:db8::1");
	struct addr same = ip("2001:db8::2");
	struct addr b = ip("192.0.2.1");
	struct guard_place p[4] = { { .guard = NULL } };
	struct err e = ERR_INIT;
	struct ground g;

	begin(&g);
	assert_int_equal(guard_enter(g.guard, &a, &p[0], &e), 0);
	assert_int_equal(guard_enter(g.guard, &same, &p[1], &e), 0);
	assert_int_equal(guard_enter(g.guard, &a, &p[2], &e), -1);
	assert_int_equal(e.code, ERR_TOO_MANY_CONNECTIONS);
	assert_null(p[2].guard);
	assert_int_equal(guard_enter(g.guard, &b, &p[2], &e), 0);
	/* who has moved goes once */
	guard_move(&p[1], &p[3]);
	guard_leave(&p[1]);
	assert_int_equal(guard_enter(g.guard, &a, &p[1], &e), -1);
	guard_leave(&p[3]);
	guard_leave(&p[3]);
	assert_int_equal(guard_enter(g.guard, &a, &p[1], &e), 0);
	assert_int_equal(guard_enter(g.guard, &a, &p[3], &e), -1);
	for (int i = 0; i < 4; i++)
		guard_leave(&p[i]);
	end(&g);
}

TEST(test_api_guard__no_limits)
{
	struct principal nobody;
	struct visitor v = { .from = ip("192.0.2.1") };
	struct guard_place place = { .guard = NULL };
	struct err e = ERR_INIT;
	struct guard *guard;
	struct ground g;

	begin(&g);
	g.f.settings.auth_fail_limit = 0;
	g.f.settings.rate_limit = 0;
	g.f.settings.max_connections_per_client = 0;
	assert_int_equal(guard_new(&g.f.settings, g.f.engine->auth,
	                     g.f.engine->clock, &guard, NULL),
	    0);
	auth_anonymous(&nobody);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(guard_enter(guard, &v.from, &place, &e), 0);
		assert_null(place.guard);
		assert_int_equal(guard_count(guard, &nobody, &v, &e), 0);
		assert_int_equal(
		    guard_check_key(guard, SLICE_LIT("wrong"), &v, &nobody, &e),
		    -1);
		assert_int_equal(e.code, ERR_INVALID_API_KEY);
		auth_anonymous(&nobody);
	}
	guard_free(guard);
	end(&g);
}
