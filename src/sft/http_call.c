/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sft/http_priv.h"

/* How much is looked for on a connection that broke. */
#define LAST_LOOK_MAX (64u * 1024)

static bool
is_success(const struct http_call *c)
{
	return c->head.status >= 200 && c->head.status < 300;
}

size_t
http_call_send(char *p, size_t size, size_t n, void *call)
{
	struct http_call *c = call;
	struct source *s = c->req->body->source;
	ssize_t got;
	int ready;

	c->is_sending = true;
	ready = source_wait(s, 0, &c->err);
	if (ready == 0) {
		c->is_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	got = ready < 0 ? -1 : source_read(s, p, size * n, &c->err);
	return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

int
http_call_seek(void *call, curl_off_t offset, int origin)
{
	struct http_call *c = call;
	const struct http_body *body = c->req->body;

	if (offset != 0 || origin != SEEK_SET || body->rewind == NULL ||
	    !body->rewind(body->source))
		return CURL_SEEKFUNC_CANTSEEK;
	return CURL_SEEKFUNC_OK;
}

size_t
http_call_header(const char *p, size_t size, size_t n, void *call)
{
	struct http_call *c = call;
	struct slice line = { p, size * n };

	if (slice_starts(line, "HTTP/"))
		c->head_is_done = false;
	/* Fields that follow a body are nobody's business. */
	if (c->head_is_done)
		return line.n;
	http_head_line(&c->head, line);
	if (slice_trim(line).n > 0 && p[0] != '\r' && p[0] != '\n')
		return line.n;
	if (c->head.status < 200)
		return line.n; /* 100 Continue; another head follows */
	c->head_is_done = true;
	if (c->req->sink != NULL && is_success(c) &&
	    c->req->sink->head(c->req->sink->arg, &c->head, &c->err) < 0)
		return 0;
	return line.n;
}

static void
keep_answer(struct http_call *c, const char *p, size_t n)
{
	if (!c->answer_is_too_large && buf_append(&c->answer, p, n) < 0)
		c->answer_is_too_large = true;
}

size_t
http_call_receive(const char *p, size_t size, size_t n, void *call)
{
	struct http_call *c = call;
	const struct http_sink *sink = c->req->sink;

	if (sink == NULL || !is_success(c))
		keep_answer(c, p, size * n);
	else if (sink->write(sink->arg, p, size * n, &c->err) < 0)
		return 0;
	/* what is ours to do takes none of the server's time */
	return size * n;
}

/* Splits what is in ${c->answer} into a head and the rest. */
static void
split_answer(struct http_call *c)
{
	struct slice all = buf_slice(&c->answer);
	struct slice rest = all;
	struct slice line;

	if (!slice_starts(all, "HTTP/1."))
		return;
	while (slice_next(&rest, '\n', &line)) {
		http_head_line(&c->head, line);
		if (line.n == 0 || line.p[0] == '\r') {
			c->head_is_done = c->head.status >= 200;
			break;
		}
	}
	buf_consume(&c->answer, all.n - rest.n);
}

/* Is some of the answer missing? */
static bool
wants_more(const struct http_call *c)
{
	if (c->head_is_done)
		return c->head.status >= 300 &&
		       (int64_t)c->answer.len < c->head.length;
	return c->answer.len == 0;
}

/*
 * A server that refuses a body may answer and close at once.  Then sending
 * fails, and libcurl gives up without reading the answer that is there.
 */
static void
last_look(struct http_call *c, int fd)
{
	bool has_head = c->head_is_done;
	size_t before = c->answer.len;
	char p[4096];
	ssize_t n;

	do {
		n = recv(fd, p, sizeof(p), MSG_DONTWAIT);
		if (n > 0)
			keep_answer(c, p, (size_t)n);
	} while ((n > 0 && c->answer.len < before + LAST_LOOK_MAX) ||
	         (n < 0 && errno == EINTR));
	if (!has_head)
		split_answer(c);
}

int
http_call_close_socket(void *http, curl_socket_t fd)
{
	struct http *h = http;
	struct http_call *c = h->call;

	if (c != NULL && c->is_sending && c->err.code == ERR_NONE &&
	    wants_more(c) && strncmp(h->options.base, "http://", 7) == 0)
		last_look(c, fd);
	return close(fd);
}
