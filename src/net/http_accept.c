/* SPDX-License-Identifier: MIT */
#include "net/http_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define BATCH 16           /* connections accepted in one turn */
#define RETRY_MS 100       /* after the system had nothing left */
#define REFUSED_MAX 64     /* connections past a limit that get a 503 */
#define LINKS_MS 60000     /* interfaces come and go */
#define KEEPALIVE_S 30     /* silence before the first probe ... */
#define KEEPALIVE_EVERY 10 /* ... and between two */
#define KEEPALIVE_COUNT 3

static void
set_int(int fd, int level, int option, int value)
{
	/* What the system will not do, it will not do. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Peers that vanish without a word are found by probes, and by what they do
 * not confirm.  Accepted sockets inherit all of this. */
static void
set_options(const struct http_server *s, int fd)
{
	int64_t dead_ms = s->cf.stall_timeout_ms + 10000;

	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
	if (dead_ms < INT32_MAX)
		set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)dead_ms);
}

/*
 * Where the system's default is not loss-based (bbr halves what loopback can
 * do), one that is goes to near peers; NULL: none needed, or none there.
 */
static const char *
choose_congestion(int fd)
{
	static const char *const names[] = { "cubic", "reno" };
	char now[16] = "";
	socklen_t len = sizeof(now) - 1;
	const char *found = NULL;
	size_t i;

	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, now, &len) < 0)
		return NULL;
	for (i = 0; i < 2; i++) {
		if (strcmp(now, names[i]) == 0)
			return NULL;
	}
	for (i = 0; i < 2 && found == NULL; i++) {
		if (addr_set_congestion(fd, names[i]) == 0)
			found = names[i];
	}
	(void)addr_set_congestion(fd, now);
	return found;
}

int
http_accept_init(struct http_server *s, struct err *err)
{
	const char *name = s->cf.tcp_congestion;

	set_options(s, s->listen_fd);
	if (s->cf.redirect_fd > 0)
		set_options(s, s->cf.redirect_fd);
	if (name == NULL || strcmp(name, "system") == 0)
		return 0;
	if (strcmp(name, "auto") == 0)
		s->congestion = choose_congestion(s->listen_fd);
	else if (addr_set_congestion(s->listen_fd, name) < 0)
		return err_set(err, ERR_SETTING,
		    "this system has no TCP congestion control '%s'", name);
	return 0;
}

static bool
is_near(struct http_loop *lp, const struct addr *peer)
{
	int64_t now = loop_now_ms(lp->loop);

	if (addr_is_loopback(peer))
		return true;
	if (lp->links == NULL || now - lp->links_ms > LINKS_MS) {
		addr_links_free(lp->links);
		lp->links = addr_links_new();
		lp->links_ms = now;
	}
	return addr_is_on_link(peer, lp->links);
}

/* On the connection's own loop. */
static void
begin(struct loop_task *task)
{
	struct http_conn *hc = CONTAINER_OF(task, struct http_conn, task);
	struct http_loop *lp = hc->lp;

	http_loop_enter(hc, HTTP_STATE_HEAD);
	hc->events = EPOLLIN;
	if (loop_watch_start(lp->loop, &hc->watch, EPOLLIN, NULL) < 0)
		http_conn_close(hc);
	else if (lp->server->cf.tls != NULL && !hc->is_redirect)
		http_handshake_start(hc);
	else
		http_conn_begin(hc);
	http_loop_reap(lp);
}

/* The loop with the fewest connections: epoll gives them to whichever is
 * awake, and those last for hours. */
static struct http_loop *
choose_loop(struct http_loop *lp)
{
	struct http_server *s = lp->server;
	struct http_loop *best = lp;
	size_t i, n, least = atomic_load(&lp->n_conns);

	for (i = 0; i < s->n_loops; i++) {
		n = atomic_load(&s->loops[i].n_conns);
		if (n < least) {
			least = n;
			best = &s->loops[i];
		}
	}
	return best;
}

/*
 * Those past a limit get to hear why, and linger; but only so many, or who
 * has been refused would keep others out.
 */
static void
apply_limits(struct http_conn *hc)
{
	struct http_server *s = hc->lp->server;
	const struct http_server_config *cf = &s->cf;
	size_t max = cf->max_connections;

	if (max > 0 &&
	    atomic_load(&s->n_connections) > max + atomic_load(&s->n_refused)) {
		hc->refusal = ERR_TOO_MANY_CONNECTIONS;
	} else if (cf->max_connections_per_client > 0 &&
	           (cf->app.is_proxy == NULL ||
	               !cf->app.is_proxy(&hc->peer, cf->app.arg))) {
		hc->is_counted = http_peers_add(
		    s->peers, &hc->peer, cf->max_connections_per_client);
		if (!hc->is_counted)
			hc->refusal = ERR_TOO_MANY_CONNECTIONS;
	}
	if (hc->refusal != ERR_NONE)
		atomic_fetch_add(&s->n_refused, 1);
}

