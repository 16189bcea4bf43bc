/* SPDX-License-Identifier: MIT */
#ifndef UNIT_API_FIXTURE_H
#define UNIT_API_FIXTURE_H

/*
 * The application over an engine in memory, served on the loopback, and
 * requests to it.  What is logged for a request goes to a file.
 */

#include <stdint.h>

#include "api/app.h"
#include "base/json.h"
#include "engine_fixture.h"

struct api {
	struct fixture f;
	struct app *app;
	struct http_server *server;
	int listen_fd;
	uint16_t port;
	int log_fd;
};

/* ${f} is initialised here; settings may be changed before api_start(). */
void api_init(struct api *a);
void api_start(struct api *a);
void api_fini(struct api *a);

struct api_request {
	const char *line;   /* "GET /health" */
	const char *fields; /* "Name: value\r\n" lines; NULL: none */
	const char *body;   /* NULL: none, else with Content-Length */
	uint64_t length;    /* said instead of the body's own; 0: that */
};

/* The reply to one request on a connection of its own. */
struct api_reply {
	int status;
	char *text;   /* all of it; the head ends with an empty line */
	char *body;   /* in text */
	json_t *json; /* the body; NULL: it is none */
};
void api_ask(
    struct api *a, const struct api_request *req, struct api_reply *ret);
void api_reply_fini(struct api_reply *r);
/* The value of a string in the body, "" when there is none. */
const char *api_text(const struct api_reply *r, const char *name);
/* Is "Name: value" among the reply's fields? */
bool api_has_field(const struct api_reply *r, const char *field);

/* Asks, and compares the status and, for errors, their form and "code" (NULL
 * for what is no error). */
void api_expect(
    struct api *a, const struct api_request *req, int status, const char *code);

/* What was logged so far, for the caller to free(). */
char *api_log(void);

#endif
