/* SPDX-License-Identifier: MIT */

/*
 * bench_idle: what connections cost that do nothing, or hardly anything.
 *
 *	bench_idle --port P --pid PID idle    idle keep-alive connections
 *	bench_idle --port P --pid PID slow    uploads of 1 KiB/s
 *	bench_idle --port P --pid PID load    uploads of 16 KiB/s, and beside
 *	                                      them four times as many idle
 *
 * Every run is bounded and prints one JSON object; 1 when the target was
 * missed.
 */

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/opt.h"
#include "crowd.h"

#define SLOW_SIZE (10u * 1024 * 1024) /* that each upload announces */
#define SLOW_PIECE 1024               /* bytes, once a second */
#define LOAD_PIECE (16 * 1024)
#define LOAD_IDLE 4 /* idle ones for each that moves */
#define SETTLE_MS 1500
#define WARM_UP 200

struct options {
	uint64_t port, pid, connections, seconds;
	/* of the case */
	size_t piece, idle;
	double health_ms, bytes_each;
};

/* Bytes a connection between two measurements. */
static double
each(const struct crowd_memory *before, const struct crowd_memory *after,
    uint64_t n)
{
	return ((double)after->pss_kib - (double)before->pss_kib) * 1024 /
	       (double)n;
}

/* What the server does once in its life is not the crowd's. */
static int
warm_up(uint16_t port, struct err *err)
{
	struct crowd c;
	size_t i;
	int rc = crowd_open(&c, port, 4, err);

	for (i = 0; rc == 0 && i < WARM_UP; i++)
		rc = crowd_get(c.fds[i % 4], "/health", err);
	crowd_close(&c);
	(void)poll(NULL, 0, SETTLE_MS);
	return rc;
}

static int
run_idle(const struct options *o, bool *ret_reached, struct err *err)
{
	struct crowd_memory before, after;
	struct crowd c = { NULL, 0 };
	int rc = -1;
	size_t i;

	if (crowd_measure((pid_t)o->pid, &before, err) < 0 ||
	    crowd_open(&c, (uint16_t)o->port, o->connections, err) < 0)
		goto out;
	for (i = 0; i < c.n; i++) {
		if (crowd_get(c.fds[i], "/health", err) < 0)
			goto out;
	}
	(void)poll(NULL, 0, SETTLE_MS);
	if (crowd_measure((pid_t)o->pid, &after, err) < 0)
		goto out;
	*ret_reached = each(&before, &after, o->connections) < 1024;
	printf("{\"case\": \"idle\", \"connections\": %zu, "
	       "\"pss_before_kib\": %llu, \"pss_kib\": %llu, "
	       "\"bytes_each\": %.0f}\n",
	    c.n, (unsigned long long)before.pss_kib,
	    (unsigned long long)after.pss_kib,
	    each(&before, &after, o->connections));
	rc = 0;
out:
	crowd_close(&c);
	return rc;
}

static int
begin_upload(struct crowd *c, size_t i, struct err *err)
{
	char head[200];
	int len = snprintf(head, sizeof(head),
	    "PUT /upload/slow-%zu HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Length: %u\r\n\r\n",
	    i, SLOW_SIZE);

	return crowd_send(c, i, head, (size_t)len, err);
}

/* A piece a second on each connection, spread evenly over the second. */
static int
dribble(
    struct crowd *c, const struct options *o, uint64_t seconds, struct err *err)
{
	const struct clock *clock = clock_system();
	int64_t begin = clock_mono_ns(clock);
	static char piece[LOAD_PIECE];
	uint64_t done, due;

	assert(c->n > 0 && o->piece <= sizeof(piece));
	memset(piece, 'x', sizeof(piece));
	for (done = 0; c->n > 0 && done < seconds * c->n;) {
		due = (uint64_t)(clock_mono_ns(clock) - begin) * c->n /
		      1000000000;
		for (; done < due && done < seconds * c->n; done++) {
			if (crowd_send(c, done % c->n, piece, o->piece, err) <
			    0)
				return -1;
		}
		(void)poll(NULL, 0, 1);
	}
	return 0;
}

static void
print_slow(const struct options *o, const struct crowd *c,
    const struct crowd_memory *before, const struct crowd_memory *after,
    const struct crowd_probe *p)
{
	printf("{\"case\": \"%s\", \"uploads\": %zu, \"threads\": %llu, "
	       "\"pss_before_kib\": %llu, \"pss_kib\": %llu, "
	       "\"bytes_each\": %.0f, \"probes\": %zu, "
	       "\"health_ms\": {\"p50\": %.3f, \"p99\": %.3f, "
	       "\"max\": %.3f}}\n",
	    o->idle > 0 ? "load" : "slow", c->n,
	    (unsigned long long)after->threads,
	    (unsigned long long)before->pss_kib,
	    (unsigned long long)after->pss_kib, each(before, after, c->n), p->n,
	    crowd_probe_ms(p, 50), crowd_probe_ms(p, 99),
	    crowd_probe_ms(p, 100));
}

