/* SPDX-License-Identifier: MIT */
#include "api/upload_turn.h"

struct asking {
	struct engine *engine;
	const struct upload_request *request;
};

static int
check(void *arg, struct err *err)
{
	struct asking *a = arg;

	return upload_check(a->engine, a->request, err);
}

int
upload_turn(struct call *c, struct upload_request *req, struct err *err)
{
	struct asking a = { c->app->engine, req };
	const struct transfer_start start = {
		.direction = REC_UPLOAD,
		.filename = req->options->filename,
		.total = req->total,
		.encryption = req->options->encryption,
		.priority = req->options->priority,
		.client = req->client,
		.mover = req->mover,
	};
	const struct turn_wanted wanted = {
		.start = &start,
		.size = http_request(c->x)->content_length,
		.check = check,
		.arg = &a,
	};

	return turn_take(c, &wanted, &req->lane, err);
}

int
upload_turn_begin(struct call *c, struct upload_request *req,
    struct upload **ret_up, struct err *err)
{
	req->transfer = c->turn.transfer;
	if (upload_begin(c->app->engine, req, ret_up, err) < 0) {
		turn_fail(c, err);
		return -1;
	}
	c->turn.transfer = NULL;
	return 0;
}
