/* SPDX-License-Identifier: MIT */
#include "api/call.h"

#include <stdlib.h>
#include <string.h>

#include "api/params.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "proto/limits.h"

static void
interrupt(void *x, enum err_code code)
{
	http_interrupt(x, code);
}

static void
evict(void *x)
{
	http_interrupt(x, ERR_INVALID_API_KEY);
}

struct call *
call_new(struct app *app, struct http_exchange *x)
{
	struct call *c = mem_calloc(1, sizeof(*c));

	c->app = app;
	c->x = x;
	c->began_ns = clock_mono_ns(app->engine->clock);
	auth_anonymous(&c->who);
	guard_client(
	    app->guard, http_peer(x), http_request(x), &c->visitor.from);
	mover_init(&c->mover, interrupt, x);
	tenant_init(&c->tenant, evict, x);
	turn_init(c);
	return c;
}

void
call_keep_state(struct call *c)
{
	c->state = NULL;
	c->free_state = NULL;
	c->again = NULL;
	c->left = NULL;
}

void
call_drop_state(struct call *c)
{
	if (c->free_state != NULL)
		c->free_state(c->state);
	call_keep_state(c);
}

void
call_leave(struct call *c)
{
	mover_fini(&c->mover);
	tenant_leave(&c->tenant);
	turn_fini(c);
}

void
call_free(void *call)
{
	struct call *c = call;

	if (c == NULL)
		return;
	call_leave(c);
	call_drop_state(c);
	guard_leave(&c->place);
	free(c->name);
	free(c->client_id);
	free(c->agent);
	free(c);
}

int
call_check_client_id(struct slice id, struct err *err)
{
	if (utf8_is_line(id, LIMIT_CLIENT_ID))
		return 0;
	return err_set(err, ERR_INVALID_PARAMETER,
	    "a client_id must be at most %u printable characters",
	    LIMIT_CLIENT_ID);
}

/* The User-Agent as far as it is fit to be kept. */
static char *
agent_of(struct slice value)
{
	struct buf b;

	if (value.n == 0)
		return NULL;
	buf_init(&b, LIMIT_USER_AGENT);
	for (size_t i = 0; i < value.n;) {
		uint32_t cp;
		size_t n =
		    utf8_next((struct slice){ value.p + i, value.n - i }, &cp);

		if (n == 0) {
			i++;
			continue;
		}
		if (utf8_is_printable(cp) && buf_append(&b, value.p + i, n) < 0)
			break;
		i += n;
	}
	return buf_take(&b);
}

int
call_client(struct call *c, struct err *err)
{
	const struct http_request *req = http_request(c->x);
	struct slice header = http_field(req, "x-client-id");
	struct buf id;
	int rc = -1;

	buf_init(&id, LIMIT_FORM_FIELD);
	addr_ip_text(&c->visitor.from, c->ip);
	c->client.ip = c->ip;
	c->agent = agent_of(http_field(req, "user-agent"));
	c->client.agent = c->agent;
	switch (params_query(req, "client_id", &id)) {
	case 0:
		(void)buf_append_slice(&id, header);
		break;
	case 1:
		break;
	default:
		err_set(err, ERR_INVALID_PARAMETER,
		    "the query's client_id is not properly encoded");
		goto out;
	}
	if (call_check_client_id(buf_slice(&id), err) < 0)
		goto out;
	if (id.len > 0) {
		c->client_id = buf_take(&id);
		c->client.id = c->client_id;
	}
	rc = 0;
out:
	buf_fini(&id);
	return rc;
}
