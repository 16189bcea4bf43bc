/* SPDX-License-Identifier: MIT */
#include "engine/bus.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/transfer.h"
#include "proto/limits.h"
#include "unit.h"

struct listener {
	struct bus_subscriber s;
	unsigned woken;
};

static void
woken(void *arg)
{
	struct listener *l = arg;

	l->woken++;
}

static void
join_as(struct bus *b, struct listener *l, const char *prefix)
{
	struct principal who;

	auth_anonymous(&who);
	if (prefix != NULL)
		memcpy(who.prefix, prefix, strlen(prefix) + 1);
	l->woken = 0;
	bus_join(b, &l->s, &who, woken, l);
}

/* Subscribes, and gets a present state that is empty. */
static void
enter(struct bus *b, struct listener *l, enum bus_kind kind, const char *name)
{
	const struct bus_place place = { .kind = kind, .filename = name };
	const struct bus_present none = { .kind = kind, .filename = name };

	assert_int_equal(bus_subscribe(&l->s, &place, NULL), 0);
	bus_present(b, &none);
}

static struct bus_message *
message(struct bus *b, const char *name, const char *id, bool is_progress)
{
	struct transfer_view v = { .is_progress = is_progress };
	char json[64];
	int n = snprintf(json, sizeof(json), "{\"of\":\"%s\"}", name);

	v.rec.filename = (char *)name;
	(void)snprintf(v.rec.id, sizeof(v.rec.id), "%s", id);
	return bus_message_new(b, &v, json, (size_t)n);
}

static uint64_t
publish(struct bus *b, const char *name, const char *id, bool is_progress)
{
	struct bus_message *m = message(b, name, id, is_progress);
	uint64_t number = m->id;

	bus_publish(b, m);
	bus_message_unref(m);
	return number;
}

/* The id of the next one; 0: none waits. */
static uint64_t
take(struct listener *l)
{
	struct bus_entry e;
	uint64_t id;

	if (!bus_take(&l->s, &e, 1))
		return 0;
	id = e.message->id;
	bus_message_unref(e.message);
	return id;
}

TEST(test_engine_bus__rooms_get_what_is_theirs)
{
	struct bus *b = bus_new(1);
	struct listener file, all, stats;
	struct bus_message *sums;
	struct bus_entry e;
	uint64_t a, other;

	join_as(b, &file, NULL);
	join_as(b, &all, NULL);
	join_as(b, &stats, NULL);
	assert_false(bus_wants_transfers(b));
	enter(b, &file, BUS_FILE, "a");
	enter(b, &all, BUS_ALL, NULL);
	assert_true(bus_wants_transfers(b));
	assert_false(bus_wants_stats(b));
	enter(b, &stats, BUS_STATS, NULL);
	assert_true(bus_wants_stats(b));
	a = publish(b, "a", "1", false);
	other = publish(b, "b", "2", false);
	sums = bus_message_new(b, NULL, "{}", 2);
	(void)bus_publish_stats(b, sums, 1, BUS_STATS_MS);

	assert_true(bus_take(&file.s, &e, 1));
	assert_int_equal(e.message->id, a);
	assert_int_equal(e.kind, BUS_FILE);
	assert_memory_equal(e.message->json, "{\"of\":\"a\"}", e.message->n);
	bus_message_unref(e.message);
	assert_int_equal(take(&file), 0);
	assert_int_equal(take(&all), a);
	assert_int_equal(take(&all), other);
	assert_int_equal(take(&all), 0);
	assert_int_equal(take(&stats), sums->id);
	assert_int_equal(take(&stats), 0);

	bus_message_unref(sums);
	bus_leave(&file.s);
	bus_leave(&all.s);
	bus_leave(&stats.s);
	assert_int_equal(bus_subscribers(b), 0);
	bus_free(b);
}

/* Statistics of that number, at that time. */
static struct bus_told
tell_stats(struct bus *b, uint64_t number, int64_t now_ms)
{
	struct bus_message *m = bus_message_new(b, NULL, "{}", 2);
	struct bus_told told = bus_publish_stats(b, m, number, now_ms);

	bus_message_unref(m);
	return told;
}

static void
want_stats(struct bus *b, struct listener *l)
{
	const struct bus_place place = { .kind = BUS_STATS };

	if (l->s.bus == NULL)
		join_as(b, l, NULL);
	assert_int_equal(bus_subscribe(&l->s, &place, NULL), 0);
}