/* Each has asked for something once. */
static int
open_idle(struct crowd *c, const struct options *o, struct err *err)
{
	if (o->idle == 0)
		return 0;
	if (crowd_open(c, (uint16_t)o->port, o->idle, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if (crowd_get(c->fds[i], "/health", err) < 0)
			return -1;
	return 0;
}

static int
run_slow(const struct options *o, bool *ret_reached, struct err *err)
{
	struct crowd_memory before, after;
	struct crowd c = { NULL, 0 }, idle = { NULL, 0 };
	struct crowd_probe probe;
	bool is_probing = false;
	int rc = -1;
	size_t i;

	if (crowd_measure((pid_t)o->pid, &before, err) < 0 ||
	    open_idle(&idle, o, err) < 0 ||
	    crowd_open(&c, (uint16_t)o->port, o->connections, err) < 0)
		goto out;
	for (i = 0; i < c.n; i++) {
		if (begin_upload(&c, i, err) < 0)
			goto out;
	}
	/* all have begun, and sent something */
	if (dribble(&c, o, 2, err) < 0 ||
	    crowd_probe_start(&probe, (uint16_t)o->port, err) < 0)
		goto out;
	is_probing = true;
	if (dribble(&c, o, o->seconds, err) < 0)
		goto out;
	is_probing = false;
	if (crowd_probe_end(&probe, err) < 0 ||
	    crowd_measure((pid_t)o->pid, &after, err) < 0)
		goto out;
	*ret_reached = each(&before, &after, c.n) <= o->bytes_each &&
	               crowd_probe_ms(&probe, 99) <= o->health_ms;
	print_slow(o, &c, &before, &after, &probe);
	free(probe.us);
	rc = 0;
out:
	if (is_probing)
		(void)crowd_probe_end(&probe, NULL);
	crowd_close(&idle);
	crowd_close(&c);
	return rc;
}

/* As many descriptors as we may have. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int
parse(struct options *o, int argc, char **argv, const char **ret_case,
    struct err *err)
{
	const struct opt table[] = {
		{ "port", 'p', OPT_UINT, "PORT", "of the server on 127.0.0.1",
		    &o->port, 1, 65535, NULL },
		{ "pid", 0, OPT_UINT, "PID", "of the serving process", &o->pid,
		    1, INT32_MAX, NULL },
		{ "connections", 'c', OPT_UINT, "N", "at once", &o->connections,
		    1, 60000, NULL },
		{ "seconds", 't', OPT_UINT, "N", "of slow uploading",
		    &o->seconds, 1, 300, NULL },
		{ NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0, NULL },
	};
	struct opt_input in = { .argc = argc, .argv = argv, .table = table };
	int nargs;

	if (opt_parse(&in, &nargs, err) < 0)
		return -1;
	if (nargs != 1 || o->port == 0 || o->pid == 0)
		return err_set(err, ERR_USAGE,
		    "needed: --port PORT --pid PID idle|slow|load");
	*ret_case = argv[1];
	if (strcmp(argv[1], "idle") != 0 && strcmp(argv[1], "slow") != 0 &&
	    strcmp(argv[1], "load") != 0)
		return err_set(
		    err, ERR_USAGE, "there is no case '%s'", argv[1]);
	return 0;
}

/* What the case sends, and what it has to reach. */
static void
set_case(struct options *o, const char *name)
{
	o->piece = SLOW_PIECE;
	o->health_ms = 10;
	o->bytes_each = 64.0 * 1024;
	if (strcmp(name, "load") != 0)
		return;
	o->piece = LOAD_PIECE;
	o->idle = LOAD_IDLE * o->connections;
	o->health_ms = 50;
	o->bytes_each += LOAD_IDLE * 1024.0;
}

int
main(int argc, char **argv)
{
	struct options o = { .seconds = 10 };
	struct err err = ERR_INIT;
	const char *name = NULL;
	bool reached = false;
	int rc;

	if (parse(&o, argc, argv, &name, &err) < 0) {
		fprintf(stderr, "bench_idle: %s\n", err.msg);
		return 2;
	}
	raise_limit();
	if (o.connections == 0)
		o.connections = strcmp(name, "idle") == 0 ? 10000 : 2000;
	set_case(&o, name);
	rc = warm_up((uint16_t)o.port, &err);
	if (rc == 0)
		rc = strcmp(name, "idle") == 0 ? run_idle(&o, &reached, &err)
		                               : run_slow(&o, &reached, &err);
	if (rc < 0) {
		fprintf(stderr, "bench_idle: %s\n", err.msg);
		return 2;
	}
	return reached ? 0 : 1;
}
