/* SPDX-License-Identifier: MIT */
#include "net/http_server.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/latch.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/http_priv.h"

#define LOOPS_MAX 4
#define LAST_REPLIES_MS 2000 /* to flush what interrupted workers said */
#define OWN_BUFFERS 32

static size_t
or_default(size_t value, size_t fallback)
{
	return value > 0 ? value : fallback;
}

static void
fill_config(struct http_server *s)
{
	struct http_server_config *cf = &s->cf;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	s->n_loops = cf->loops;
	if (s->n_loops == 0)
		s->n_loops = cores > 1 ? (size_t)cores : 1;
	if (s->n_loops > LOOPS_MAX)
		s->n_loops = LOOPS_MAX;
	if (cf->clock == NULL)
		cf->clock = clock_system();
	s->limits.line_max = or_default(cf->line_max, 8 * 1024);
	s->limits.head_max = or_default(cf->head_max, 32 * 1024);
	s->limits.fields_max = or_default(cf->fields_max, 100);
	if (s->limits.fields_max > HTTP_PARSE_FIELDS_MAX)
		s->limits.fields_max = HTTP_PARSE_FIELDS_MAX;
	cf->small_body_max = or_default(cf->small_body_max, 64 * 1024);
	cf->gathered_max = or_default(cf->gathered_max, 64 * 1024 * 1024);
}

static void
init_buffers(struct http_server *s)
{
	struct buffers_config cf = {
		.size = BUFFERS_SIZE,
		.count = OWN_BUFFERS,
		.keep = 2,
	};

	s->buffers = s->cf.buffers;
	if (s->buffers != NULL)
		return;
	s->own_buffers = buffers_new(&cf);
	s->buffers = s->own_buffers;
}

int
http_server_new(const struct http_server_config *cf, int listen_fd,
    struct http_server **ret_server, struct err *err)
{
	struct http_server *s = mem_calloc(1, sizeof(*s));
	size_t i;

	s->cf = *cf;
	s->listen_fd = listen_fd;
	fill_config(s);
	init_buffers(s);
	pthread_mutex_init(&s->lock, NULL);
	thread_cond_init(&s->emptied);
	rand_bytes(s->id_keys, sizeof(s->id_keys));
	s->peers = http_peers_new();
	s->loops = mem_calloc(s->n_loops, sizeof(s->loops[0]));
	if (http_accept_init(s, err) < 0)
		goto fail;
	for (i = 0; i < s->n_loops; i++) {
		if (http_loop_init(&s->loops[i], s, err) < 0)
			goto fail;
	}
	*ret_server = s;
	return 0;
fail:
	http_server_free(s);
	return -1;
}

int
http_server_start(struct http_server *s, struct err *err)
{
	size_t i;

	if (http_worker_init(s, err) < 0)
		return -1;
	for (i = 0; i < s->n_loops; i++) {
		if (http_accept_start(&s->loops[i], err) < 0)
			return -1;
	}
	for (i = 0; i < s->n_loops; i++) {
		if (http_loop_start(&s->loops[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Something that every loop does on its own thread. */
struct order {
	struct loop_task task;
	struct http_loop *lp;
	void (*run)(struct http_loop *lp);
	struct latch done;
};

static void
obey(struct loop_task *task)
{
	struct order *order = CONTAINER_OF(task, struct order, task);

	order->run(order->lp);
	http_loop_reap(order->lp);
	latch_open(&order->done);
}

static void
order_all(struct http_server *s, void (*run)(struct http_loop *lp))
{
	struct order order = { .task.run = obey, .run = run };
	size_t i;

	for (i = 0; i < s->n_loops; i++) {
		if (!s->loops[i].is_running)
			continue;
		order.lp = &s->loops[i];
		latch_init(&order.done);
		loop_post(order.lp->loop, &order.task);
		latch_wait(&order.done);
	}
}

static void
for_each(struct list *list, void (*run)(struct http_conn *hc))
{
	struct list *node, *tmp;

	LIST_FOREACH(list, node, tmp)
	run(CONTAINER_OF(node, struct http_conn, link));
}

static void
drain(struct http_loop *lp)
{
	lp->is_draining = true;
	http_accept_stop(lp);
	/* Nothing was asked yet. */
	for_each(&lp->lists[HTTP_STATE_HANDSHAKE], http_conn_close);
	for_each(&lp->lists[HTTP_STATE_IDLE], http_conn_drain);
	for_each(&lp->lists[HTTP_STATE_HEAD], http_conn_drain);
	/* Their turn would not come any more. */
	for_each(&lp->lists[HTTP_STATE_QUEUED], http_conn_hurry);
	for_each(&lp->lists[HTTP_STATE_LIVE], http_live_drain);
}

static void
hurry(struct http_loop *lp)
{
	int state;

	lp->is_closing = true;
	lp->timeout_ms[HTTP_STATE_FLUSH] = LAST_REPLIES_MS / 2;
	lp->timeout_ms[HTTP_STATE_LINGER] = LAST_REPLIES_MS / 2;
	for (state = 0; state <= HTTP_STATE_LIVE; state++)
		for_each(&lp->lists[state], http_conn_hurry);
}

/* Until no connection is left, or the time is up. */
static void
wait_until_empty(struct http_server *s, int64_t wait_ms)
{
	int64_t deadline_ns = clock_mono_ns(clock_system()) + wait_ms * 1000000;
	bool in_time = true;

	pthread_mutex_lock(&s->lock);
	while (in_time && atomic_load(&s->n_connections) > 0)
		in_time =
		    thread_cond_wait_until(&s->emptied, &s->lock, deadline_ns);
	pthread_mutex_unlock(&s->lock);
}

void
http_server_forget(struct http_server *s)
{
	if (atomic_fetch_sub(&s->n_connections, 1) > 1 ||
	    !atomic_load(&s->is_draining))
		return;
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->emptied);
	pthread_mutex_unlock(&s->lock);
}

void
http_server_stop(struct http_server *s, int64_t grace_ms)
{
	size_t i;

	atomic_store(&s->is_draining, true);
	order_all(s, drain);
	wait_until_empty(s, grace_ms);
	order_all(s, hurry);
	jobs_free(s->short_jobs);
	jobs_free(s->transfer_jobs);
	jobs_free(s->ahead_jobs);
	s->short_jobs = NULL;
	s->transfer_jobs = NULL;
	s->ahead_jobs = NULL;
	wait_until_empty(s, LAST_REPLIES_MS);
	for (i = 0; i < s->n_loops; i++)
		http_loop_join(&s->loops[i]);
}

void
http_server_free(struct http_server *s)
{
	size_t i;

	if (s == NULL)
		return;
	if (s->short_jobs != NULL)
		http_server_stop(s, 0);
	for (i = 0; i < s->n_loops; i++)
		http_loop_fini(&s->loops[i]);
	http_wait_fini(s);
	http_peers_free(s->peers);
	buffers_free(s->own_buffers);
	pthread_cond_destroy(&s->emptied);
	pthread_mutex_destroy(&s->lock);
	free(s->loops);
	free(s);
}

void
http_server_counts(const struct http_server *s, struct http_server_counts *ret)
{
	const struct http_loop *lp;
	size_t i;

	*ret = (struct http_server_counts){
		.connections = atomic_load(&s->n_connections),
		.transfers = atomic_load(&s->n_transfers),
	};
	for (i = 0; i < s->n_loops; i++) {
		lp = &s->loops[i];
		ret->idle += atomic_load(&lp->counts[HTTP_STATE_IDLE]);
		ret->lingering += atomic_load(&lp->counts[HTTP_STATE_LINGER]);
	}
}
