/* SPDX-License-Identifier: MIT */
#include "sftd/server.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/app.h"
#include "base/file.h"
#include "base/log.h"
#include "base/num.h"
#include "net/addr.h"
#include "net/http_server.h"
#include "proto/limits.h"
#include "proto/preview.h"
#include "sftd/announce.h"
#include "sftd/audit.h"
#include "sftd/certificate.h"
#include "sftd/foresight.h"
#include "sftd/identity.h"
#include "sftd/listeners.h"
#include "sftd/maintenance.h"
#include "sftd/notify.h"
#include "sftd/rewriter.h"
#include "sftd/sandbox.h"
#include "sftd/secrecy.h"

/* Everything of one run; the main thread's. */
struct server {
	const struct settings *settings;
	int listen_fd;
	int redirect_fd; /* -1: none */
	int life_fd;     /* -1: no supervisor */
	int ready_fd;    /* -1: no supervisor */
	int signal_fd;
	int bell_fd; /* somebody has made a key beside us; -1: none */
	struct engine *engine;
	struct engine_report report;
	struct sandbox_report sandbox;
	struct tls *tls; /* NULL: none */
	struct app *app;
	struct http_server *http;
	struct maintenance *maintenance;
	struct audit *audit;
	struct rewriter *rewriter;
	struct foresight *foresight;
};

/* A commit's outcome is unknown: end at once, recovery decides (rule 4). */
static void
fatal(const struct err *e)
{
	log_error("the database failed in a way that only a restart can mend",
	    LOG_ERR(e), LOG_END);
	_exit(COMMANDS_FAILED);
}

static void
tune_process(void)
{
	struct rlimit files;

	(void)umask(077);
	/* Few arenas: hundreds of threads share them instead of keeping their
	 * own; what is freed goes back to the system. */
	(void)mallopt(M_ARENA_MAX, 2);
	(void)mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int
open_signals(struct server *s, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set_errno(err, ERR_INTERNAL, "sigprocmask");
	sigdelset(&set, SIGPIPE);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "signalfd");
	return 0;
}

/* The listening sockets: the supervisor's, or our own. */
static int
open_listeners(struct server *s, struct err *err)
{
	int *const fds[] = { &s->listen_fd, &s->life_fd, &s->ready_fd,
		&s->redirect_fd };
	const size_t n = s->settings->http_redirect_port == 0 ? 3 : 4;
	struct slice rest = slice_str(getenv(SERVER_FDS));
	struct slice part;
	uint64_t fd;

	if (rest.n == 0)
		return listeners_open(
		    s->settings, &s->listen_fd, &s->redirect_fd, err);
	for (size_t i = 0; i < n; i++) {
		if (!slice_next(&rest, ',', &part) ||
		    !num_uint(part, 1u << 20, &fd))
			return err_set(err, ERR_INTERNAL,
			    "the variable %s is malformed", SERVER_FDS);
		*fds[i] = (int)fd;
		if (file_set_cloexec((int)fd, true, err) < 0)
			return -1;
	}
	(void)unsetenv(SERVER_FDS);
	return 0;
}

static int
start_http(struct server *s, struct err *err)
{
	const struct settings *st = s->settings;
	struct http_server_config cf = {
		.clock = clock_system(),
		.short_threads = st->worker_threads,
		.max_connections = st->max_connections,
		.max_connections_per_client = st->max_connections_per_client,
		.header_timeout_ms = st->header_timeout,
		.idle_timeout_ms = st->idle_timeout,
		.stall_timeout_ms = st->stall_timeout,
		.head_max = LIMIT_HEAD,
		.line_max = LIMIT_REQUEST_LINE,
		.fields_max = LIMIT_FIELDS,
		.small_body_max = LIMIT_SMALL_BODY,
		.linger_bytes = LIMIT_LINGER_BYTES,
		.linger_ms = LIMIT_LINGER_MS,
		.tcp_congestion = st->tcp_congestion,
		.tls = s->tls,
		.tls_handshakes_max = LIMIT_TLS_HANDSHAKES,
		.redirect_fd = s->redirect_fd,
	};

	app_http(s->app, &cf.app);
	if (http_server_new(&cf, s->listen_fd, &s->http, err) < 0)
		return -1;
	return http_server_start(s->http, err);
}

static int
start_app(struct server *s, struct err *err)
{
	struct addr bound;
	struct buf own;
	int rc = -1;

	buf_init(&own, 64u * 1024);
	if (addr_of_socket(s->listen_fd, &bound, err) < 0)
		goto out;
	addr_reach(&bound, s->tls == NULL ? "http" : "https", &own);
	rc = app_new(s->engine, buf_str(&own), &s->app, err);
out:
	buf_fini(&own);
	return rc;
}

/* There is reason to think that the database is damaged, or objects and
 * records disagree. */
static bool
is_suspect(const struct engine_report *r)
{
	return r->db.was_unclean || r->db.was_damaged || r->db.from_backup ||
	       r->db.is_other || r->rebuilt > 0;
}

/* The path of another program of ours; one that cannot be said is not there. */
static const char *
beside_us(const char *name, char ret[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX);
	size_t folder = 0;

	for (ssize_t i = 0; i < n; i++)
		if (ret[i] == '/')
			folder = (size_t)i + 1;
	if (folder + strlen(name) >= PATH_MAX)
		folder = 0;
	(void)snprintf(ret + folder, PATH_MAX - folder, "%s", name);
	return ret;
}

