/* SPDX-License-Identifier: MIT */
#include "api/app.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/guard.h"
#include "api/handlers.h"
#include "api/quality.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/socket.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/url.h"
#include "proto/filename.h"
#include "proto/limits.h"
#include "proto/preview.h"

int
app_new(struct engine *e, const char *own_origins, struct app **ret_app,
    struct err *err)
{
	struct app *app = mem_calloc(1, sizeof(*app));

	app->engine = e;
	app->wary = wary_new();
	app->started_ms = clock_mono_ms(e->clock);
	if (cors_new(e->settings->cors_origins, own_origins, &app->cors, err) <
	    0) {
		app_free(app);
		return -1;
	}
	if (guard_new(e->settings, e->auth, e->clock, &app->guard, err) < 0 ||
	    sockets_new(e, app->guard, &app->sockets, err) < 0) {
		app_free(app);
		return -1;
	}
	*ret_app = app;
	return 0;
}

void
app_free(struct app *app)
{
	if (app == NULL)
		return;
	wary_free(app->wary);
	sockets_free(app->sockets);
	guard_free(app->guard);
	cors_free(app->cors);
	free(app);
}

/* --- on the loop: who is it, and may it ------------------------------------
 */

/* The key of a request; null slice: none. */
static struct slice
key_of(const struct http_request *req)
{
	struct slice key = http_field(req, "x-api-key");
	struct slice auth;

	if (key.n > 0)
		return key;
	auth = http_field(req, "authorization");
	if (auth.n < 7 ||
	    !slice_eq_nocase((struct slice){ auth.p, 7 }, "bearer "))
		return SLICE_NULL;
	return slice_trim((struct slice){ auth.p + 7, auth.n - 7 });
}

/* Who has sent the key, if one came and the route looks at keys. */
static int
identify(struct call *c, struct err *err)
{
	struct slice key = key_of(http_request(c->x));

	if (key.n == 0 || c->route == NULL || c->route->need == ROUTE_FREE)
		return 0;
	return guard_check_key(c->app->guard, key, &c->visitor, &c->who, err);
}

static int
check_rights(const struct call *c, struct err *err)
{
	const struct settings *s = c->app->engine->settings;
	const struct route *r = c->route;

	if (c->who.has_key)
		return auth_allows(&c->who, r->scope)
		           ? 0
		           : err_set(err, ERR_FORBIDDEN,
		                 "this key lacks the scope for this");
	if (r->need != ROUTE_KEY &&
	    (r->need != ROUTE_OPEN || !s->require_api_key))
		return 0;
	return err_set(err, ERR_UNAUTHORIZED,
	    "this needs an API key: send it as X-API-Key or as "
	    "Authorization: Bearer");
}

/* Limits of who asks.  A wrong key is counted as a request of its address. */
static int
check_limits(struct call *c, struct err *err)
{
	const struct http_request *req = http_request(c->x);
	struct guard *g = c->app->guard;

	/* What never needs a key is for those who watch, and preflights are
	 * the browser's, which sends no key with them. */
	if (req->method != HTTP_OPTIONS &&
	    (c->route == NULL || c->route->need != ROUTE_FREE) &&
	    guard_count(g, &c->who, &c->visitor, err) < 0)
		return -1;
	if (!guard_trusts(g, http_peer(c->x)))
		return 0;
	return guard_enter(g, &c->visitor.from, &c->place, err);
}

/* Who it is, and whether it may ask now. */
static int
let_in(struct call *c, struct err *err)
{
	struct err wrong = ERR_INIT;

	if (identify(c, &wrong) < 0)
		auth_anonymous(&c->who);
	if (check_limits(c, err) < 0)
		return -1;
	if (wrong.code != ERR_NONE) {
		*err = wrong;
		return -1;
	}
	return 0;
}

/* What can be refused without reading the body. */
static int
check_length(const struct call *c, struct err *err)
{
	const struct http_request *req = http_request(c->x);
	const struct settings *s = c->app->engine->settings;

	if (c->route->body_max == NULL ||
	    req->content_length == HTTP_LENGTH_UNKNOWN ||
	    req->content_length <= c->route->body_max(c->app))
		return 0;
	return err_set(err, ERR_FILE_TOO_LARGE,
	    "the file is larger than %" PRIu64
	    " bytes, the most that this server takes",
	    s->max_file_size);
}

