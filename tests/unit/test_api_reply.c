/* SPDX-License-Identifier: MIT */
#include "api/reply.h"

#include <stdlib.h>
#include <string.h>

#include "api_fixture.h"
#include "unit.h"

/* Every code that clients may read has a status of its own: one that is new
 * and was forgotten would be a 500. */
TEST(test_api_reply__has_a_status_for_every_public_code)
{
	int code, status;

	for (code = 0; code < ERR_CODE_COUNT; code++) {
		status = reply_status((enum err_code)code);
		assert_true(status >= 400 && status < 600);
		if (err_code_is_public((enum err_code)code) &&
		    code != ERR_FILE_DAMAGED && code != ERR_DECRYPTION_FAILED &&
		    status == 500)
			fail_msg("'%s' has no status",
			    err_code_name((enum err_code)code));
	}
}

TEST(test_api_reply__statuses_are_those_of_the_contract)
{
	static const struct {
		enum err_code code;
		int status;
	} rows[] = {
		{ ERR_DECRYPTION_FAILED, 500 },
		{ ERR_KEY_MISSING, 500 },
		{ ERR_MISSING_FILE, 400 },
		{ ERR_INVALID_PARAMETER, 400 },
		{ ERR_INVALID_FILENAME, 400 },
		{ ERR_MALFORMED_REQUEST, 400 },
		{ ERR_UNAUTHORIZED, 401 },
		{ ERR_INVALID_API_KEY, 401 },
		{ ERR_FORBIDDEN, 403 },
		{ ERR_FILE_NOT_FOUND, 404 },
		{ ERR_METHOD_NOT_ALLOWED, 405 },
		{ ERR_FILE_EXISTS, 409 },
		{ ERR_CANCELLED, 409 },
		{ ERR_FILE_TOO_LARGE, 413 },
		{ ERR_URI_TOO_LONG, 414 },
		{ ERR_RANGE_NOT_SATISFIABLE, 416 },
		{ ERR_HASH_MISMATCH, 422 },
		{ ERR_TOO_MANY_REQUESTS, 429 },
		{ ERR_HEADERS_TOO_LARGE, 431 },
		{ ERR_FILE_DAMAGED, 500 },
		{ ERR_IO, 500 },
		{ ERR_DATABASE, 500 },
		{ ERR_INTERNAL, 500 },
		{ ERR_NOT_IMPLEMENTED, 501 },
		{ ERR_SERVER_BUSY, 503 },
		{ ERR_SHUTTING_DOWN, 503 },
		{ ERR_STORAGE_FULL, 507 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(reply_status(rows[i].code), rows[i].status);
}

/* What the storage says when an upload asks it for a blob. */
static enum err_code fault;

static int
no_blob(struct storage *st, const char *id, uint64_t size,
    struct blob **ret_blob, struct err *err)
{
	(void)st;
	(void)id;
	(void)size;
	(void)ret_blob;
	return err_set(err, fault, "cannot open '/srv/secret/place'");
}

/* Whatever fails below, clients read no path and no SQL; the log has it. */
TEST(test_api_reply__keeps_the_words_of_the_inside_for_the_log)
{
	static const struct {
		enum err_code code;
		int status;
		const char *name;
		bool is_logged;
	} rows[] = {
		{ ERR_IO, 500, "internal_error", true },
		{ ERR_INTERNAL, 500, "internal_error", true },
		{ ERR_DATABASE, 500, "internal_error", true },
		{ ERR_DATABASE_DAMAGED, 500, "internal_error", true },
		{ ERR_EXISTS, 500, "internal_error", true },
		{ ERR_ABSENT, 500, "internal_error", true },
		{ ERR_SETTING, 500, "internal_error", true },
		{ ERR_UNAVAILABLE, 503, "unavailable", true },
		{ ERR_CLOSED, 400, "malformed_request", false },
		{ ERR_TIMEOUT, 408, "request_timeout", false },
	};
	const struct api_request req = { "PUT /upload/a", NULL, "x", 0 };
	struct storage_ops broken;
	struct api_reply r;
	struct api a;
	size_t i;
	char *log;

	api_init(&a);
	broken = *a.f.engine->storage->ops;
	broken.blob_new = no_blob;
	a.f.engine->storage->ops = &broken;
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault = rows[i].code;
		api_expect(&a, &req, rows[i].status, rows[i].name);
		api_ask(&a, &req, &r);
		assert_null(strstr(r.text, "secret"));
		api_reply_fini(&r);
		log = api_log();
		assert_int_equal(
		    strstr(log, err_code_name(rows[i].code)) != NULL,
		    rows[i].is_logged);
		free(log);
	}
	api_fini(&a);
}

/* Each tells what to do next. */
TEST(test_api_reply__gives_advice)
{
	static const struct {
		enum err_code code;
		const char *field;
	} rows[] = {
		{ ERR_UNAVAILABLE, "Retry-After: 1" },
		{ ERR_SERVER_BUSY, "Retry-After: 1" },
		{ ERR_SHUTTING_DOWN, "Retry-After: 1" },
		{ ERR_TOO_MANY_REQUESTS, "Retry-After: 1" },
		{ ERR_UNAUTHORIZED, "WWW-Authenticate: Bearer realm=\"sftd\"" },
	};
	const struct api_request req = { "PUT /upload/a", NULL, "x", 0 };
	const struct api_request large = { "PUT /upload/a", NULL, NULL,
		1000001 };
	struct storage_ops broken;
	struct api_reply r;
	struct api a;
	size_t i;

	api_init(&a);
	broken = *a.f.engine->storage->ops;
	broken.blob_new = no_blob;
	a.f.engine->storage->ops = &broken;
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault = rows[i].code;
		api_ask(&a, &req, &r);
		assert_true(api_has_field(&r, rows[i].field));
		api_reply_fini(&r);
	}
	api_ask(&a, &large, &r);
	assert_int_equal(r.status, 413);
	assert_int_equal(
	    json_integer_value(json_object_get(r.json, "max_file_size")),
	    1000000);
	api_reply_fini(&r);
	api_fini(&a);
}

