/* SPDX-License-Identifier: MIT */
#include "http_fixture.h"

#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/thread.h"

#define PATIENCE_MS 10000
#define PIECE ((size_t)256 * 1024)

/* The application. */

char
http_fixture_byte(size_t i)
{
	return (char)('a' + ((i ^ i >> 8) & 15));
}

void
http_fixture_fill(char *p, size_t n, size_t from)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = http_fixture_byte(from + i);
}

/* Not for threads. */
const char *
http_fixture_summary(size_t n)
{
	static char text[64];
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum = sum * 31 + (unsigned char)http_fixture_byte(i);
	snprintf(text, sizeof(text), "%zu %" PRIu64, n, sum);
	return text;
}

static void
note_fini(void *user)
{
	struct fixture *f = user;

	pthread_mutex_lock(&f->lock);
	f->n_fini++;
	pthread_mutex_unlock(&f->lock);
}

/* The query says how many bytes are wanted, else f->big. */
static size_t
size_of(const struct http_exchange *x, const struct fixture *f)
{
	struct slice query = http_request(x)->query;
	uint64_t n = f->big;

	(void)num_uint(query, SIZE_MAX, &n);
	return n;
}

static void
reply_big(struct http_exchange *x, size_t n)
{
	char *p = mem_alloc(n);

	http_fixture_fill(p, n, 0);
	http_send(x, p, n);
	free(p);
}

static const struct {
	const char *path;
	enum http_verdict verdict;
} routes[] = {
	{ "/short", HTTP_SHORT },
	{ "/transfer", HTTP_TRANSFER },
	{ "/wait", HTTP_TRANSFER },
	{ "/early", HTTP_TRANSFER },
	{ "/hang", HTTP_TRANSFER },
	{ "/park", HTTP_TRANSFER },
	{ "/cancelled", HTTP_TRANSFER },
	{ "/taken-over", HTTP_TRANSFER },
	{ "/mute", HTTP_TRANSFER },
	{ "/file", HTTP_TRANSFER },
	{ "/copy", HTTP_TRANSFER },
	{ "/chunks", HTTP_TRANSFER },
	{ "/lies", HTTP_TRANSFER },
};

static enum http_verdict
app_accept(struct http_exchange *x, void *arg)
{
	const struct http_request *req = http_request(x);
	struct fixture *f = arg;
	size_t i;

	pthread_mutex_lock(&f->lock);
	f->n_accepted++;
	pthread_mutex_unlock(&f->lock);
	http_set_user(x, f, note_fini);
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (slice_eq_str(req->path, routes[i].path))
			return routes[i].verdict;
	}
	if (slice_eq_str(req->path, "/big")) {
		reply_big(x, size_of(x, f));
	} else if (slice_eq_str(req->path, "/refuse")) {
		http_status(x, 403);
		http_send(x, "no", 2);
	} else if (slice_eq_str(req->path, "/nothing")) {
		http_status(x, 204);
		http_send_empty(x);
	} else {
		http_header(x, "X-Id", "%s", http_request_id(x));
		http_header(x, "X-Number", "%d", 7);
		http_send(x, "loop", 4);
	}
	return HTTP_REPLIED;
}

/* Reads all of the body and answers with its sum. */
static void
summarise(struct http_exchange *x, bool waits)
{
	struct source *body = http_body(x);
	struct err err = ERR_INIT;
	uint64_t sum = 0;
	size_t total = 0;
	char buf[5000], text[64];
	ssize_t n, i;

	for (;;) {
		if (waits && source_wait(body, -1, &err) < 0)
			break;
		n = source_read(body, buf, sizeof(buf), &err);
		if (n <= 0)
			break;
		for (i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)buf[i];
		total += (size_t)n;
	}
	if (err.code != ERR_NONE) {
		http_status(x, err.code == ERR_TIMEOUT ? 408 : 400);
		http_send(x, err.msg, strlen(err.msg));
		return;
	}
	n = snprintf(text, sizeof(text), "%zu %" PRIu64, total, sum);
	http_send(x, text, (size_t)n);
}

static void
hang(struct http_exchange *x, struct fixture *f)
{
	struct err err = ERR_INIT;
	char buf[1000];

	pthread_mutex_lock(&f->lock);
	f->hanging = x;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	while (source_read(http_body(x), buf, sizeof(buf), &err) > 0)
		continue;
	pthread_mutex_lock(&f->lock);
	f->hanging = NULL;
	pthread_mutex_unlock(&f->lock);
	http_status(x, 409);
	http_header(x, "X-Code", "%s", err_code_name(err.code));
	http_send(x, err.msg, strlen(err.msg));
}

