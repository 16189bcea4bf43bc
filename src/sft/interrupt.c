/* SPDX-License-Identifier: MIT */
#include "sft/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

struct interrupt {
	int fd;
	_Atomic int signo; /* 0: none yet */
	sigset_t set;      /* what is heard */
	sigset_t before;
};

int
interrupt_open(struct interrupt **ret_i, struct err *err)
{
	struct interrupt *i = mem_calloc(1, sizeof(*i));
	struct sigaction action;
	size_t n;

	sigemptyset(&i->set);
	for (n = 0; n < SIGNALS; n++) {
		if (sigaction(signals[n], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(&i->set, signals[n]);
	}
	i->fd = signalfd(-1, &i->set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (i->fd < 0) {
		free(i);
		return err_set_errno(err, ERR_IO, "cannot watch for signals");
	}
	sigprocmask(SIG_BLOCK, &i->set, &i->before);
	*ret_i = i;
	return 0;
}

void
interrupt_close(struct interrupt *i)
{
	struct signalfd_siginfo info;

	if (i == NULL)
		return;
	/* what was seen has had its effect */
	while (i->signo != 0 &&
	       read(i->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		;
	/* one that waits unseen ends the program now */
	sigprocmask(SIG_SETMASK, &i->before, NULL);
	file_close(i->fd);
	free(i);
}

int
interrupt_fd(const struct interrupt *i)
{
	return i->fd;
}

/* The signal is left where it is: all threads that wait for the descriptor are
 * to see it. */
int
interrupt_signal(struct interrupt *i)
{
	struct pollfd p = { i->fd, POLLIN, 0 };
	sigset_t pending;
	size_t n;

	if (i->signo != 0 || poll(&p, 1, 0) <= 0 || sigpending(&pending) < 0)
		return i->signo;
	for (n = 0; n < SIGNALS; n++) {
		if (sigismember(&i->set, signals[n]) == 1 &&
		    sigismember(&pending, signals[n]) == 1) {
			i->signo = signals[n];
			break;
		}
	}
	return i->signo;
}

int
interrupt_check(struct interrupt *i, struct err *err)
{
	if (interrupt_signal(i) == 0)
		return 0;
	return err_set(err, ERR_INTERRUPTED, "interrupted");
}

int
interrupt_wait(
    struct interrupt *i, int fd, short events, int timeout_ms, struct err *err)
{
	/* poll(2) passes over negative descriptors */
	struct pollfd fds[] = { { i->fd, POLLIN, 0 }, { fd, events, 0 } };

	while (poll(fds, 2, timeout_ms) < 0) {
		if (errno != EINTR)
			return err_set_errno(err, ERR_IO, "poll");
	}
	return interrupt_check(i, err);
}
