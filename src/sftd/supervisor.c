/* SPDX-License-Identifier: MIT */
#include "sftd/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/addr.h"
#include "sftd/certificate.h"
#include "sftd/identity.h"
#include "sftd/listeners.h"
#include "sftd/notify.h"
#include "sftd/secrecy.h"
#include "sftd/server.h"

/* The one thread's. */
struct supervisor {
	const struct commands_input *in;
	int listen_fd;
	int redirect_fd; /* -1: none */
	int life[2];     /* we keep the write end open as long as we live */
	int ready[2];    /* the present server writes when it serves */
	int signal_fd;
	sigset_t signals;
	pid_t child; /* 0: none */
	int64_t started_ms;
	unsigned deaths; /* in quick succession */
	bool was_ready;  /* some server of ours was */
	bool ending;
	int64_t kill_at_ms;
};

bool
supervisor_is_wanted(const struct settings *s)
{
	return s->auto_restart_enabled && getenv(SERVER_FDS) == NULL;
}

static int64_t
now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* --- the child --------------------------------------------------------------
 */

/* In the child: only what may follow a fork, then the program anew. */
static void
become_server(struct supervisor *s, char *const *env)
{
	int fds[] = { s->listen_fd, s->life[0], s->ready[1], s->redirect_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0 && file_set_cloexec(fds[i], false, NULL) < 0)
			_exit(COMMANDS_FAILED);
	(void)sigprocmask(SIG_UNBLOCK, &s->signals, NULL);
	(void)execve("/proc/self/exe", s->in->args, env);
	_exit(COMMANDS_FAILED);
}

static int
start_server(struct supervisor *s, struct err *err)
{
	/* Without a fourth it is not looked at. */
	char *fds = mem_printf("%d,%d,%d,%d", s->listen_fd, s->life[0],
	    s->ready[1], s->redirect_fd);
	pid_t pid;

	(void)setenv(SERVER_FDS, fds, 1);
	free(fds);
	pid = fork();
	if (pid == 0)
		become_server(s, environ);
	if (pid < 0)
		return err_set_errno(err, ERR_INTERNAL, "fork");
	s->child = pid;
	s->started_ms = now_ms();
	return 0;
}

static int64_t
pause_ms(const struct supervisor *s)
{
	int64_t ms = SUPERVISOR_PAUSE_MS;

	for (unsigned i = 1; i < s->deaths && ms < SUPERVISOR_PAUSE_MAX_MS; i++)
		ms *= 2;
	return ms < SUPERVISOR_PAUSE_MAX_MS ? ms : SUPERVISOR_PAUSE_MAX_MS;
}

/* Has the server said that it serves?  Takes the byte. */
static bool
take_ready(struct supervisor *s)
{
	char c;

	return read(s->ready[0], &c, 1) == 1;
}

static void
look_ready(struct supervisor *s)
{
	if (!take_ready(s))
		return;
	if (!s->was_ready)
		notify_send("READY=1");
	s->was_ready = true;
}

/* --- the loop
 * ------------------------------------------------------------------ */

static void
pass_on_end(struct supervisor *s)
{
	if (s->ending)
		return;
	s->ending = true;
	s->kill_at_ms = now_ms() + s->in->settings.shutdown_grace +
	                SUPERVISOR_EXTRA_GRACE_MS;
	notify_send("STOPPING=1");
	if (s->child > 0)
		(void)kill(s->child, SIGTERM);
	/* Who comes now is refused at once and may look for another server;
	 * in our queue it would wait for nothing. */
	addr_unlisten(s->listen_fd);
	if (s->redirect_fd >= 0)
		addr_unlisten(s->redirect_fd);
}

static void
obey(struct supervisor *s, int signal)
{
	if (signal == SIGCHLD)
		return;
	if (signal != SIGHUP)
		pass_on_end(s);
	else if (s->child > 0)
		(void)kill(s->child, SIGHUP);
}

/* Waits at most ${ms} (-1: for ever) for a signal or word from the server. */
static void
wait_event(struct supervisor *s, int64_t ms)
{
	struct pollfd fds[2] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->ready[0], .events = POLLIN },
	};
	struct signalfd_siginfo si;

	if (poll(fds, 2, (int)ms) <= 0)
		return;
	if (fds[1].revents != 0)
		look_ready(s);
	while (read(s->signal_fd, &si, sizeof(si)) == sizeof(si))
		obey(s, (int)si.ssi_signo);
}

