/* SPDX-License-Identifier: MIT */
#include "api_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "net/addr.h"
#include "proto/limits.h"
#include "unit.h"

#define PATIENCE_MS 10000
#define REPLY_MAX ((size_t)16 * 1024 * 1024)
#define LOG_NAME "log"

void
api_init(struct api *a)
{
	static char origins[] = "localhost,https://page.example";

	memset(a, 0, sizeof(*a));
	fixture_init(&a->f, NULL);
	a->f.settings.cors_origins = origins;
	a->log_fd = file_open(AT_FDCWD, unit_temppath(LOG_NAME),
	    O_WRONLY | O_CREAT | O_APPEND, 0600, NULL);
	assert_true(a->log_fd >= 0);
}

void
api_start(struct api *a)
{
	struct http_server_config cf = {
		.clock = clock_system(),
		.loops = 1,
		.short_threads = 2,
		.transfer_threads_max = 4,
		.max_connections = 10,
		.header_timeout_ms = PATIENCE_MS,
		.idle_timeout_ms = PATIENCE_MS,
		.stall_timeout_ms = 100,
		.head_max = LIMIT_HEAD,
		.line_max = LIMIT_REQUEST_LINE,
		.fields_max = LIMIT_FIELDS,
		.small_body_max = LIMIT_SMALL_BODY,
		.linger_bytes = LIMIT_LINGER_BYTES,
		.linger_ms = 100,
		.tcp_congestion = "system",
	};
	struct err err = ERR_INIT;
	struct addr bound;

	assert_int_equal(
	    app_new(a->f.engine, "http://own.example:8080\n", &a->app, &err),
	    0);
	app_http(a->app, &cf.app);
	if (addr_listen("127.0.0.1", 0, &a->listen_fd, &err) < 0 ||
	    addr_of_socket(a->listen_fd, &bound, &err) < 0 ||
	    http_server_new(&cf, a->listen_fd, &a->server, &err) < 0 ||
	    http_server_start(a->server, &err) < 0)
		fail_msg("%s", err.msg);
	a->port = addr_port(&bound);
}

void
api_fini(struct api *a)
{
	http_server_stop(a->server, 0);
	http_server_free(a->server);
	file_close(a->listen_fd);
	app_free(a->app);
	file_close(a->log_fd);
	fixture_fini(&a->f);
}

char *
api_log(void)
{
	struct buf b;

	buf_init(&b, REPLY_MAX);
	assert_int_equal(
	    file_read_all(AT_FDCWD, unit_temppath(LOG_NAME), &b, NULL), 0);
	(void)buf_str(&b);
	return buf_take(&b);
}

/* --- the client ----------------------------------------------------------- */

static int
connect_to(const struct api *a)
{
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_port = htons(a->port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static void
write_request(const struct api_request *req, struct buf *b)
{
	size_t n = req->body == NULL ? 0 : strlen(req->body);

	buf_printf(b, "%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s",
	    req->line, req->fields == NULL ? "" : req->fields);
	if (req->body != NULL || req->length > 0)
		buf_printf(b, "Content-Length: %llu\r\n",
		    (unsigned long long)(req->length > 0 ? req->length : n));
	buf_append_str(b, "\r\n");
	buf_append(b, req->body, n);
}

/* What is logged comes before the reply's end. */
static ssize_t
exchange(const struct api *a, int fd, struct buf *b)
{
	int stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	ssize_t n;
	char *p;

	(void)dup2(a->log_fd, STDERR_FILENO);
	n = send(fd, b->p, b->len, MSG_NOSIGNAL);
	buf_clear(b);
	while (n > 0 && (p = buf_reserve(b, 65536)) != NULL) {
		n = recv(fd, p, 65536, 0);
		buf_add(b, n > 0 ? (size_t)n : 0);
	}
	(void)dup2(stderr_fd, STDERR_FILENO);
	file_close(stderr_fd);
	return n;
}

void
api_ask(struct api *a, const struct api_request *req, struct api_reply *ret)
{
	int fd = connect_to(a);
	struct buf b;

	buf_init(&b, REPLY_MAX);
	write_request(req, &b);
	assert_int_equal(exchange(a, fd, &b), 0);
	file_close(fd);
	if (b.len < 12)
		fail_msg("'%s' has no reply", req->line);
	(void)buf_str(&b);
	memset(ret, 0, sizeof(*ret));
	ret->text = buf_take(&b);
	ret->status = (ret->text[9] - '0') * 100 + (ret->text[10] - '0') * 10 +
	              (ret->text[11] - '0');
	ret->body = strstr(ret->text, "\r\n\r\n");
	assert_non_null(ret->body);
	ret->body += 4;
	ret->json = json_parse(ret->body, strlen(ret->body), NULL);
}

void
api_reply_fini(struct api_reply *r)
{
	json_decref(r->json);
	free(r->text);
}

const char *
api_text(const struct api_reply *r, const char *name)
{
	const char *text = json_string_value(json_object_get(r->json, name));

	return text == NULL ? "" : text;
}

bool
api_has_field(const struct api_reply *r, const char *field)
{
	const char *at = strstr(r->text, field);

	return at != NULL && at < r->body && at[-1] == '\n' &&
	       at[strlen(field)] == '\r';
}

/* {"success": false, "error": "A sentence.", "code": "..."} */
static void
check_error(
    const struct api_request *req, const struct api_reply *r, const char *code)
{
	const char *error = api_text(r, "error");
	size_t n = strlen(error);

	if (strcmp(api_text(r, "code"), code) != 0)
		fail_msg("'%s': %s", req->line, r->text);
	assert_true(json_is_false(json_object_get(r->json, "success")));
	assert_true(error[0] >= '!' && !(error[0] >= 'a' && error[0] <= 'z'));
	assert_true(n > 0 && error[n - 1] == '.');
	assert_true(api_has_field(r, "Content-Type: application/json"));
}

void
api_expect(
    struct api *a, const struct api_request *req, int status, const char *code)
{
	struct api_reply r;

	api_ask(a, req, &r);
	if (r.status != status)
		fail_msg("'%s': %s", req->line, r.text);
	if (code != NULL)
		check_error(req, &r, code);
	api_reply_fini(&r);
}