/* Refusals are many when they come: the log has one a minute. */
TEST(test_api_reply__logs_refusals_now_and_then)
{
	const struct api_request req = { "PUT /upload/a", NULL, "x", 0 };
	struct storage_ops broken;
	struct api a;
	char *log, *first;
	int i;

	api_init(&a);
	broken = *a.f.engine->storage->ops;
	broken.blob_new = no_blob;
	a.f.engine->storage->ops = &broken;
	api_start(&a);
	fault = ERR_SERVER_BUSY;
	for (i = 0; i < 5; i++)
		api_expect(&a, &req, 503, "server_busy");
	log = api_log();
	first = strstr(log, "clients are refused");
	assert_non_null(first);
	assert_null(strstr(first + 1, "clients are refused"));
	free(log);
	clock_manual_advance(&a.f.clock, 60000);
	api_expect(&a, &req, 503, "server_busy");
	log = api_log();
	first = strstr(log, "clients are refused");
	assert_non_null(strstr(first + 1, "clients are refused"));
	free(log);
	api_fini(&a);
}

/* Everything that is answered can be found again, and is no page. */
TEST(test_api_reply__has_the_fields_of_every_answer)
{
	static const char *const lines[] = {
		"GET /status",
		"GET /nowhere",
		"GET /download/none",
		"PUT /status",
	};
	static const char *const fields[] = {
		"Vary: Origin",
		"X-Content-Type-Options: nosniff",
		"Cache-Control: no-store",
		"Access-Control-Allow-Origin: https://page.example",
	};
	struct api_request req = { NULL, "Origin: https://page.example\r\n",
		NULL, 0 };
	struct api_reply r;
	struct api a;
	size_t i, j;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		req.line = lines[i];
		api_ask(&a, &req, &r);
		for (j = 0; j < sizeof(fields) / sizeof(fields[0]); j++) {
			if (!api_has_field(&r, fields[j]))
				fail_msg("'%s' lacks '%s'", r.text, fields[j]);
		}
		assert_non_null(strstr(r.text, "\r\nX-Request-Id: "));
		api_reply_fini(&r);
	}
	api_fini(&a);
}
