/* SPDX-License-Identifier: MIT */
#include "api/guard.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/throttle.h"
#include "net/proxies.h"
#include "proto/limits.h"

/* Lines about wrong keys in a minute; strangers must not fill the log. */
#define LINES_MAX 60

struct guard {
	struct auth *auth;
	struct proxies *proxies;
	struct throttle *fails; /* NULL: no limit */
	struct throttle *rate;  /* NULL: no limit */
	uint64_t rate_limit;
	struct throttle *lines;
	_Atomic uint64_t unsaid; /* wrong keys since the last line */
	uintptr_t open_max;      /* 0: no limit */
	pthread_mutex_t lock;    /* over open */
	struct map *open;        /* by client, how many, as the value itself */
};

static struct throttle *
throttle_or_none(enum throttle_kind kind, uint64_t n, const struct clock *clock)
{
	return n == 0 ? NULL : throttle_new(kind, n, clock);
}

int
guard_new(const struct settings *s, struct auth *auth,
    const struct clock *clock, struct guard **ret_guard, struct err *err)
{
	struct guard *g = mem_calloc(1, sizeof(*g));

	g->auth = auth;
	g->fails = throttle_or_none(THROTTLE_WINDOW, s->auth_fail_limit, clock);
	g->rate = throttle_or_none(THROTTLE_BUCKET, s->rate_limit, clock);
	g->rate_limit = s->rate_limit;
	g->lines = throttle_new(THROTTLE_WINDOW, LINES_MAX, clock);
	g->open_max = (uintptr_t)s->max_connections_per_client;
	pthread_mutex_init(&g->lock, NULL);
	g->open = map_new();
	if (proxies_new(s->trusted_proxies, &g->proxies, err) < 0) {
		guard_free(g);
		return -1;
	}
	*ret_guard = g;
	return 0;
}

void
guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	proxies_free(g->proxies);
	throttle_free(g->fails);
	throttle_free(g->rate);
	throttle_free(g->lines);
	map_free(g->open);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

bool
guard_trusts(const struct guard *g, const struct addr *peer)
{
	return proxies_trust(g->proxies, peer);
}

void
guard_client(const struct guard *g, const struct addr *peer,
    const struct http_request *req, struct addr *ret)
{
	proxies_client(g->proxies, peer, req, ret);
}

/* Whole seconds, as Retry-After has them. */
static int64_t
seconds(int64_t wait_ms)
{
	return (wait_ms + 999) / 1000;
}

static void
log_wrong_key(struct guard *g, const struct addr *from, bool is_refused)
{
	char ip[ADDR_TEXT_SIZE];

	if (throttle_take(g->lines, SLICE_LIT("all")) > 0) {
		atomic_fetch_add(&g->unsaid, 1);
		return;
	}
	addr_ip_text(from, ip);
	log_warning("wrong API key", LOG_STR("client", ip),
	    LOG_STR("answer", is_refused ? "429" : "401"),
	    LOG_UINT("not_logged", atomic_exchange(&g->unsaid, 0)), LOG_END);
}

int
guard_check_key(struct guard *g, struct slice key, struct visitor *v,
    struct principal *ret, struct err *err)
{
	int64_t wait_ms = 0;

	if (key.n > LIMIT_KEY_TEXT)
		(void)err_set(err, ERR_INVALID_API_KEY,
		    "the API key is unknown, expired or revoked");
	else if (auth_check(g->auth, key, ret, err) == 0)
		return 0;
	if (g->fails != NULL)
		wait_ms = throttle_take(g->fails, addr_client_bytes(&v->from));
	log_wrong_key(g, &v->from, wait_ms > 0);
	if (wait_ms == 0)
		return -1;
	v->retry_after_s = seconds(wait_ms);
	return err_set(err, ERR_TOO_MANY_REQUESTS,
	    "too many wrong API keys came from this address; try again in "
	    "%" PRId64 " s, or with a right one",
	    v->retry_after_s);
}

void
guard_confirm(struct guard *g, struct bus *bus, const struct principal *who)
{
	if (auth_check_again(g->auth, who, NULL) < 0)
		bus_close_key(bus, who->key_id);
}

int
guard_count(struct guard *g, const struct principal *who, struct visitor *v,
    struct err *err)
{
	struct slice client = addr_client_bytes(&v->from);
	int64_t wait_ms;

	if (g->rate == NULL)
		return 0;
	/* The first admin key has no id. */
	if (who->has_key)
		client = who->key_id[0] == '\0' ? SLICE_LIT("admin")
		                                : slice_str(who->key_id);
	wait_ms = throttle_take(g->rate, client);
	if (wait_ms == 0)
		return 0;
	v->retry_after_s = seconds(wait_ms);
	return err_set(err, ERR_TOO_MANY_REQUESTS,
	    "this client has sent more than %" PRIu64
	    " requests a minute; try again in %" PRId64 " s",
	    g->rate_limit, v->retry_after_s);
}

/* Under the lock. */
static void
set_open(struct guard *g, struct slice client, uintptr_t n)
{
	if (n == 0)
		(void)map_remove(g->open, client);
	else
		(void)map_put(g->open, client, (void *)n);
}

int
guard_enter(struct guard *g, const struct addr *from, struct guard_place *ret,
    struct err *err)
{
	struct slice client = addr_client_bytes(from);
	uintptr_t n;

	if (g->open_max == 0)
		return 0;
	pthread_mutex_lock(&g->lock);
	n = (uintptr_t)map_get(g->open, client);
	if (n < g->open_max)
		set_open(g, client, n + 1);
	pthread_mutex_unlock(&g->lock);
	if (n >= g->open_max)
		return err_set(err, ERR_TOO_MANY_CONNECTIONS,
		    "this client has %" PRIuPTR
		    " requests open, the most that it may; try again soon",
		    g->open_max);
	*ret = (struct guard_place){ g, *from };
	return 0;
}

void
guard_leave(struct guard_place *place)
{
	struct slice client = addr_client_bytes(&place->from);
	struct guard *g = place->guard;

	if (g == NULL)
		return;
	pthread_mutex_lock(&g->lock);
	set_open(g, client, (uintptr_t)map_get(g->open, client) - 1);
	pthread_mutex_unlock(&g->lock);
	place->guard = NULL;
}

void
guard_move(struct guard_place *from, struct guard_place *to)
{
	*to = *from;
	from->guard = NULL;
}