TEST(test_engine_bus__statistics_keep_a_second_for_each)
{
	struct bus *b = bus_new(1);
	struct listener first = { 0 }, second = { 0 };
	struct bus_told told = tell_stats(b, 1, 500);

	assert_int_equal(told.next_ms, 0);
	want_stats(b, &first);
	told = tell_stats(b, 1, 1000);
	assert_int_not_equal(take(&first), 0);
	assert_int_equal(told.next_ms, 1000 + BUS_STATS_MS);

	/* The newest go to who comes; who is there is late, not left out. */
	want_stats(b, &second);
	told = tell_stats(b, 2, 1300);
	assert_int_equal(take(&first), 0);
	assert_int_not_equal(take(&second), 0);
	assert_true(told.is_late);
	assert_int_equal(told.next_ms, 1000 + BUS_STATS_MS);

	told = tell_stats(b, 2, 1000 + BUS_STATS_MS - 1);
	assert_true(told.is_late);
	assert_int_equal(take(&first), 0);
	told = tell_stats(b, 2, 1000 + BUS_STATS_MS);
	assert_false(told.is_late);
	assert_int_not_equal(take(&first), 0);
	assert_int_equal(take(&second), 0); /* it has them */
	assert_int_equal(told.next_ms, 1300 + BUS_STATS_MS);

	bus_leave(&first.s);
	bus_leave(&second.s);
	bus_free(b);
}

TEST(test_engine_bus__statistics_come_at_once_when_asked_again)
{
	struct bus *b = bus_new(1);
	struct listener l = { 0 };

	want_stats(b, &l);
	(void)tell_stats(b, 1, 1000);
	assert_int_not_equal(take(&l), 0);
	want_stats(b, &l);
	(void)tell_stats(b, 1, 1001);
	assert_int_not_equal(take(&l), 0);
	(void)tell_stats(b, 1, 9000);
	assert_int_equal(take(&l), 0);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__wakes_who_had_nothing)
{
	struct bus *b = bus_new(1);
	struct listener l;

	join_as(b, &l, NULL);
	enter(b, &l, BUS_ALL, NULL);
	assert_int_equal(bus_untold(b), 0);
	publish(b, "a", "1", false);
	publish(b, "a", "1", false);
	assert_int_equal(l.woken, 0);
	assert_int_equal(bus_untold(b), 1);
	bus_tell(b);
	bus_tell(b);
	assert_int_equal(bus_untold(b), 0);
	assert_int_equal(l.woken, 1);
	assert_true(bus_has_some(&l.s));
	/* It has not looked yet, and will find this as well. */
	publish(b, "a", "1", false);
	bus_tell(b);
	assert_int_equal(l.woken, 1);
	(void)take(&l);
	(void)take(&l);
	(void)take(&l);
	assert_false(bus_has_some(&l.s));
	publish(b, "a", "1", false);
	bus_tell(b);
	assert_int_equal(l.woken, 2);
	(void)take(&l);
	publish(b, "a", "1", false);
	bus_leave(&l.s);
	assert_int_equal(bus_untold(b), 0);
	publish(b, "a", "1", false);
	bus_tell(b);
	assert_int_equal(l.woken, 2);
	bus_free(b);
}

static unsigned texts_made;

static struct bus_text *
make_text(const struct bus_entry *e)
{
	struct bus_text *t = mem_alloc(sizeof(*t) + 64);

	texts_made++;
	t->n = (size_t)snprintf(t->p, 64, "%s %.*s", bus_event_name(e->kind),
	    (int)e->message->n, e->message->json);
	return t;
}

TEST(test_engine_bus__a_text_is_made_once_for_all)
{
	struct bus *b = bus_new(1);
	struct bus_message *m = message(b, "a", "1", false);
	const struct bus_entry all = { m, BUS_ALL }, file = { m, BUS_FILE };
	const struct bus_text *t;

	texts_made = 0;
	t = bus_entry_text(&all, BUS_WS, make_text);
	assert_ptr_equal(bus_entry_text(&all, BUS_WS, make_text), t);
	assert_int_equal(texts_made, 1);
	assert_int_equal(t->n, strlen("transfer_update {\"of\":\"a\"}"));
	assert_memory_equal(t->p, "transfer_update {\"of\":\"a\"}", t->n);
	t = bus_entry_text(&file, BUS_WS, make_text);
	assert_memory_equal(t->p, "status_update {", 15);
	assert_true(bus_entry_text(&file, BUS_SSE, make_text) != t);
	assert_int_equal(texts_made, 3);
	bus_message_unref(m);
	bus_free(b);
}