/* The name of a preview may be too long for one of a file. */
static int
take_image(struct call *c, struct slice rest, struct err *err)
{
	const size_t suffix = strlen(PREVIEW_SUFFIX);
	struct err why = ERR_INIT;

	if (filename_normalise(rest, &c->name, &why) == 0)
		return 0;
	if (rest.n > suffix &&
	    slice_eq_str((struct slice){ rest.p + rest.n - suffix, suffix },
	        PREVIEW_SUFFIX) &&
	    filename_normalise(
	        (struct slice){ rest.p, rest.n - suffix }, &c->name, NULL) == 0)
		return 0;
	*err = why;
	return -1;
}

static int
take_rest(struct call *c, struct slice rest, struct err *err)
{
	switch (c->route->rest) {
	case ROUTE_NAME:
		return filename_normalise(rest, &c->name, err);
	case ROUTE_IMAGE:
		return take_image(c, rest, err);
	case ROUTE_WORD:
		c->name = slice_dup(rest);
		return 0;
	default:
		return 0;
	}
}

static void
preflight(struct call *c, const char *allow)
{
	reply_begin(c->app, c->x, 204);
	http_header(c->x, "Allow", "%s", allow);
	cors_preflight_headers(c->app->cors, c->x, allow);
	http_send_empty(c->x);
}

/* No route of this method: why, or the answer to OPTIONS. */
static int
refuse_route(
    struct call *c, struct slice path, bool path_known, struct err *err)
{
	char allow[ROUTES_ALLOW_SIZE];

	if (!path_known && !slice_eq_str(path, "*"))
		return err_set(
		    err, ERR_NOT_FOUND, "there is nothing at this path");
	routes_allow(path, allow);
	if (http_request(c->x)->method == HTTP_OPTIONS) {
		preflight(c, allow);
		return -1;
	}
	http_header(c->x, "Allow", "%s", allow);
	return err_set(err, ERR_METHOD_NOT_ALLOWED,
	    "this path does not take that method, but %s", allow);
}

/* Of clients that cannot send every method (tus). */
static enum http_method
method_of(const struct http_request *req, struct slice path)
{
	static const enum http_method others[] = { HTTP_HEAD, HTTP_PATCH,
		HTTP_DELETE };
	struct slice name = http_field(req, "x-http-method-override");

	if (req->method != HTTP_POST || !slice_starts(path, "/tus"))
		return req->method;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (slice_eq_nocase(name, http_method_name(others[i])))
			return others[i];
	return req->method;
}

/* ${path} is decoded. */
static int
admit_path(struct call *c, struct slice path, struct err *err)
{
	const struct http_request *req = http_request(c->x);
	struct route_match m;

	routes_match(method_of(req, path), path, &m);
	c->route = m.route;
	if (let_in(c, err) < 0)
		return -1;
	if (c->route == NULL)
		return refuse_route(c, path, m.path_known, err);
	if (check_rights(c, err) < 0 ||
	    cors_check_unsafe(c->app->cors, req, err) < 0)
		return -1;
	return take_rest(c, m.rest, err) < 0 ? -1 : check_length(c, err);
}

/* 0 when the request may go on; -1 with err, or with ERR_NONE when it was
 * answered already. */
static int
admit(struct call *c, struct err *err)
{
	const struct http_request *req = http_request(c->x);
	struct buf path;
	int rc;

	if (memchr(req->path.p, '%', req->path.n) == NULL)
		return admit_path(c, req->path, err);
	buf_init(&path, LIMIT_REQUEST_LINE);
	if (url_decode(req->path, false, &path))
		rc = admit_path(c, buf_slice(&path), err);
	else
		rc = err_set(err, ERR_MALFORMED_REQUEST,
		    "the path is not properly percent-encoded");
	buf_fini(&path);
	return rc;
}