static void
take(struct http_loop *from, int fd, const struct addr *peer, bool is_redirect)
{
	struct http_server *s = from->server;
	struct http_loop *lp = choose_loop(from);
	struct http_conn *hc = http_conn_new(lp, fd, peer);

	hc->is_redirect = is_redirect;
	atomic_fetch_add(&s->n_connections, 1);
	atomic_fetch_add(&lp->n_conns, 1);
	apply_limits(hc);
	if (hc->refusal != ERR_NONE &&
	    atomic_load(&s->n_refused) > REFUSED_MAX) {
		hc->conn.ops->close(&hc->conn);
		http_conn_free(hc);
		return;
	}
	if (s->congestion != NULL && is_near(from, peer))
		(void)addr_set_congestion(fd, s->congestion);
	hc->task.run = begin;
	if (lp == from)
		begin(&hc->task);
	else
		loop_post(lp->loop, &hc->task);
}

static void
open_spare(struct http_loop *lp)
{
	lp->spare_fd = file_open(AT_FDCWD, "/dev/null", O_RDONLY, 0, NULL);
}

/*
 * No descriptor is left: without one the queue could not even be emptied,
 * and the loop would spin.  So one is kept to accept and close with.
 */
static void
drop_one(struct http_loop *lp)
{
	int fd;

	file_close(lp->spare_fd);
	fd = accept4(lp->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	file_close(fd);
	open_spare(lp);
}

static int
start_watches(struct http_loop *lp, struct err *err)
{
	const uint32_t events = EPOLLIN | EPOLLEXCLUSIVE;

	if (loop_watch_start(lp->loop, &lp->listening, events, err) < 0)
		return -1;
	return lp->server->cf.redirect_fd <= 0
	           ? 0
	           : loop_watch_start(lp->loop, &lp->redirecting, events, err);
}

static void
cancel_watches(struct http_loop *lp)
{
	loop_watch_cancel(lp->loop, &lp->listening);
	loop_watch_cancel(lp->loop, &lp->redirecting);
}

static void
watch_again(struct http_loop *lp)
{
	if (start_watches(lp, NULL) == 0)
		return;
	cancel_watches(lp);
	loop_timer_start(lp->loop, &lp->accept_timer, RETRY_MS);
}

static void
retry(struct loop_timer *timer)
{
	watch_again(CONTAINER_OF(timer, struct http_loop, accept_timer));
}

static void
pause_accepting(struct http_loop *lp)
{
	cancel_watches(lp);
	loop_timer_start(lp->loop, &lp->accept_timer, RETRY_MS);
}

static void
accept_from(struct http_loop *lp, const struct loop_watch *watch)
{
	struct sockaddr_storage ss;
	struct addr peer;
	socklen_t len;
	int i, fd;

	for (i = 0; i < BATCH; i++) {
		len = sizeof(ss);
		fd = accept4(watch->fd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		addr_init(&peer, (struct sockaddr *)&ss, len);
		take(lp, fd, &peer, watch == &lp->redirecting);
	}
	if (i < BATCH && (errno == EMFILE || errno == ENFILE)) {
		drop_one(lp);
		pause_accepting(lp);
	} else if (i < BATCH &&
	           (errno == ENOBUFS || errno == ENOMEM || errno == EINVAL)) {
		/* EINVAL: addr_unlisten(); we are told to end very soon */
		pause_accepting(lp);
	}
	/* All else is over (EAGAIN) or was the peer's (ECONNABORTED). */
}

static void
accept_some(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	accept_from(CONTAINER_OF(watch, struct http_loop, listening), watch);
}

static void
accept_plain(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	accept_from(CONTAINER_OF(watch, struct http_loop, redirecting), watch);
}

int
http_accept_start(struct http_loop *lp, struct err *err)
{
	loop_timer_init(&lp->accept_timer, retry);
	loop_watch_init(&lp->listening, lp->server->listen_fd, accept_some);
	loop_watch_init(
	    &lp->redirecting, lp->server->cf.redirect_fd, accept_plain);
	open_spare(lp);
	return start_watches(lp, err);
}

void
http_accept_stop(struct http_loop *lp)
{
	if (lp->listening.ready == NULL)
		return;
	loop_timer_cancel(lp->loop, &lp->accept_timer);
	cancel_watches(lp);
	file_close(lp->spare_fd);
	lp->spare_fd = -1;
}