TEST(test_engine_bus__of_progress_the_newest_waits)
{
	struct bus *b = bus_new(1);
	struct listener l;
	uint64_t first, other, last, end;

	join_as(b, &l, NULL);
	enter(b, &l, BUS_ALL, NULL);
	first = publish(b, "a", "1", false);
	publish(b, "a", "1", true);
	other = publish(b, "b", "2", true);
	publish(b, "a", "1", true);
	last = publish(b, "a", "1", true);
	assert_int_equal(take(&l), first);
	assert_int_equal(take(&l), other);
	assert_int_equal(take(&l), last);
	assert_int_equal(take(&l), 0);
	/* An end makes what came before it old, and stays. */
	publish(b, "a", "1", true);
	end = publish(b, "a", "1", false);
	first = publish(b, "a", "3", false);
	assert_int_equal(take(&l), end);
	assert_int_equal(take(&l), first);
	assert_int_equal(take(&l), 0);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__too_much_closes_a_subscriber_and_nobody_else)
{
	struct bus *b = bus_new(1);
	struct listener slow, good;
	size_t n = 0;

	join_as(b, &slow, NULL);
	join_as(b, &good, NULL);
	enter(b, &slow, BUS_ALL, NULL);
	enter(b, &good, BUS_ALL, NULL);
	while (bus_closed(&slow.s) == NULL) {
		publish(b, "a", "1", false);
		assert_true(take(&good) != 0);
		n++;
	}
	/* One past the limit. */
	assert_int_equal(
	    n, LIMIT_SUBSCRIBER_QUEUE / strlen("{\"of\":\"a\"}") + 1);
	assert_int_equal(bus_closed(&slow.s)->code, ERR_TOO_SLOW);
	assert_int_equal(take(&slow), 0);
	assert_null(bus_closed(&good.s));
	assert_int_equal(bus_take_slow(b), 1);
	assert_int_equal(bus_take_slow(b), 0);
	bus_leave(&slow.s);
	bus_leave(&good.s);
	bus_free(b);
}

TEST(test_engine_bus__progress_past_the_limit_is_dropped)
{
	struct bus *b = bus_new(1);
	struct listener l;
	size_t n = LIMIT_SUBSCRIBER_QUEUE / strlen("{\"of\":\"a\"}");

	join_as(b, &l, NULL);
	enter(b, &l, BUS_ALL, NULL);
	for (size_t i = 0; i < n; i++)
		publish(b, "a", "1", false);
	publish(b, "a", "2", true);
	assert_null(bus_closed(&l.s));
	while (n-- > 0)
		assert_true(take(&l) != 0);
	assert_int_equal(take(&l), 0);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__the_present_state_comes_first)
{
	struct bus *b = bus_new(1);
	const struct bus_place place = { .kind = BUS_FILE, .filename = "a" };
	struct bus_message *now;
	struct listener l, old;
	uint64_t after;

	join_as(b, &old, NULL);
	enter(b, &old, BUS_FILE, "a");
	join_as(b, &l, NULL);
	assert_int_equal(bus_subscribe(&l.s, &place, NULL), 0);
	/* It is older than the state that is on its way. */
	publish(b, "a", "1", false);
	now = message(b, "a", "1", false);
	bus_present(b, &(struct bus_present){ BUS_FILE, "a", &now, 1 });
	after = publish(b, "a", "1", false);
	assert_int_equal(take(&l), now->id);
	assert_int_equal(take(&l), after);
	assert_int_equal(take(&l), 0);
	/* Who has it already does not get it again. */
	assert_true(take(&old) < now->id);
	assert_int_equal(take(&old), after);
	assert_int_equal(take(&old), 0);
	bus_message_unref(now);
	bus_leave(&l.s);
	bus_leave(&old.s);
	bus_free(b);
}

