/* SPDX-License-Identifier: MIT */
#include "preview/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"
#include "proto/preview.h"

/* ioprio_set(2), which has no header. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_IDLE (3 << 13)

#define FILES_MAX 32
#define STATUS_MAX 16384
/* After which the process ends by itself: the server ends it sooner. */
#define LAST_RESORT_MS (PREVIEW_IDLE_TIME_MS + 5000)

/* Sanitizers keep books: terabytes that they have set aside before, and a
 * multiple of what the program uses later. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BOOKS 3
#else
#define BOOKS 0
#endif

void
jail_give_way(void)
{
	const struct sched_param none = { 0 };

	/* It goes faster where these are refused, and no worse. */
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)sched_setscheduler(0, SCHED_IDLE, &none);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE);
}

/* --- what it may use up ----------------------------------------------------
 */

static int
limit(int what, rlim_t max, struct err *err)
{
	const struct rlimit l = { max, max };

	if (setrlimit((__rlimit_resource_t)what, &l) == 0)
		return 0;
	return err_set_errno(err, ERR_INTERNAL, "setrlimit");
}

/* What RLIMIT_DATA counts already: of sanitizers only. */
static int
count_books(uint64_t *ret_bytes, struct err *err)
{
	struct slice rest, line;
	uint64_t kib = 0;
	struct buf b;
	int rc;

	buf_init(&b, STATUS_MAX);
	rc = file_read_all(AT_FDCWD, "/proc/self/status", &b, err);
	rest = buf_slice(&b);
	while (rc == 0 && slice_next(&rest, '\n', &line))
		if (slice_starts(line, "VmData:"))
			(void)num_uint(slice_trim((struct slice){
			                   line.p + 7, line.n - 10 }),
			    UINT64_MAX / 1024, &kib);
	buf_fini(&b);
	*ret_bytes = kib * 1024;
	return rc;
}

static int
set_limits(struct err *err)
{
	uint64_t memory = PREVIEW_MEMORY_MAX;
	uint64_t books;

	if (BOOKS > 0) {
		if (count_books(&books, err) < 0)
			return -1;
		memory = books + BOOKS * PREVIEW_MEMORY_MAX;
	}
	if (limit(RLIMIT_CORE, 0, err) < 0 || limit(RLIMIT_FSIZE, 0, err) < 0 ||
	    limit(RLIMIT_NOFILE, FILES_MAX, err) < 0)
		return -1;
	return limit(RLIMIT_DATA, memory, err);
}

static void
set_timer(int which, int64_t ms)
{
	const struct itimerval t = {
		.it_value = { ms / 1000, (ms % 1000) * 1000 },
	};

	(void)setitimer((__itimer_which_t)which, &t, NULL);
}

void
jail_watch(void)
{
	/* What they do by default: end the process. */
	set_timer(ITIMER_PROF, PREVIEW_TIME_MS);
	set_timer(ITIMER_REAL, LAST_RESORT_MS);
}

/* --- the way in -------------------------------------------------------------
 */

int
jail_enter(struct err *err)
{
	/* Only the descriptors that it was given; those of libraries that
	 * stay open on files are none of them. */
	if (syscall(SYS_close_range, PREVIEW_FD + 3, ~0U, 0) < 0)
		return err_set_errno(err, ERR_INTERNAL, "close_range");
	if (chdir("/") < 0)
		return err_set_errno(err, ERR_INTERNAL, "chdir");
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_errno(err, ERR_INTERNAL, "no_new_privs");
	return set_limits(err);
}

/* --- what it may ask of the kernel ------------------------------------------
 */

static const int allowed[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(nanosleep),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(setitimer),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(time),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Of these only some. */
static int
allow_some(scmp_filter_ctx ctx)
{
	int rc = 0;

	/* Threads, not processes. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	/* Its flags are in memory, out of sight: libc takes the other one. */
	rc |=
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* Memory that RLIMIT_DATA counts, none of it executable. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
	    SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
	    SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
	/* To abort. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	return rc;
}

/* What is not allowed fails: libraries ask for much that they can do
 * without. */
int
jail_shut(struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = ctx == NULL;

	for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]);
	     i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0)
		rc = allow_some(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0)
		return err_set(err, ERR_INTERNAL, "no filter of system calls");
	return 0;
}