/* `sftd key new` has put a key into the database. */
static void
hear_bell(struct server *s)
{
	struct err e = ERR_INIT;
	size_t n;

	home_bell_take(s->bell_fd);
	if (auth_read_again(s->engine->auth, &n, &e) < 0) {
		log_error("keys could not be read", LOG_ERR(&e), LOG_END);
		return;
	}
	if (n > 0)
		log_info("keys made beside the server are known",
		    LOG_UINT("keys", n), LOG_END);
	home_bell_answer(s->engine->home);
}

static void
open_bell(struct server *s)
{
	struct err e = ERR_INIT;

	s->bell_fd = home_bell_open(s->engine->home, &e);
	if (s->bell_fd >= 0)
		hear_bell(s); /* what came since the keys were loaded */
	else
		log_warning("keys made with 'sftd key new' will be known after "
		            "a restart only",
		    LOG_ERR(&e), LOG_END);
}

static int
start(struct server *s, struct err *err)
{
	char previewer[PATH_MAX];
	const struct engine_config cf = {
		.settings = s->settings,
		.clock = clock_system(),
		.fatal = fatal,
		.previewer = beside_us(PREVIEW_PROGRAM, previewer),
	};

	if (open_signals(s, err) < 0 ||
	    certificate_open(s->settings, &s->tls, err) < 0 ||
	    open_listeners(s, err) < 0 ||
	    identity_assume_server(s->settings, err) < 0 ||
	    sandbox_enter(s->settings, &s->sandbox, err) < 0)
		return -1;
	if (engine_open(&cf, &s->engine, &s->report, err) < 0)
		return -1;
	if (maintenance_start(s->engine, s->tls, &s->maintenance, err) < 0 ||
	    rewriter_start(s->engine, &s->rewriter, err) < 0 ||
	    foresight_start(s->engine, &s->foresight, err) < 0 ||
	    audit_start(s->engine, is_suspect(&s->report), &s->audit, err) < 0)
		return -1;
	open_bell(s);
	if (start_app(s, err) < 0)
		return -1;
	return start_http(s, err);
}

static void
say_walls(const struct sandbox_report *r)
{
	if (r->landlock > 0)
		log_debug("the server is confined to its directories",
		    LOG_INT("landlock", r->landlock), LOG_END);
	else
		log_info("this kernel has no landlock: the server has no "
		         "capabilities, but may read and write what its user "
		         "may",
		    LOG_END);
}

static void
say_ready(struct server *s)
{
	const struct announcement a = { s->settings, s->engine, &s->report,
		s->tls, s->listen_fd };

	say_walls(&s->sandbox);
	announce(&a);
	if (s->ready_fd >= 0) {
		(void)file_write_all(s->ready_fd, "1", 1, NULL);
		file_close(s->ready_fd);
		s->ready_fd = -1;
	} else {
		notify_send("READY=1");
	}
}

/* From now on connecting is refused. */
static void
unlisten(struct server *s)
{
	addr_unlisten(s->listen_fd);
	if (s->redirect_fd >= 0)
		addr_unlisten(s->redirect_fd);
}

/* Until a signal to end, or the supervisor's death. */
static void
wait_for_end(struct server *s)
{
	struct pollfd fds[3] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->life_fd, .events = POLLIN },
		{ .fd = s->bell_fd, .events = POLLIN },
	};
	struct signalfd_siginfo si;

	for (;;) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents != 0) {
			log_warning("the supervisor is gone, ending", LOG_END);
			unlisten(s);
			return;
		}
		if (fds[2].revents != 0)
			hear_bell(s);
		if (read(s->signal_fd, &si, sizeof(si)) != sizeof(si))
			continue;
		if (si.ssi_signo == SIGHUP) {
			certificate_look(s->tls, true);
			continue;
		}
		log_info("asked to end",
		    LOG_STR("signal",
		        si.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM"),
		    LOG_END);
		/* A supervisor may start another server on its socket. */
		if (s->life_fd < 0)
			unlisten(s);
		return;
	}
}

static void
stop(struct server *s)
{
	audit_cancel(s->audit);
	if (s->http != NULL) {
		http_server_stop(s->http, s->settings->shutdown_grace);
		http_server_free(s->http);
	}
	app_free(s->app);
	rewriter_stop(s->rewriter);
	foresight_stop(s->foresight);
	maintenance_stop(s->maintenance);
	engine_close(s->engine);
	file_close(s->bell_fd);
	file_close(s->signal_fd);
	file_close(s->ready_fd);
	file_close(s->life_fd);
	file_close(s->listen_fd);
	file_close(s->redirect_fd);
	tls_free(s->tls);
}

int
server_run(struct commands_input *in)
{
	struct server s = {
		.settings = &in->settings,
		.listen_fd = -1,
		.redirect_fd = -1,
		.life_fd = -1,
		.ready_fd = -1,
		.signal_fd = -1,
		.bell_fd = -1,
	};
	struct err e = ERR_INIT;

	tune_process();
	commands_forget_args(in);
	log_setup((enum log_level)in->settings.log_level,
	    (enum log_format)in->settings.log_format);
	if (start(&s, &e) < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		stop(&s);
		return COMMANDS_FAILED;
	}
	secrecy_forget_keys(&in->settings);
	say_ready(&s);
	wait_for_end(&s);
	if (s.life_fd < 0)
		notify_send("STOPPING=1");
	stop(&s);
	log_info("ended", LOG_END);
	return COMMANDS_OK;
}
