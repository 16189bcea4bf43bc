/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

/* The engine's own refusals. */
static const struct {
	enum err_code code;
	int status;
} statuses[] = {
	{ ERR_MALFORMED_REQUEST, 400 },
	{ ERR_REQUEST_TIMEOUT, 408 },
	{ ERR_BODY_TOO_LARGE, 413 },
	{ ERR_URI_TOO_LONG, 414 },
	{ ERR_EXPECTATION_FAILED, 417 },
	{ ERR_HEADERS_TOO_LARGE, 431 },
	{ ERR_NOT_IMPLEMENTED, 501 },
	{ ERR_SERVER_BUSY, 503 },
	{ ERR_TOO_MANY_CONNECTIONS, 503 },
	{ ERR_SHUTTING_DOWN, 503 },
	{ ERR_VERSION_NOT_SUPPORTED, 505 },
};

int
http_refuse_status(enum err_code code)
{
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].code == code)
			return statuses[i].status;
	}
	return 500;
}

void
http_refuse_exchange(struct http_exchange *x, const struct err *why)
{
	const struct http_app *app = &x->server->cf.app;
	int status = http_refuse_status(why->code);

	/* What the application had begun to say is void. */
	buf_clear(&x->fields);
	http_status(x, status);
	app->fail(x, status, why, app->arg);
	if (!x->is_replied)
		http_send(x, NULL, 0);
}

void
http_refuse(struct http_conn *hc, const struct err *why)
{
	if (hc->x == NULL)
		hc->x = http_exchange_start(hc, NULL, NULL);
	http_close_after(hc->x);
	http_refuse_exchange(hc->x, why);
	http_conn_replied(hc);
}
