/* SPDX-License-Identifier: MIT */
#include "api/reply.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "base/log.h"
#include "proto/limits.h"
#include "proto/tus.h"

/* A reply in memory is at most a page of /status with long names. */
#define BODY_MAX (16u * 1024 * 1024)
#define REFUSALS_EVERY_MS 60000

/* Codes that are not listed are 500. */
static const short statuses[ERR_CODE_COUNT] = {
	[ERR_CLOSED] = 400,
	[ERR_TIMEOUT] = 408,
	[ERR_UNAVAILABLE] = 503,
	[ERR_SHUTTING_DOWN] = 503,
	[ERR_MALFORMED_REQUEST] = 400,
	[ERR_INVALID_PARAMETER] = 400,
	[ERR_INVALID_FILENAME] = 400,
	[ERR_INVALID_JSON] = 400,
	[ERR_MISSING_FILE] = 400,
	[ERR_UNAUTHORIZED] = 401,
	[ERR_INVALID_API_KEY] = 401,
	[ERR_FORBIDDEN] = 403,
	[ERR_ORIGIN_FORBIDDEN] = 403,
	[ERR_NOT_FOUND] = 404,
	[ERR_FILE_NOT_FOUND] = 404,
	[ERR_NO_THUMBNAIL] = 404,
	[ERR_TRANSFER_NOT_FOUND] = 404,
	[ERR_KEY_NOT_FOUND] = 404,
	[ERR_METHOD_NOT_ALLOWED] = 405,
	[ERR_REQUEST_TIMEOUT] = 408,
	[ERR_FILE_EXISTS] = 409,
	[ERR_CANCELLED] = 409,
	[ERR_NO_ACTIVE_TRANSFER] = 404,
	[ERR_CHUNK_HASH_MISMATCH] = 400,
	[ERR_CHUNK_CONFLICT] = 409,
	[ERR_SESSION_CONFLICT] = 409,
	[ERR_UPLOAD_TAKEN_OVER] = 409,
	[ERR_UPLOAD_NOT_FOUND] = 404,
	[ERR_UPLOAD_EXPIRED] = 410,
	[ERR_OFFSET_MISMATCH] = 409,
	[ERR_CHECKSUM_MISMATCH] = 460,
	[ERR_TUS_VERSION] = 412,
	[ERR_PRECONDITION_FAILED] = 412,
	[ERR_FILE_TOO_LARGE] = 413,
	[ERR_BODY_TOO_LARGE] = 413,
	[ERR_URI_TOO_LONG] = 414,
	[ERR_UNSUPPORTED_MEDIA_TYPE] = 415,
	[ERR_RANGE_NOT_SATISFIABLE] = 416,
	[ERR_EXPECTATION_FAILED] = 417,
	[ERR_HASH_MISMATCH] = 422,
	[ERR_SIZE_MISMATCH] = 422,
	[ERR_TOO_MANY_REQUESTS] = 429,
	[ERR_TOO_SLOW] = 503,
	[ERR_UNKNOWN_EVENT] = 400,
	[ERR_INVALID_NAMESPACE] = 400,
	[ERR_HEADERS_TOO_LARGE] = 431,
	[ERR_NOT_IMPLEMENTED] = 501,
	[ERR_SERVER_BUSY] = 503,
	[ERR_TOO_MANY_CONNECTIONS] = 503,
	[ERR_VERSION_NOT_SUPPORTED] = 505,
	[ERR_STORAGE_FULL] = 507,
};

int
reply_status(enum err_code code)
{
	return statuses[code] == 0 ? 500 : statuses[code];
}

void
reply_begin(struct app *app, struct http_exchange *x, int status)
{
	reply_begin_kept(app, x, status);
	http_header(x, "Cache-Control", "no-store");
}

void
reply_begin_kept(struct app *app, struct http_exchange *x, int status)
{
	http_status(x, status);
	cors_headers(app->cors, x);
	http_header(x, "X-Request-Id", "%s", http_request_id(x));
	http_header(x, "X-Content-Type-Options", "nosniff");
	http_header(x, "Referrer-Policy", "no-referrer");
	/* Nothing here is a page: what a browser is made to show as one may
	 * neither run nor load anything, nor stand in another's frame. */
	http_header(x, "Content-Security-Policy",
	    "default-src 'none'; frame-ancestors 'none'; sandbox");
	/* tus wants it on every answer, errors of any kind included. */
	if (slice_starts(http_request(x)->path, "/tus"))
		http_header(x, "Tus-Resumable", TUS_VERSION);
}

static void
send_json(struct http_exchange *x, json_t *body)
{
	struct err e = ERR_INIT;
	struct buf b;

	buf_init(&b, BODY_MAX);
	http_header(x, "Content-Type", "application/json");
	if (json_write(body, &b, &e) < 0) {
		log_error("a reply could not be written", LOG_ERR(&e), LOG_END);
		http_close_after(x);
	}
	http_send(x, b.p, b.len);
	buf_fini(&b);
	json_decref(body);
}