static int
note_progress(void *arg, uint64_t sent, struct err *err)
{
	struct fixture *f = arg;

	(void)err;
	pthread_mutex_lock(&f->lock);
	f->progress = sent;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

static void
note_delivered(void *arg, uint64_t delivered, bool complete)
{
	struct fixture *f = arg;

	pthread_mutex_lock(&f->lock);
	f->n_delivered++;
	f->delivered = delivered;
	f->complete = complete;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* A source that owns its bytes and offers no extent. */
struct made_source {
	struct source source;
	size_t at;
	size_t n;
};

static ssize_t
made_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct made_source *m = CONTAINER_OF(s, struct made_source, source);

	(void)err;
	if (n > m->n - m->at)
		n = m->n - m->at;
	http_fixture_fill(buf, n, m->at);
	m->at += n;
	return (ssize_t)n;
}

static void
made_close(struct source *s)
{
	free(CONTAINER_OF(s, struct made_source, source));
}

static struct source *
make_source(size_t n)
{
	struct made_source *m = mem_calloc(1, sizeof(*m));

	m->source.read = made_read;
	m->source.close = made_close;
	m->n = n;
	return &m->source;
}

static void
stream(struct http_exchange *x, struct fixture *f, struct slice path)
{
	struct http_stream s = {
		.length = size_of(x, f),
		.progress = note_progress,
		.delivered = note_delivered,
		.arg = f,
	};
	struct err err = ERR_INIT;

	if (slice_eq_str(path, "/file")) {
		s.length = f->file_size;
		s.src = source_file(
		    fcntl(f->file, F_DUPFD_CLOEXEC, 0), 0, f->file_size);
	} else {
		s.src = make_source(s.length);
	}
	if (slice_eq_str(path, "/chunks"))
		s.length = HTTP_LENGTH_UNKNOWN;
	if (slice_eq_str(path, "/lies"))
		s.length++;
	(void)http_send_stream(x, &s, &err);
}

/* Waits for http_fixture_unpark(), then answers as /transfer. */
static void
park(struct http_exchange *x, struct fixture *f)
{
	struct err err = ERR_INIT;
	bool is_first;

	pthread_mutex_lock(&f->lock);
	is_first = f->parked == NULL;
	if (is_first) {
		http_park(x);
		f->parked = x;
		if (f->unparks_early)
			http_unpark(x);
	}
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	if (is_first)
		return;
	pthread_mutex_lock(&f->lock);
	f->parked = NULL;
	pthread_mutex_unlock(&f->lock);
	if (http_check(x, &err) < 0) {
		http_status(x, 409);
		http_send(x, err_code_name(err.code),
		    strlen(err_code_name(err.code)));
		return;
	}
	summarise(x, false);
}

/* Is interrupted before it has read anything; answers with how much of the
 * body it gets all the same. */
static void
interrupted(struct http_exchange *x, enum err_code code)
{
	struct err err = ERR_INIT;
	char buf[5000], text[64];
	size_t total = 0;
	ssize_t n;

	http_interrupt(x, code);
	while ((n = source_read(http_body(x), buf, sizeof(buf), &err)) > 0)
		total += (size_t)n;
	n = snprintf(
	    text, sizeof(text), "%zu %s", total, err_code_name(err.code));
	http_send(x, text, (size_t)n);
}

static void
app_handle(struct http_exchange *x, void *arg)
{
	struct slice path = http_request(x)->path;
	struct fixture *f = arg;

	if (slice_eq_str(path, "/hang")) {
		hang(x, f);
	} else if (slice_eq_str(path, "/park")) {
		park(x, f);
	} else if (slice_eq_str(path, "/cancelled")) {
		interrupted(x, ERR_CANCELLED);
	} else if (slice_eq_str(path, "/taken-over")) {
		interrupted(x, ERR_UPLOAD_TAKEN_OVER);
	} else if (slice_eq_str(path, "/early")) {
		http_status(x, 413);
		http_send(x, "too large", 9);
	} else if (slice_eq_str(path, "/short") ||
	           slice_eq_str(path, "/transfer") ||
	           slice_eq_str(path, "/wait")) {
		summarise(x, slice_eq_str(path, "/wait"));
	} else if (!slice_eq_str(path, "/mute")) {
		stream(x, f, path);
	}
}

static void
app_fail(struct http_exchange *x, int status, const struct err *why, void *arg)
{
	(void)arg;
	assert_int_equal(status >= 400, 1);
	http_header(x, "X-Code", "%s", err_code_name(why->code));
	http_send(x, why->msg, strlen(why->msg));
}

static void
app_left(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	(void)x;
	pthread_mutex_lock(&f->lock);
	f->parked = NULL;
	f->n_left++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void
app_ended(struct http_exchange *x, const struct err *why, void *arg)
{
	struct fixture *f = arg;

	(void)x;
	pthread_mutex_lock(&f->lock);
	f->n_ended++;
	f->last_why = why == NULL ? ERR_NONE : why->code;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* The server. */

void
http_fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .file = -1, .big = 1000 };
	f->cf = (struct http_server_config){
		.app = { app_accept, app_handle, app_fail, app_left, NULL,
		    app_ended, f },
		.loops = 2,
		.short_threads = 4,
		.transfer_threads_max = 16,
		.max_connections = 100,
		.header_timeout_ms = PATIENCE_MS,
		.idle_timeout_ms = PATIENCE_MS,
		.stall_timeout_ms = PATIENCE_MS,
		.linger_bytes = 256 << 20,
		.linger_ms = 5000,
		.tcp_congestion = "auto",
	};
	pthread_mutex_init(&f->lock, NULL);
	thread_cond_init(&f->changed);
}

void
http_fixture_start(struct fixture *f)
{
	struct err err = ERR_INIT;
	struct addr bound;

	if (addr_listen("127.0.0.1", 0, &f->listen_fd, &err) < 0 ||
	    addr_of_socket(f->listen_fd, &bound, &err) < 0 ||
	    http_server_new(&f->cf, f->listen_fd, &f->server, &err) < 0 ||
	    http_server_start(f->server, &err) < 0)
		fail_msg("%s", err.msg);
	f->port = addr_port(&bound);
}

void
http_fixture_fini(struct fixture *f)
{
	http_server_free(f->server);
	close(f->listen_fd);
	file_close(f->file);
	/* each that was accepted ended once; refusals are more */
	assert_true(f->n_ended >= f->n_accepted);
	assert_int_equal(f->n_fini, f->n_accepted);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
}

void
http_fixture_wait(struct fixture *f, bool (*is_so)(const struct fixture *f))
{
	int64_t deadline_ns =
	    clock_mono_ns(clock_system()) + (int64_t)PATIENCE_MS * 1000000;
	bool in_time = true;
	bool ok;

	pthread_mutex_lock(&f->lock);
	while (!(ok = is_so(f)) && in_time)
		in_time =
		    thread_cond_wait_until(&f->changed, &f->lock, deadline_ns);
	pthread_mutex_unlock(&f->lock);
	assert_true(ok);
}

bool
http_fixture_is_parked(const struct fixture *f)
{
	return f->parked != NULL;
}

bool
http_fixture_is_hanging(const struct fixture *f)
{
	return f->hanging != NULL;
}

bool
http_fixture_has_delivered(const struct fixture *f)
{
	return f->n_delivered > 0;
}

bool
http_fixture_has_ended(const struct fixture *f)
{
	return f->n_ended > 0;
}

void
http_fixture_wait_connections(struct fixture *f, size_t n)
{
	struct http_server_counts counts;
	int tries;

	for (tries = 0; tries < PATIENCE_MS; tries++) {
		http_server_counts(f->server, &counts);
		if (counts.connections == n)
			return;
		(void)poll(NULL, 0, 1);
	}
	fail_msg("%zu connections instead of %zu", counts.connections, n);
}

/* The client. */

int
client_open(const struct fixture *f)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	in.sin_port = htons(f->port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* what a test sends in pieces is to arrive in pieces */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

void
client_close(int fd)
{
	close(fd);
}

void
client_send_bytes(int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t done;

	while (n > 0) {
		done = send(fd, at, n, MSG_NOSIGNAL);
		if (done <= 0)
			fail_msg("cannot send");
		at += done;
		n -= (size_t)done;
	}
}

void
client_send(int fd, const char *text)
{
	client_send_bytes(fd, text, strlen(text));
}

/* One byte; false when the connection has ended. */
static bool
next_byte(int fd, char *ret)
{
	return recv(fd, ret, 1, 0) == 1;
}

/* ${n} bytes; false when fewer come. */
static bool
read_n(int fd, struct buf *b, size_t n)
{
	ssize_t got;
	char *p;

	while (n > 0) {
		p = buf_reserve(b, n < PIECE ? n : PIECE);
		assert_non_null(p);
		got = recv(fd, p, n < PIECE ? n : PIECE, 0);
		if (got <= 0)
			return false;
		buf_add(b, (size_t)got);
		n -= (size_t)got;
	}
	return true;
}

/* The fewest bytes that are missing before ${b} can end with an empty line:
 * so many may be read without reading too far. */
static size_t
missing_of_head(const struct buf *b)
{
	static const char end[] = "\r\n\r\n";
	size_t have;

	for (have = 4; have > 0; have--) {
		if (b->len >= have &&
		    memcmp(b->p + b->len - have, end, have) == 0)
			break;
	}
	return 4 - have;
}

static void
read_head(int fd, struct reply *r)
{
	struct slice status;
	uint64_t number;
	size_t n;

	while ((n = missing_of_head(&r->head)) > 0) {
		if (!read_n(fd, &r->head, n)) {
			fail_msg("no reply but '%s'", buf_str(&r->head));
			return;
		}
	}
	assert_memory_equal(buf_str(&r->head), "HTTP/1.1 ", 9);
	status = (struct slice){ r->head.p + 9, 3 };
	assert_true(num_uint(status, 599, &number));
	r->status = (int)number;
}

static bool
read_chunks(int fd, struct buf *b)
{
	struct slice line;
	char text[32];
	uint64_t size;
	size_t n;

	for (;;) {
		for (n = 0; n < 2 || text[n - 1] != '\n'; n++) {
			assert_true(n < sizeof(text));
			if (!next_byte(fd, &text[n]))
				return false;
		}
		line = (struct slice){ text, n - 2 };
		assert_true(num_hex(line, SIZE_MAX, &size));
		if (!read_n(fd, b, size + 2))
			return false;
		b->len -= 2;
		if (size == 0)
			return true;
	}
}

void
client_reply(int fd, const char *method, struct reply *ret)
{
	const char *length;
	uint64_t n;

	*ret = (struct reply){ .status = 0 };
	buf_init(&ret->head, 64 << 10);
	buf_init(&ret->body, 256 << 20);
	do {
		buf_clear(&ret->head);
		read_head(fd, ret);
	} while (ret->status == 100);
	assert_non_null(reply_field(ret, "Date"));
	if (strcmp(method, "HEAD") == 0 || ret->status == 204 ||
	    ret->status == 304)
		return;
	if (reply_field(ret, "Transfer-Encoding") != NULL) {
		ret->is_short = !read_chunks(fd, &ret->body);
		return;
	}
	length = reply_field(ret, "Content-Length");
	if (length != NULL) {
		assert_true(num_uint(slice_str(length), SIZE_MAX, &n));
		ret->is_short = !read_n(fd, &ret->body, n);
		return;
	}
	(void)read_n(fd, &ret->body, ret->body.max);
}

void
client_expect_100(int fd)
{
	static const char wanted[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char got[sizeof(wanted)] = "";
	size_t n;

	for (n = 0; n < sizeof(wanted) - 1; n++)
		assert_true(next_byte(fd, &got[n]));
	assert_string_equal(got, wanted);
}

void
reply_fini(struct reply *r)
{
	buf_fini(&r->head);
	buf_fini(&r->body);
}

const char *
reply_field(struct reply *r, const char *name)
{
	struct slice rest = buf_slice(&r->head);
	struct slice line, field;

	while (slice_next(&rest, '\n', &line)) {
		if (!slice_next(&line, ':', &field) ||
		    !slice_eq_nocase(field, name))
			continue;
		line.n--; /* the CR */
		line = slice_trim(line);
		snprintf(
		    r->value, sizeof(r->value), "%.*s", (int)line.n, line.p);
		return r->value;
	}
	return NULL;
}

bool
client_is_ended(int fd)
{
	ssize_t n;
	char c;

	n = recv(fd, &c, 1, 0);
	/* EAGAIN: our patience has ended, not the connection */
	return n == 0 || (n < 0 && errno != EAGAIN);
}

bool
client_is_quiet(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 0;
}

int
client_ask(const struct fixture *f, const char *text)
{
	struct reply r;
	int fd = client_open(f);
	int status;

	client_send(fd, text);
	client_reply(fd, text, &r);
	status = r.status;
	reply_fini(&r);
	client_close(fd);
	return status;
}