static void
say_death(int status, int64_t pause)
{
	log_error("the server died and is started again",
	    LOG_INT(WIFSIGNALED(status) ? "signal" : "status",
	        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)),
	    LOG_INT("pause_ms", pause), LOG_END);
}

static void
bury(struct supervisor *s)
{
	if (now_ms() - s->started_ms >= SUPERVISOR_STABLE_MS)
		s->deaths = 0;
	s->deaths++;
	s->child = 0;
}

/* Sits out the pause, unless asked to end. */
static void
sit_out(struct supervisor *s, int64_t pause)
{
	int64_t until = now_ms() + pause;

	while (!s->ending && now_ms() < until)
		wait_event(s, until - now_ms());
}

/* The child has ended: true when we end too, with *${ret_status}. */
static bool
after_death(struct supervisor *s, int status, int *ret_status)
{
	int64_t pause;

	look_ready(s);
	bury(s);
	if (s->ending) {
		*ret_status = COMMANDS_OK;
		return true;
	}
	/* It has said why it could not start. */
	if (!s->was_ready && WIFEXITED(status)) {
		*ret_status = WEXITSTATUS(status);
		return true;
	}
	pause = pause_ms(s);
	say_death(status, pause);
	sit_out(s, pause);
	return false;
}

/* Until the child has ended: its wait status. */
static int
watch(struct supervisor *s)
{
	int status;

	for (;;) {
		int64_t ms = -1;

		if (waitpid(s->child, &status, WNOHANG) == s->child)
			return status;
		if (s->ending) {
			ms = s->kill_at_ms - now_ms();
			if (ms <= 0) {
				(void)kill(s->child, SIGKILL);
				ms = 1000;
			}
		}
		wait_event(s, ms);
	}
}

static int
supervise(struct supervisor *s, int *ret_status, struct err *err)
{
	do {
		if (s->ending)
			return 0;
		if (start_server(s, err) < 0)
			return -1;
	} while (!after_death(s, watch(s), ret_status));
	return 0;
}

/* --- beginning and end
 * ------------------------------------------------------------ */

static int
prepare(struct supervisor *s, struct err *err)
{
	const struct settings *st = &s->in->settings;

	if (certificate_check(st, err) < 0)
		return -1;
	sigemptyset(&s->signals);
	sigaddset(&s->signals, SIGTERM);
	sigaddset(&s->signals, SIGINT);
	sigaddset(&s->signals, SIGCHLD);
	/* A hang-up of the terminal ends neither of us by surprise. */
	sigaddset(&s->signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &s->signals, NULL) < 0)
		return err_set_errno(err, ERR_INTERNAL, "sigprocmask");
	s->signal_fd = signalfd(-1, &s->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "signalfd");
	if (pipe2(s->life, O_CLOEXEC) < 0 ||
	    pipe2(s->ready, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set_errno(err, ERR_INTERNAL, "pipe");
	if (listeners_open(st, &s->listen_fd, &s->redirect_fd, err) < 0)
		return -1;
	return identity_assume_server(st, err);
}

int
supervisor_run(struct commands_input *in)
{
	struct supervisor s = {
		.in = in,
		.listen_fd = -1,
		.redirect_fd = -1,
		.signal_fd = -1,
		.life = { -1, -1 },
		.ready = { -1, -1 },
	};
	struct err e = ERR_INIT;
	int status = COMMANDS_OK;

	/* It keeps the keys in its environment, for every server anew. */
	secrecy_hide();
	log_setup((enum log_level)in->settings.log_level,
	    (enum log_format)in->settings.log_format);
	if (prepare(&s, &e) < 0 || supervise(&s, &status, &e) < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		status = COMMANDS_FAILED;
	}
	file_close(s.listen_fd);
	file_close(s.redirect_fd);
	file_close(s.signal_fd);
	for (size_t i = 0; i < 2; i++) {
		file_close(s.life[i]);
		file_close(s.ready[i]);
	}
	secrecy_forget_keys(&in->settings);
	commands_forget_args(in);
	secrecy_show();
	return status;
}
