/* SPDX-License-Identifier: MIT */
#ifndef BENCH_IDLE_CROWD_H
#define BENCH_IDLE_CROWD_H

/*
 * Many connections to 127.0.0.1 that do little, what the server's process
 * takes for them, and how quickly it answers somebody else meanwhile.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Blocking connections, all connected. */
struct crowd {
	int *fds;
	size_t n;
};

int crowd_open(struct crowd *c, uint16_t port, size_t n, struct err *err);
void crowd_close(struct crowd *c);
/* Sends ${text} on connection ${i}. */
int crowd_send(
    struct crowd *c, size_t i, const void *p, size_t n, struct err *err);
/* Sends a GET and reads an answer whose status has to be 200. */
int crowd_get(int fd, const char *path, struct err *err);

/* Kilobytes from /proc/PID/smaps_rollup and the number of threads. */
struct crowd_memory {
	uint64_t pss_kib;
	uint64_t anonymous_kib;
	uint64_t threads;
};
int crowd_measure(pid_t pid, struct crowd_memory *ret, struct err *err);

/* Asks for /health again and again on a connection and a thread of its
 * own. */
struct crowd_probe {
	pthread_t thread;
	int fd;
	atomic_bool stops;
	uint32_t *us; /* what each answer took */
	size_t n;
	struct err err;
};
int crowd_probe_start(struct crowd_probe *p, uint16_t port, struct err *err);
/* Ends it; p->us is sorted then. */
int crowd_probe_end(struct crowd_probe *p, struct err *err);
/* The ${percent}th percentile in milliseconds. */
double crowd_probe_ms(const struct crowd_probe *p, double percent);

#endif
