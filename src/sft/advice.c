/* SPDX-License-Identifier: MIT */
#include "sft/advice.h"

#include <inttypes.h>

#include "base/clock.h"
#include "sft/grid.h"
#include "sft/out.h"

#define ANSWER_MS 3000

bool
advice_ask(struct cli *cli, struct advice *ret)
{
	json_t *body = json_pack(
	    "{s:f}", "timestamp", (double)clock_wall_ms(clock_system()) / 1e3);
	const struct http_request req = {
		.method = "POST",
		.target = "/ping",
		.json = body,
		.timeout_ms = ANSWER_MS,
	};
	struct http_reply reply = { 0 };
	struct err ignored = ERR_INIT;
	int rc = http_do(cli->http, &req, &reply, &ignored);

	*ret = (struct advice){ .is_given = rc == 0,
		.asked_ms = clock_mono_ms(clock_system()) };
	if (rc == 0 && reply.json != NULL) {
		ret->chunk_size =
		    out_uint(reply.json, "recommended_chunk_size");
		ret->parallel = out_uint(reply.json, "recommended_parallel");
	}
	if (ret->chunk_size < GRID_CHUNK_MIN ||
	    ret->chunk_size > GRID_CHUNK_MAX)
		ret->chunk_size = 0;
	if (ret->parallel > ADVICE_PARALLEL_MAX)
		ret->parallel = ADVICE_PARALLEL_MAX;
	http_reply_fini(&reply);
	json_decref(body);
	return rc == 0;
}

bool
advice_again(struct cli *cli, struct advice *a)
{
	uint64_t before = a->parallel;

	if (!a->is_given ||
	    clock_mono_ms(clock_system()) < a->asked_ms + ADVICE_EVERY_MS)
		return false;
	(void)advice_ask(cli, a);
	if (a->parallel == 0)
		a->parallel = before;
	if (a->parallel == before)
		return false;
	if (cli->verbose)
		cli_say(cli, "the server advises %" PRIu64 " chunks at once",
		    a->parallel);
	return true;
}