TEST(test_engine_bus__who_comes_back_gets_the_states_it_missed)
{
	struct bus *b = bus_new(1);
	struct bus_place place = { .kind = BUS_ALL };
	const struct bus_present none = { .kind = BUS_ALL };
	struct listener l;
	uint64_t missed, other;

	join_as(b, &l, NULL);
	enter(b, &l, BUS_ALL, NULL);
	place.seen = publish(b, "a", "1", false);
	bus_leave(&l.s);
	/* Nobody is there; it is kept for a while none the less. */
	assert_true(bus_wants_transfers(b));
	publish(b, "a", "1", true);
	missed = publish(b, "a", "1", false);
	other = publish(b, "b", "2", false);
	join_as(b, &l, NULL);
	assert_int_equal(bus_subscribe(&l.s, &place, NULL), 0);
	bus_present(b, &none);
	assert_int_equal(take(&l), missed);
	assert_int_equal(take(&l), other);
	assert_int_equal(take(&l), 0);
	bus_unsubscribe_all(&l.s);
	place = (struct bus_place){ BUS_FILE, "b", place.seen };
	assert_int_equal(bus_subscribe(&l.s, &place, NULL), 0);
	bus_present(
	    b, &(struct bus_present){ .kind = BUS_FILE, .filename = "b" });
	assert_int_equal(take(&l), other);
	assert_int_equal(take(&l), 0);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__keeps_so_many_states)
{
	struct bus *b = bus_new(1);
	const struct bus_place place = { .kind = BUS_ALL, .seen = 1 };
	const struct bus_present none = { .kind = BUS_ALL };
	struct listener l;
	uint64_t last = 0, first;
	size_t n;

	for (unsigned i = 0; i < 3000; i++)
		last = publish(b, "a", "1", false);
	join_as(b, &l, NULL);
	assert_int_equal(bus_subscribe(&l.s, &place, NULL), 0);
	bus_present(b, &none);
	first = take(&l);
	for (n = 1; take(&l) != 0; n++)
		continue;
	assert_int_equal(n, 1024);
	assert_int_equal(first, last - 1023);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__a_prefix_hides_other_names)
{
	struct bus *b = bus_new(1);
	const struct bus_place stats = { .kind = BUS_STATS };
	struct err e = ERR_INIT;
	struct listener l;
	uint64_t mine;

	join_as(b, &l, "team/");
	enter(b, &l, BUS_ALL, NULL);
	enter(b, &l, BUS_FILE, "other");
	publish(b, "other", "1", false);
	publish(b, "team", "2", false);
	mine = publish(b, "team/x", "3", false);
	assert_int_equal(take(&l), mine);
	assert_int_equal(take(&l), 0);
	assert_int_equal(bus_subscribe(&l.s, &stats, &e), -1);
	assert_int_equal(e.code, ERR_FORBIDDEN);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__so_many_subscriptions_and_no_more)
{
	struct bus *b = bus_new(1);
	struct err e = ERR_INIT;
	struct listener l;
	char name[16];
	struct bus_place place = { .kind = BUS_FILE, .filename = name };

	join_as(b, &l, NULL);
	for (unsigned i = 0; i < LIMIT_ROOMS; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(bus_subscribe(&l.s, &place, &e), 0);
	}
	/* The same again is no more. */
	assert_int_equal(bus_subscribe(&l.s, &place, &e), 0);
	(void)snprintf(name, sizeof(name), "one more");
	assert_int_equal(bus_subscribe(&l.s, &place, &e), -1);
	assert_int_equal(e.code, ERR_TOO_MANY_REQUESTS);
	(void)snprintf(name, sizeof(name), "0");
	bus_unsubscribe(&l.s, &place);
	(void)snprintf(name, sizeof(name), "one more");
	assert_int_equal(bus_subscribe(&l.s, &place, &e), 0);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__a_key_ends_its_subscribers)
{
	struct bus *b = bus_new(1);
	struct principal who;
	struct listener keyed, expiring, free_one;

	join_as(b, &keyed, NULL);
	join_as(b, &expiring, NULL);
	join_as(b, &free_one, NULL);
	auth_anonymous(&who);
	who.has_key = true;
	memcpy(who.key_id, "k1", 3);
	bus_identify(&keyed.s, &who);
	memcpy(who.key_id, "k2", 3);
	who.expires_ms = 1000;
	bus_identify(&expiring.s, &who);

	bus_close_key(b, "k3");
	bus_close_expired(b, 999);
	assert_null(bus_closed(&keyed.s));
	assert_null(bus_closed(&expiring.s));
	bus_close_key(b, "k1");
	assert_int_equal(bus_closed(&keyed.s)->code, ERR_INVALID_API_KEY);
	assert_int_equal(keyed.woken, 1);
	bus_close_expired(b, 1000);
	assert_int_equal(bus_closed(&expiring.s)->code, ERR_INVALID_API_KEY);
	assert_null(bus_closed(&free_one.s));
	bus_leave(&keyed.s);
	bus_leave(&expiring.s);
	bus_leave(&free_one.s);
	bus_free(b);
}

TEST(test_engine_bus__another_key_begins_anew)
{
	struct bus *b = bus_new(1);
	struct principal who;
	struct listener l;

	join_as(b, &l, NULL);
	enter(b, &l, BUS_ALL, NULL);
	publish(b, "secret", "1", false);
	auth_anonymous(&who);
	memcpy(who.prefix, "team/", 6);
	bus_identify(&l.s, &who);
	publish(b, "team/x", "2", false);
	assert_int_equal(take(&l), 0);
	bus_leave(&l.s);
	bus_free(b);
}

TEST(test_engine_bus__ids_grow_over_restarts)
{
	struct bus *b = bus_new(1700000000000);
	struct bus_message *m = message(b, "a", "1", false);
	struct bus *next = bus_new(1700000000001);
	struct bus_message *n = message(next, "a", "1", false);

	assert_true(m->id < n->id);
	assert_true(n->id < UINT64_C(1) << 53);
	bus_message_unref(m);
	bus_message_unref(n);
	bus_free(b);
	bus_free(next);
}
