/* SPDX-License-Identifier: MIT */
#include "sftd/background.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sftd/commands.h"

/* ioprio_set(2), which has no header. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_IDLE (3 << 13)

void
background_begin(void)
{
	(void)umask(077);
}

void
background_give_way(void)
{
	/* A thread's own, on Linux.  It goes faster where this is
	 * refused, and no worse. */
	(void)setpriority(PRIO_PROCESS, 0, 19);
	background_spare_disk();
}

void
background_spare_disk(void)
{
	/* The thread's, too. */
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE);
}

void
background_fatal(const struct err *e)
{
	(void)fprintf(stderr, "sftd: %s\n", e->msg);
	_Exit(COMMANDS_FAILED);
}
