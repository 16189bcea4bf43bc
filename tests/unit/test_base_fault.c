/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

/* How a process ends that passes "test.here" five times and then ends with
 * 7: its wait status. */
static int
run_with(const char *fault)
{
	int status = -1;
	pid_t pid = fork();
	int i;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setenv("SFT_FAULT", fault, 1);
		for (i = 0; i < 5; i++)
			FAULT_POINT("test.here");
		_exit(7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#ifdef SFT_FAULTS
TEST(test_base_fault__ends_at_its_point)
{
	static const struct {
		const char *fault;
		int ends;
	} cases[] = {
		{ "test.here", 1 },
		{ "test.here:1", 1 },
		{ "test.here:5", 1 },
		{ "test.here:6", 0 },
		{ "test.here:0", 0 },
		{ "test.here:x", 0 },
		{ "test.her", 0 },
		{ "test.here.too", 0 },
		{ "", 0 },
	};
	size_t i;
	int status;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		status = run_with(cases[i].fault);
		if (cases[i].ends)
			assert_int_equal(WTERMSIG(status), SIGKILL);
		else
			assert_int_equal(WEXITSTATUS(status), 7);
	}
}
#else
/* What is shipped cannot be told to die. */
TEST(test_base_fault__is_not_there)
{
	assert_int_equal(WEXITSTATUS(run_with("test.here")), 7);
}
#endif
