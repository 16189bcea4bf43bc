/* SPDX-License-Identifier: MIT */
#include "crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/slice.h"
#include "base/thread.h"

#define PROBE_EVERY_MS 2
#define PROBES_MAX 1000000u
#define ANSWER_MAX 65536

static int
connect_to(uint16_t port, struct err *err)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 20 };
	int on = 1;
	int fd;

	in.sin_port = htons(port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0) {
		err_set_errno(err, ERR_IO, "cannot connect");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

int
crowd_open(struct crowd *c, uint16_t port, size_t n, struct err *err)
{
	c->fds = mem_calloc(n, sizeof(c->fds[0]));
	for (c->n = 0; c->n < n; c->n++) {
		c->fds[c->n] = connect_to(port, err);
		if (c->fds[c->n] < 0)
			return -1;
	}
	return 0;
}

void
crowd_close(struct crowd *c)
{
	while (c->n > 0)
		close(c->fds[--c->n]);
	free(c->fds);
	c->fds = NULL;
}

static int
send_all(int fd, const void *p, size_t n, struct err *err)
{
	if (send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n)
		return 0;
	return err_set_errno(err, ERR_IO, "cannot send");
}

int
crowd_send(struct crowd *c, size_t i, const void *p, size_t n, struct err *err)
{
	return send_all(c->fds[i], p, n, err);
}

int
crowd_get(int fd, const char *path, struct err *err)
{
	char text[ANSWER_MAX];
	ssize_t n;
	int len;

	len = snprintf(text, sizeof(text),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	if (send_all(fd, text, (size_t)len, err) < 0)
		return -1;
	/* Small answers come in one piece. */
	n = recv(fd, text, sizeof(text), 0);
	if (n < 0)
		return err_set_errno(err, ERR_IO, "no answer");
	if (n < 15 || memcmp(text, "HTTP/1.1 200", 12) != 0)
		return err_set(err, ERR_IO, "an answer is '%.*s'",
		    n < 40 ? (int)n : 40, text);
	return 0;
}

/* The number in a line "Name:   123 kB" when it is called ${name}, else 0. */
static uint64_t
number_of(const char *line, const char *name)
{
	struct slice rest = slice_str(line);
	struct slice key, digits;
	uint64_t n = 0;

	if (!slice_next(&rest, ':', &key) || !slice_eq_str(key, name))
		return 0;
	rest = slice_trim(rest);
	for (digits = rest, digits.n = 0; digits.n < rest.n; digits.n++) {
		if (rest.p[digits.n] < '0' || rest.p[digits.n] > '9')
			break;
	}
	return num_uint(digits, UINT64_MAX, &n) ? n : 0;
}

static uint64_t
sum_lines(FILE *f, const char *name)
{
	char line[256];
	uint64_t sum = 0;

	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL)
		sum += number_of(line, name);
	return sum;
}

static FILE *
open_proc(pid_t pid, const char *name, struct err *err)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	f = fopen(path, "re");
	if (f == NULL)
		err_set_errno(err, ERR_IO, "cannot open '%s'", path);
	return f;
}

int
crowd_measure(pid_t pid, struct crowd_memory *ret, struct err *err)
{
	FILE *f = open_proc(pid, "smaps_rollup", err);

	if (f == NULL)
		return -1;
	ret->pss_kib = sum_lines(f, "Pss");
	ret->anonymous_kib = sum_lines(f, "Anonymous");
	fclose(f);
	f = open_proc(pid, "status", err);
	if (f == NULL)
		return -1;
	ret->threads = sum_lines(f, "Threads");
	fclose(f);
	return 0;
}

static void *
run_probe(void *arg)
{
	struct crowd_probe *p = arg;
	const struct clock *clock = clock_system();
	int64_t begin;

	while (!atomic_load(&p->stops) && p->n < PROBES_MAX) {
		begin = clock_mono_ns(clock);
		if (crowd_get(p->fd, "/health", &p->err) < 0)
			break;
		p->us[p->n++] =
		    (uint32_t)((clock_mono_ns(clock) - begin) / 1000);
		(void)poll(NULL, 0, PROBE_EVERY_MS);
	}
	return NULL;
}

int
crowd_probe_start(struct crowd_probe *p, uint16_t port, struct err *err)
{
	struct thread_options options = { .name = "probe" };

	memset(p, 0, sizeof(*p));
	p->us = mem_calloc(PROBES_MAX, sizeof(p->us[0]));
	p->fd = connect_to(port, err);
	if (p->fd < 0)
		return -1;
	return thread_start(&options, run_probe, p, &p->thread, err);
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

int
crowd_probe_end(struct crowd_probe *p, struct err *err)
{
	atomic_store(&p->stops, true);
	pthread_join(p->thread, NULL);
	close(p->fd);
	qsort(p->us, p->n, sizeof(p->us[0]), compare);
	if (p->err.code != ERR_NONE) {
		*err = p->err;
		return -1;
	}
	if (p->n == 0)
		return err_set(err, ERR_IO, "no probe was answered");
	return 0;
}

double
crowd_probe_ms(const struct crowd_probe *p, double percent)
{
	size_t at = (size_t)((double)(p->n - 1) * percent / 100);

	return (double)p->us[at] / 1000;
}
