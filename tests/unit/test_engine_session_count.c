/* SPDX-License-Identifier: MIT */
#include "engine/session_count.h"

#include <string.h>

#include "proto/limits.h"
#include "unit.h"

static void
count_in(struct session_counts *all, const char *client, bool must,
    struct session_count *c, uint64_t chunks)
{
	*c = (struct session_count){ .chunks = chunks };
	assert_int_equal(session_count_in(all, client, must, c, NULL), 0);
	assert_non_null(c->peer);
}

static void
refused(struct session_counts *all, const char *client, uint64_t chunks)
{
	struct session_count c = { .chunks = chunks };
	struct err err = ERR_INIT;

	assert_int_equal(session_count_in(all, client, false, &c, &err), -1);
	assert_int_equal(err.code, ERR_TOO_MANY_REQUESTS);
	assert_null(c.peer);
	session_count_out(all, &c);
}

TEST(test_engine_session_count__so_many_of_an_address)
{
	static struct session_count c[LIMIT_SESSIONS_OF_CLIENT + 1];
	struct session_counts *all = session_counts_new();
	struct session_count other;

	for (size_t i = 0; i < LIMIT_SESSIONS_OF_CLIENT; i++)
		count_in(all, "192.0.2.1 one", false, &c[i], 0);
	refused(all, "192.0.2.1", 0);
	refused(all, "192.0.2.1 another", 0);
	count_in(all, "192.0.2.2", false, &other, 0);
	/* what was there at the start counts, too */
	count_in(all, "192.0.2.1", true, &c[LIMIT_SESSIONS_OF_CLIENT], 0);
	session_count_out(all, &c[0]);
	session_count_out(all, &c[0]);
	refused(all, "192.0.2.1", 0);
	session_count_out(all, &c[1]);
	count_in(all, "192.0.2.1", false, &c[1], 0);
	session_counts_free(all);
}

TEST(test_engine_session_count__so_many_chunks)
{
	struct session_counts *all = session_counts_new();
	struct session_count c[5], d;

	count_in(all, "a", false, &c[0], LIMIT_SESSION_CHUNKS_OF_CLIENT - 1);
	refused(all, "a", 2);
	count_in(all, "a", false, &d, 1);
	session_count_out(all, &d);
	count_in(all, "b", false, &c[1], LIMIT_SESSION_CHUNKS_OF_CLIENT);
	count_in(all, "c", false, &c[2], LIMIT_SESSION_CHUNKS_OF_CLIENT);
	count_in(all, "d", false, &c[3], LIMIT_SESSION_CHUNKS_OF_CLIENT);
	refused(all, "e", 2);
	count_in(all, "e", true, &c[4], UINT32_MAX);
	refused(all, "f", 1);
	session_count_out(all, &c[4]);
	count_in(all, "e", false, &d, 1);
	session_counts_free(all);
}

TEST(test_engine_session_count__nobody)
{
	struct session_counts *all = session_counts_new();
	struct session_count c = { 0 };

	session_count_out(all, &c);
	count_in(all, NULL, true, &c, 0);
	session_count_out(all, &c);
	session_counts_free(all);
	session_counts_free(NULL);
}
