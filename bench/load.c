/* SPDX-License-Identifier: MIT */

/*
 * bench_load: a closed-loop load generator for loopback.  One thread, epoll;
 * every run ends, after --requests, --seconds or at the latest --limit.
 * Prints one JSON object.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "client.h"
#include "plan.h"

#define EVENTS 256
#define LATENCIES_MAX 4000000u
#define CONNECTIONS_MAX 20000u
#define NS_PER_S 1000000000

struct load {
	/* what is asked */
	struct plan plan;
	struct client_env env;
	uint64_t connections, requests, seconds, limit, port;
	/* what runs */
	const struct clock *clock;
	struct client *clients;
	uint64_t issued, active;
	int64_t started_ns, ended_ns;
	/* what came out */
	uint64_t ok, failed, reconnects;
	uint64_t bytes_sent, bytes_received;
	uint32_t *latencies_us;
	size_t n_latencies;
	struct err first_error;
	bool timed_out;
};

static double
seconds_of(int64_t ns)
{
	return (double)ns / NS_PER_S;
}

static bool
is_over(const struct load *l)
{
	int64_t ran = clock_mono_ns(l->clock) - l->started_ns;

	if (l->requests > 0 && l->issued >= l->requests)
		return true;
	return l->seconds > 0 && ran >= (int64_t)l->seconds * NS_PER_S;
}

static void
note_failure(struct load *l, const struct err *why)
{
	l->failed++;
	if (l->first_error.code == ERR_NONE)
		l->first_error = *why;
}

/* The next request on this connection; without one it ends. */
static void
next_request(struct load *l, struct client *c)
{
	struct err err = ERR_INIT;

	while (!is_over(l)) {
		if (plan_request_set(&l->plan, l->issued, &c->request, &err) <
		    0) {
			note_failure(l, &err);
			break;
		}
		l->issued++;
		c->started_ns = clock_mono_ns(l->clock);
		if (client_start(c, &l->env, &err) == 0)
			return;
		note_failure(l, &err);
		client_close(c);
	}
	client_close(c);
	l->active--;
}

static void
finish_request(struct load *l, struct client *c)
{
	int64_t now = clock_mono_ns(l->clock);
	struct err err = ERR_INIT;

	if (c->status >= 200 && c->status < 300) {
		l->ok++;
	} else {
		err_set(&err, ERR_IO, "HTTP %d", c->status);
		note_failure(l, &err);
	}
	if (l->n_latencies < LATENCIES_MAX)
		l->latencies_us[l->n_latencies++] =
		    (uint32_t)((now - c->started_ns) / 1000);
	l->ended_ns = now;
	if (c->must_close) {
		client_close(c);
		l->reconnects++;
	}
	next_request(l, c);
}

static void
step(struct load *l, struct client *c)
{
	struct err err = ERR_INIT;

	if (c->fd < 0)
		return; /* an event from before it was closed */
	switch (client_go(c, &l->env, &err)) {
	case CLIENT_MORE:
		break;
	case CLIENT_DONE:
		finish_request(l, c);
		break;
	case CLIENT_LOST:
		note_failure(l, &err);
		client_close(c);
		next_request(l, c);
		break;
	}
}

