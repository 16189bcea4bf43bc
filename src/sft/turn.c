/* SPDX-License-Identifier: MIT */
#include "sft/turn.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sft/out.h"

/* A server that does not say it by then does not say it. */
#define ANSWER_MS 3000

struct turn {
	struct cli *cli;
	const char *name;
	pthread_mutex_t lock; /* over all below */
	struct http *http;    /* beside the one that waits */
	uint64_t said;        /* 0: nothing */
};

int
turn_new(
    struct cli *cli, const char *name, struct turn **ret_turn, struct err *err)
{
	struct turn *t = mem_calloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	t->cli = cli;
	t->name = name;
	if (http_clone(cli->http, &t->http, err) < 0) {
		turn_free(t);
		return -1;
	}
	*ret_turn = t;
	return 0;
}

void
turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	http_close(t->http);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void
say(struct turn *t, uint64_t position)
{
	if (position == t->said || t->cli->quiet)
		return;
	t->said = position;
	cli_say(t->cli,
	    "'%s' waits on the server for its turn: number %" PRIu64, t->name,
	    position);
}

/* The turn of the first of that name that waits; 0: none does. */
static uint64_t
find(const struct turn *t, const json_t *answer)
{
	uint64_t turn, first = 0;
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(answer, "queue"), i, entry)
	{
		if (strcmp(out_str(entry, "status"), "queued") != 0 ||
		    strcmp(out_str(entry, "filename"), t->name) != 0)
			continue;
		turn = out_uint(entry, "position");
		if (first == 0 || turn < first)
			first = turn;
	}
	return first;
}

bool
turn_waits(void *turn)
{
	const struct http_request req = {
		.method = "GET",
		.target = "/status?limit=1",
		.timeout_ms = ANSWER_MS,
	};
	struct http_reply reply = { 0 };
	struct err ignored = ERR_INIT;
	struct turn *t = turn;
	uint64_t position = 0;

	pthread_mutex_lock(&t->lock);
	if (http_do(t->http, &req, &reply, &ignored) == 0)
		position = find(t, reply.json);
	if (position > 0)
		say(t, position);
	http_reply_fini(&reply);
	pthread_mutex_unlock(&t->lock);
	return position > 0;
}
