/* SPDX-License-Identifier: MIT */
#include "engine/tenants.h"

#include <string.h>

#include "unit.h"

struct counted {
	struct tenant tenant;
	struct principal who;
	int evictions;
};

static void
count(void *arg)
{
	struct counted *c = arg;

	c->evictions++;
}

static void
enrol(struct tenants *ts, struct counted *c, const char *id, int64_t expires_ms)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->who.key_id, id, strlen(id) + 1);
	c->who.expires_ms = expires_ms;
	tenant_init(&c->tenant, count, c);
	tenant_enrol(&c->tenant, ts, &c->who);
}

TEST(test_engine_tenants__end_with_their_key)
{
	struct counted one, other, same, nobody;
	struct tenants *ts = tenants_new();

	enrol(ts, &one, "one", 0);
	enrol(ts, &other, "other", 0);
	enrol(ts, &same, "one", 0);
	enrol(ts, &nobody, "", 0);
	/* once more is once */
	tenant_enrol(&one.tenant, ts, &one.who);
	tenant_leave(&same.tenant);
	tenants_evict_key(ts, "one");
	tenants_evict_key(ts, "one");
	tenants_evict_key(ts, "");
	assert_int_equal(one.evictions, 1);
	assert_int_equal(other.evictions, 0);
	assert_int_equal(same.evictions, 0);
	assert_int_equal(nobody.evictions, 0);
	tenant_leave(&one.tenant);
	tenant_leave(&other.tenant);
	tenant_leave(&other.tenant);
	tenant_leave(&nobody.tenant);
	tenants_free(ts);
}

TEST(test_engine_tenants__end_when_it_expires)
{
	struct counted never, soon, later;
	struct tenants *ts = tenants_new();

	enrol(ts, &never, "never", 0);
	enrol(ts, &soon, "soon", 1000);
	enrol(ts, &later, "later", 1001);
	tenants_evict_expired(ts, 999);
	assert_int_equal(soon.evictions, 0);
	tenants_evict_expired(ts, 1000);
	assert_int_equal(soon.evictions, 1);
	assert_int_equal(later.evictions, 0);
	tenants_evict_expired(ts, 2000);
	assert_int_equal(soon.evictions, 1);
	assert_int_equal(later.evictions, 1);
	assert_int_equal(never.evictions, 0);
	tenant_leave(&never.tenant);
	tenant_leave(&soon.tenant);
	tenant_leave(&later.tenant);
	tenants_free(ts);
}