void
reply_json(struct app *app, struct http_exchange *x, int status, json_t *body)
{
	reply_begin(app, x, status);
	send_json(x, body);
}

void
reply_json_text(
    struct app *app, struct http_exchange *x, int status, struct slice text)
{
	reply_begin(app, x, status);
	http_header(x, "Content-Type", "application/json");
	http_send(x, text.p, text.n);
}

/* What clients read where the error's own words are for the log. */
struct told {
	enum err_code code;
	const char *name;
	const char *text;
};

static const struct told *
told_instead(enum err_code code)
{
	static const struct told rows[] = {
		{ ERR_CLOSED, "malformed_request",
		    "the connection ended before the request body did" },
		{ ERR_TIMEOUT, "request_timeout",
		    "the request body did not come in time" },
		{ ERR_UNAVAILABLE, "unavailable",
		    "the server cannot do this now; try again soon" },
		{ ERR_KEY_MISSING, "decryption_failed",
		    "the server does not have the key that this file was "
		    "encrypted with; its log says which" },
	};
	static const struct told other = { ERR_INTERNAL, "internal_error",
		"something went wrong in the server; its log says what" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return &rows[i];
	return &other;
}

/* The message as a sentence for a person. */
static void
sentence(const struct err *e, char *ret, size_t n)
{
	const char *msg = e->msg;

	if (!err_code_is_public(e->code) || msg[0] == '\0')
		msg = told_instead(e->code)->text;
	(void)snprintf(ret, n, "%s.", msg);
	ret[0] = (char)toupper((unsigned char)ret[0]);
}

static const char *
public_code(const struct err *e)
{
	if (err_code_is_public(e->code))
		return err_code_name(e->code);
	return told_instead(e->code)->name;
}

/* Now and then: peers must not fill the log with what they are refused. */
static void
log_refusal(struct app *app, const struct err *e)
{
	int64_t now_ms = clock_mono_ms(app->engine->clock);
	int64_t due_ms = atomic_load(&app->refusal_due_ms);

	if (now_ms >= due_ms &&
	    atomic_compare_exchange_strong(
	        &app->refusal_due_ms, &due_ms, now_ms + REFUSALS_EVERY_MS))
		log_warning("clients are refused", LOG_ERR(e), LOG_END);
}

static void
log_failure(struct app *app, const struct http_exchange *x, int status,
    const struct err *e)
{
	switch (e->code) {
	case ERR_SERVER_BUSY:
	case ERR_TOO_MANY_CONNECTIONS:
		log_refusal(app, e);
		return;
	case ERR_NOT_IMPLEMENTED:
	case ERR_VERSION_NOT_SUPPORTED:
	case ERR_SHUTTING_DOWN:
		return;
	default:
		if (status >= 500)
			log_error("request failed",
			    LOG_SLICE("target", http_request(x)->path),
			    LOG_ERR(e), LOG_END);
	}
}

/* What the client should do next. */
static void
add_advice(struct app *app, struct http_exchange *x, int status,
    const struct err *e, json_t *o)
{
	const struct call *c = http_user(x);

	if (status == 413)
		(void)json_object_set_new(o, "max_file_size",
		    json_integer(
		        (json_int_t)app->engine->settings->max_file_size));
	if (e->code == ERR_BODY_TOO_LARGE)
		/* a handler with another limit has named that */
		(void)json_object_update_missing_new(
		    o, json_pack("{s:i}", "max_body_size", LIMIT_SMALL_BODY));
	if (status == 503 || status == 429)
		http_header(x, "Retry-After", "%" PRId64,
		    c != NULL && c->visitor.retry_after_s > 0
		        ? c->visitor.retry_after_s
		        : 1);
	if (status == 401)
		http_header(x, "WWW-Authenticate", "Bearer realm=\"sftd\"");
}

json_t *
reply_error_json(const struct err *e)
{
	char text[ERR_MSG_MAX + 2];

	sentence(e, text, sizeof(text));
	return json_pack("{s:b, s:o, s:s}", "success", 0, "error",
	    json_str_or_null(text), "code", public_code(e));
}

static void
send_error(struct app *app, struct http_exchange *x, int status,
    const struct err *e, json_t *extra)
{
	json_t *o = reply_error_json(e);

	log_failure(app, x, status, e);
	if (extra != NULL) {
		(void)json_object_update(o, extra);
		json_decref(extra);
	}
	reply_begin(app, x, status);
	add_advice(app, x, status, e, o);
	send_json(x, o);
}

void
reply_error(struct app *app, struct http_exchange *x, const struct err *e,
    json_t *extra)
{
	send_error(app, x, reply_status(e->code), e, extra);
}

void
reply_error_status(
    struct app *app, struct http_exchange *x, int status, const struct err *e)
{
	send_error(app, x, status, e, NULL);
}