static int
run(struct load *l, struct err *err)
{
	struct epoll_event events[EVENTS];
	int64_t last;
	uint64_t i;
	int k, n;

	l->started_ns = l->ended_ns = clock_mono_ns(l->clock);
	last = l->started_ns + (int64_t)l->limit * NS_PER_S;
	l->active = l->connections;
	for (i = 0; i < l->connections; i++)
		next_request(l, &l->clients[i]);
	while (l->active > 0) {
		if (clock_mono_ns(l->clock) > last) {
			l->timed_out = true;
			break;
		}
		n = epoll_wait(l->env.epoll_fd, events, EVENTS, 100);
		if (n < 0 && errno != EINTR)
			return err_set_errno(err, ERR_IO, "epoll_wait");
		for (k = 0; k < n; k++)
			step(l, events[k].data.ptr);
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
percentile_ms(const struct load *l, double share)
{
	size_t i;

	if (l->n_latencies == 0)
		return 0;
	i = (size_t)(share * (double)(l->n_latencies - 1));
	return l->latencies_us[i] / 1000.0;
}

static void
report(struct load *l)
{
	double seconds = seconds_of(l->ended_ns - l->started_ns);
	struct rusage used;
	uint64_t i;

	for (i = 0; i < l->connections; i++) {
		l->bytes_sent += l->clients[i].bytes_sent;
		l->bytes_received += l->clients[i].bytes_received;
	}
	if (l->plan.size <= PLAN_SMALL)
		l->bytes_sent = l->ok * l->plan.size;
	qsort(l->latencies_us, l->n_latencies, sizeof(uint32_t), compare);
	getrusage(RUSAGE_SELF, &used);
	printf("{\"ok\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"reconnects\": %" PRIu64 ", \"seconds\": %.6f",
	    l->ok, l->failed, l->reconnects, seconds);
	printf(", \"bytes_sent\": %" PRIu64 ", \"bytes_received\": %" PRIu64,
	    l->bytes_sent, l->bytes_received);
	printf(", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f",
	    percentile_ms(l, 0.5), percentile_ms(l, 0.99), percentile_ms(l, 1));
	printf(", \"cpu_seconds\": %.3f",
	    (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	        (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	printf(", \"congestion\": \"%s\", \"timed_out\": %s, \"error\": ",
	    l->env.congestion != NULL ? l->env.congestion : "system",
	    l->timed_out ? "true" : "false");
	if (l->first_error.code == ERR_NONE)
		printf("null}\n");
	else
		printf("\"%s\"}\n", l->first_error.msg);
}

/* cubic or reno, whichever the kernel lets us have. */
static const char *
loss_based(void)
{
	static const char *const names[] = { "cubic", "reno" };
	const char *found = NULL;
	size_t i;
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	for (i = 0; i < 2 && found == NULL; i++) {
		if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, names[i],
		        (socklen_t)strlen(names[i])) == 0)
			found = names[i];
	}
	close(fd);
	return found;
}

static int
parse(struct load *l, int argc, char **argv, struct err *err)
{
	const struct opt table[] = {
		{ "port", 'p', OPT_UINT, "PORT", "of the server on 127.0.0.1",
		    &l->port, 1, 65535, NULL },
		{ "connections", 'c', OPT_UINT, "N", "at once", &l->connections,
		    1, CONNECTIONS_MAX, NULL },
		{ "requests", 'n', OPT_UINT, "N", "in all", &l->requests, 1,
		    UINT32_MAX, NULL },
		{ "seconds", 't', OPT_UINT, "N", "instead of --requests",
		    &l->seconds, 1, 600, NULL },
		{ "limit", 0, OPT_UINT, "SECONDS", "the end in any case",
		    &l->limit, 1, 900, NULL },
		{ "method", 'm', OPT_STR, "NAME", "GET, PUT or POST",
		    &l->plan.method, 0, 0, NULL },
		{ "target", 0, OPT_STR, "PATH", "# is the request's number",
		    &l->plan.target, 0, 0, NULL },
		{ "form-file", 0, OPT_STR, "NAME",
		    "a form whose file has that name, # as above",
		    &l->plan.form_file, 0, 0, NULL },
		{ "fields", 0, OPT_STR, "LINES", "more of the head",
		    &l->plan.fields, 0, 0, NULL },
		{ "chunked", 0, OPT_STR, "NAME",
		    "all requests are chunks of one file of that name",
		    &l->plan.chunked, 0, 0, NULL },
		{ "encryption", 0, OPT_STR, "BOOL", "of that file",
		    &l->plan.encryption, 0, 0, NULL },
		{ "size", 's', OPT_SIZE, "BYTES",
		    "of the file (the chunk) sent", &l->plan.size, 0,
		    UINT64_C(1) << 40, NULL },
		{ 0 },
	};
	struct opt_input in = { .argc = argc, .argv = argv, .table = table };
	int nargs;

	if (opt_parse(&in, &nargs, err) < 0)
		return -1;
	l->plan.chunks = l->requests;
	if (nargs > 0 || l->port == 0 || l->plan.target == NULL ||
	    (l->requests == 0) == (l->seconds == 0))
		return err_set(err, ERR_USAGE,
		    "bench_load --port P --target PATH "
		    "(--requests N | --seconds N) [--connections N] "
		    "[--method M] [--size BYTES] [--form-file NAME]");
	return 0;
}

int
main(int argc, char **argv)
{
	static struct load l = {
		.plan = { .method = "GET",
		    .host = "localhost",
		    .encryption = "false" },
		.connections = 1,
		.limit = 120,
	};
	struct err err = ERR_INIT;
	uint64_t i;

	l.clock = clock_system();
	if (parse(&l, argc, argv, &err) < 0 || plan_open(&l.plan, &err) < 0)
		goto fail;
	l.env.addr.sin_family = AF_INET;
	l.env.addr.sin_port = htons((uint16_t)l.port);
	l.env.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l.env.congestion = loss_based();
	l.env.plan = &l.plan;
	l.env.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l.latencies_us = mem_calloc(LATENCIES_MAX, sizeof(uint32_t));
	l.clients = mem_calloc(l.connections, sizeof(struct client));
	for (i = 0; i < l.connections; i++)
		client_init(&l.clients[i]);
	if (run(&l, &err) < 0)
		goto fail;
	report(&l);
	for (i = 0; i < l.connections; i++)
		client_fini(&l.clients[i]);
	free(l.clients);
	free(l.latencies_us);
	close(l.env.epoll_fd);
	plan_close(&l.plan);
	return l.timed_out || l.failed > 0 ? 1 : 0;
fail:
	fprintf(stderr, "bench_load: %s\n", err.msg);
	return 2;
}
