/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "loop/sig.h"

struct seen {
	struct loop *loop;
	int signo[4];
	int n;
};

static void
note(void *arg, int signo)
{
	struct seen *seen = arg;

	seen->signo[seen->n++] = signo;
	if (seen->n == 2)
		loop_stop(seen->loop);
}

TEST(test_loop_sig__signals_are_events)
{
	struct seen seen = { .n = 0 };
	struct sig *sig;

	assert_int_equal(loop_new(&seen.loop, NULL), 0);
	sig_block();
	assert_int_equal(sig_new(seen.loop, note, &seen, &sig, NULL), 0);
	/* pending signals come lowest number first */
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGHUP);
	loop_run(seen.loop);
	sig_free(sig);
	sig_unblock();
	loop_free(seen.loop);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.signo[0], SIGHUP);
	assert_int_equal(seen.signo[1], SIGTERM);
}
