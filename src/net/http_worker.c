/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <sys/resource.h>
#include <unistd.h>

#define SHORT_MIN 2
#define SHORT_PER_CORE 8 /* they wait for the disk */
#define SHORT_LEAST 16
#define SHORT_MOST 64
#define SHORT_STACK ((size_t)512 * 1024)
#define TRANSFER_MOST 4096
#define TRANSFER_STACK ((size_t)256 * 1024)
#define AHEAD_STACK ((size_t)128 * 1024)
#define IDLE_MS 10000

static size_t
short_threads(const struct http_server_config *cf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cores > 0 ? (size_t)cores * SHORT_PER_CORE : SHORT_LEAST;

	if (cf->short_threads > 0)
		return cf->short_threads;
	if (n < SHORT_LEAST)
		return SHORT_LEAST;
	return n < SHORT_MOST ? n : SHORT_MOST;
}

/* Not all that the user may have: others of his need some, too. */
static size_t
transfer_threads(const struct http_server_config *cf)
{
	struct rlimit limit;
	size_t n = TRANSFER_MOST;

	if (cf->transfer_threads_max > 0)
		return cf->transfer_threads_max;
	if (getrlimit(RLIMIT_NPROC, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur / 2 < n)
		n = (size_t)limit.rlim_cur / 2;
	return n > 0 ? n : 1;
}

static size_t
spare_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 1 ? (size_t)cores - 1 : 0;
}

int
http_worker_init(struct http_server *s, struct err *err)
{
	struct jobs_config brief = {
		.name = "short",
		.min = SHORT_MIN,
		.max = short_threads(&s->cf),
		.max_waiting = SIZE_MAX, /* one a connection at most */
		.stack = SHORT_STACK,
		.idle_ms = IDLE_MS,
	};
	struct jobs_config transfer = {
		.name = "transfer",
		.min = 0,
		.max = transfer_threads(&s->cf),
		.max_waiting = 0,
		.stack = TRANSFER_STACK,
		.idle_ms = IDLE_MS,
	};

	struct jobs_config ahead = {
		.name = "ahead",
		.max = spare_cores(),
		.stack = AHEAD_STACK,
		.idle_ms = IDLE_MS,
	};

	if (jobs_new(&brief, &s->short_jobs, err) < 0 ||
	    jobs_new(&transfer, &s->transfer_jobs, err) < 0)
		return -1;
	/* With one core there is nobody to read ahead. */
	return ahead.max == 0 ? 0 : jobs_new(&ahead, &s->ahead_jobs, err);
}

static void
leave(const struct http_exchange *x)
{
	if (x->is_transfer)
		atomic_fetch_sub(&x->server->n_transfers, 1);
}

/* On the loop: the worker has given the connection back. */
static void
come_back(struct loop_task *task)
{
	struct http_conn *hc = CONTAINER_OF(task, struct http_conn, task);
	struct http_loop *lp = hc->lp;

	hc->x->on_loop = true;
	leave(hc->x);
	http_conn_resume(hc);
	http_loop_reap(lp);
}

/* The same for one that waits for its turn. */
static void
come_to_park(struct loop_task *task)
{
	struct http_conn *hc = CONTAINER_OF(task, struct http_conn, task);
	struct http_loop *lp = hc->lp;

	hc->x->on_loop = true;
	leave(hc->x);
	http_park_enter(hc);
	http_loop_reap(lp);
}

/* The same for one whose connection stays. */
static void
come_to_live(struct loop_task *task)
{
	struct http_conn *hc = CONTAINER_OF(task, struct http_conn, task);
	struct http_loop *lp = hc->lp;

	hc->x->on_loop = true;
	leave(hc->x);
	http_live_enter(hc);
	http_loop_reap(lp);
}

static void
run_exchange(struct job *job)
{
	struct http_exchange *x = CONTAINER_OF(job, struct http_exchange, job);
	const struct http_app *app = &x->server->cf.app;
	struct http_conn *hc = x->hc;
	struct err err = ERR_INIT;

	app->handle(x, app->arg);
	if (http_park_is_wanted(x)) {
		http_wait_end(x);
		hc->task.run = come_to_park;
		loop_post(hc->lp->loop, &hc->task);
		return;
	}
	if (x->live != NULL) {
		http_wait_end(x);
		hc->task.run = come_to_live;
		loop_post(hc->lp->loop, &hc->task);
		return;
	}
	if (!x->is_replied) {
		(void)err_set(&err, ERR_INTERNAL, "a handler did not answer");
		http_refuse_exchange(x, &err);
	}
	http_wait_end(x);
	/* Else it is told when the loop has flushed the rest. */
	if (hc->out.len == 0)
		http_exchange_tell(x);
	hc->task.run = come_back;
	loop_post(hc->lp->loop, &hc->task);
}

bool
http_worker_start(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;
	struct http_server *s = x->server;
	struct jobs *pool = s->short_jobs;

	x->is_transfer = x->verdict != HTTP_SHORT && !x->body.is_gathered;
	if (x->is_transfer)
		pool = s->transfer_jobs;
	x->on_loop = false;
	x->job.run = run_exchange;
	http_conn_enter(hc, HTTP_STATE_WORKER);
	if (x->is_transfer)
		atomic_fetch_add(&s->n_transfers, 1);
	/* From here on both are the worker's. */
	if (!hc->lp->is_closing && jobs_add(pool, &x->job))
		return true;
	x->on_loop = true;
	leave(x);
	return false;
}
