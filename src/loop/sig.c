/* SPDX-License-Identifier: MIT */
#include "loop/sig.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"

struct sig {
	struct loop_watch watch;
	struct loop *loop;
	void (*fn)(void *arg, int signo);
	void *arg;
};

static void
fill(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void
sig_block(void)
{
	sigset_t set;

	fill(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

void
sig_unblock(void)
{
	sigset_t set;

	fill(&set);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void
read_signals(struct loop_watch *watch, uint32_t events)
{
	struct sig *sig = CONTAINER_OF(watch, struct sig, watch);
	struct signalfd_siginfo info;

	(void)events;
	/* One a turn: fn() may free ${sig}. */
	if (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		sig->fn(sig->arg, (int)info.ssi_signo);
}

int
sig_new(struct loop *loop, void (*fn)(void *arg, int signo), void *arg,
    struct sig **ret_sig, struct err *err)
{
	struct sig *sig = mem_calloc(1, sizeof(*sig));
	sigset_t set;
	int fd;

	fill(&set);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	sig->loop = loop;
	sig->fn = fn;
	sig->arg = arg;
	loop_watch_init(&sig->watch, fd, read_signals);
	if (fd < 0) {
		err_set_errno(err, ERR_UNAVAILABLE, "cannot receive signals");
		goto fail;
	}
	if (loop_watch_start(loop, &sig->watch, EPOLLIN, err) < 0)
		goto fail;
	*ret_sig = sig;
	return 0;
fail:
	sig_free(sig);
	return -1;
}

void
sig_free(struct sig *sig)
{
	if (sig == NULL)
		return;
	loop_watch_cancel(sig->loop, &sig->watch);
	if (sig->watch.fd >= 0)
		close(sig->watch.fd);
	free(sig);
}