static const enum http_verdict verdicts[] = {
	[ROUTE_LOOP] = HTTP_REPLIED,
	[ROUTE_SHORT] = HTTP_SHORT,
	[ROUTE_TRANSFER] = HTTP_TRANSFER,
	[ROUTE_STREAM] = HTTP_STREAM,
};

static enum http_verdict
app_accept(struct http_exchange *x, void *arg)
{
	enum http_verdict verdict = HTTP_REPLIED;
	struct err e = ERR_INIT;
	struct call *c = call_new(arg, x);

	http_set_user(x, c, call_free);
	log_set_request(http_request_id(x));
	if (admit(c, &e) == 0) {
		verdict = verdicts[c->route->kind];
		if (c->route->kind == ROUTE_LOOP)
			c->route->handle(c);
	} else if (e.code != ERR_NONE) {
		reply_error(c->app, x, &e, NULL);
	}
	log_set_request(NULL);
	return verdict;
}

/* --- on a worker
 * -------------------------------------------------------------- */

/* It may have taken long until its body was here, or its turn came. */
static int
check_again(struct call *c, struct err *err)
{
	struct engine *e = c->app->engine;

	if (c->client.ip == NULL && call_client(c, err) < 0)
		return -1;
	/* From here on it may take hours. */
	if (c->route->kind == ROUTE_TRANSFER || c->route->kind == ROUTE_STREAM)
		tenant_enrol(&c->tenant, e->tenants, &c->who);
	return auth_check_again(e->auth, &c->who, err);
}

static void
app_handle(struct http_exchange *x, void *arg)
{
	struct call *c = http_user(x);
	struct err e = ERR_INIT;

	(void)arg;
	log_set_request(http_request_id(x));
	if (c->again != NULL)
		c->again(c);
	else if (check_again(c, &e) < 0)
		reply_error(c->app, x, &e, NULL);
	else
		c->route->handle(c);
	log_set_request(NULL);
}

/* --- the engine's own refusals, and the end
 * -------------------------------------- */

static void
app_fail(struct http_exchange *x, int status, const struct err *why, void *arg)
{
	log_set_request(http_request_id(x));
	reply_error_status(arg, x, status, why);
	log_set_request(NULL);
}

/* Whoever waited for its turn waits no more. */
static void
app_left(struct http_exchange *x, void *arg)
{
	struct call *c = http_user(x);

	(void)arg;
	if (c->left != NULL)
		c->left(c);
	call_leave(c);
}

static void
judge(const struct call *c)
{
	struct health_evidence e;

	if (c->route == NULL || c->route->kind != ROUTE_TRANSFER)
		return;
	quality_evidence(c, &e);
	quality_note(c, health_judge(&e).quality, &e);
}

static void
app_ended(struct http_exchange *x, const struct err *why, void *arg)
{
	const struct http_request *req = http_request(x);
	struct app *app = arg;
	struct call *c = http_user(x);
	char ip[ADDR_TEXT_SIZE];

	if (c != NULL)
		judge(c);
	/* For people who look closely: who logs at info wants no line for
	 * every poll of /status. */
	if (!log_is_on(LOG_DEBUG) || c == NULL)
		return;
	addr_ip_text(&c->visitor.from, ip);
	log_debug("request", LOG_STR("method", http_method_name(req->method)),
	    LOG_SLICE("path", req->path),
	    LOG_INT("status", http_status_sent(x)),
	    LOG_UINT("bytes", http_bytes_sent(x)),
	    LOG_INT(
	        "us", (clock_mono_ns(app->engine->clock) - c->began_ns) / 1000),
	    LOG_STR("client", ip), LOG_STR("cut", why ? why->msg : NULL),
	    LOG_STR("request", http_request_id(x)), LOG_END);
}

static bool
app_is_proxy(const struct addr *peer, void *arg)
{
	const struct app *app = arg;

	return guard_trusts(app->guard, peer);
}

void
app_http(struct app *app, struct http_app *ret)
{
	*ret = (struct http_app){
		.accept = app_accept,
		.handle = app_handle,
		.fail = app_fail,
		.left = app_left,
		.is_proxy = app_is_proxy,
		.ended = app_ended,
		.arg = app,
	};
}
