/* SPDX-License-Identifier: MIT */
#include "engine/previewer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/thread.h"
#include "preview_help.h"
#include "proto/preview.h"

static enum err_code
make(struct previewer *p, const char *image, bool is_idle, uint64_t *ret_pid)
{
	struct previewer_job job = {
		.src = source_mem(image, strlen(image)),
		.is_idle = is_idle,
	};
	struct err err = ERR_INIT;
	struct buf jpeg;

	buf_init(&jpeg, PREVIEW_BYTES_MAX);
	if (previewer_make(p, &job, &jpeg, &err) == 0)
		*ret_pid = preview_help_pid(buf_slice(&jpeg));
	source_close(job.src);
	buf_fini(&jpeg);
	return err.code;
}

TEST(test_engine_previewer__uses_decoders_again)
{
	struct previewer *p = previewer_new(UNIT_DOUBLE);
	uint64_t first = 0, again = 0, idle = 0;
	char version[PREVIEWER_VERSION_SIZE];

	NEEDS_DOUBLE();
	assert_true(previewer_is_there(p));
	previewer_version(p, version);
	assert_string_equal(version, "");
	assert_int_equal(make(p, "GIF89afine", false, &first), ERR_NONE);
	previewer_version(p, version);
	assert_non_null(strstr(version, "double"));
	assert_int_equal(make(p, "nothing", false, &again), ERR_NO_THUMBNAIL);
	assert_int_equal(make(p, "GIF89afine", false, &again), ERR_NONE);
	assert_int_equal(first, again);
	/* those that have just worked do not rest long enough to end */
	previewer_tidy(p);
	assert_int_equal(make(p, "GIF89afine", false, &again), ERR_NONE);
	assert_int_equal(first, again);
	assert_int_equal(make(p, "GIF89afine", true, &idle), ERR_NONE);
	assert_int_not_equal(first, idle);
	previewer_free(p);
}

TEST(test_engine_previewer__replaces_those_that_fail)
{
	struct previewer *p = previewer_new(UNIT_DOUBLE);
	uint64_t first = 0, other = 0;

	NEEDS_DOUBLE();
	assert_int_equal(make(p, "GIF89afine", false, &first), ERR_NONE);
	assert_int_equal(make(p, "GIF89acrash", false, &other), ERR_CLOSED);
	assert_int_equal(make(p, "GIF89afine", false, &other), ERR_NONE);
	assert_int_not_equal(first, other);
	previewer_free(p);
}

/* By whoever was short of memory, say: no image's fault. */
TEST(test_engine_previewer__replaces_those_that_died_at_rest)
{
	struct previewer *p = previewer_new(UNIT_DOUBLE);
	uint64_t first = 0, other = 0;
	siginfo_t info;

	NEEDS_DOUBLE();
	assert_int_equal(make(p, "GIF89afine", false, &first), ERR_NONE);
	assert_int_equal(kill((pid_t)first, SIGKILL), 0);
	assert_int_equal(
	    waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(make(p, "GIF89afine", false, &other), ERR_NONE);
	assert_int_not_equal(first, other);
	previewer_free(p);
}

TEST(test_engine_previewer__no_image_sees_another)
{
	struct previewer *p = previewer_new(UNIT_DOUBLE);
	uint64_t first = 0, again = 0;

	NEEDS_DOUBLE();
	assert_int_equal(make(p, "GIF89afine", false, &first), ERR_NONE);
	assert_int_equal(
	    make(p, "GIF89aremember", false, &again), ERR_NO_THUMBNAIL);
	assert_int_equal(
	    make(p, "GIF89arecall", false, &again), ERR_NO_THUMBNAIL);
	/* it was the same program that had both */
	assert_int_equal(make(p, "GIF89afine", false, &again), ERR_NONE);
	assert_int_equal(first, again);
	previewer_free(p);
}

TEST(test_engine_previewer__blames_no_image_for_want_of_a_process)
{
	/* room for the image, none for the pipe of its reply */
	const struct rlimit few = { 4, 4 };
	struct previewer *p = previewer_new(UNIT_DOUBLE);
	uint64_t first = 0, other = 0;

	NEEDS_DOUBLE();
	assert_int_equal(make(p, "GIF89afine", false, &first), ERR_NONE);
	assert_int_equal(prlimit((pid_t)first, RLIMIT_NOFILE, &few, NULL), 0);
	assert_int_equal(make(p, "GIF89afine", false, &other), ERR_UNAVAILABLE);
	assert_int_equal(make(p, "GIF89afine", false, &other), ERR_NONE);
	assert_int_not_equal(first, other);
	previewer_free(p);
}

/* One that has replied and does not go has no next image to keep. */
TEST(test_engine_previewer__waits_for_none_that_stays)
{
	struct previewer *p = previewer_new(UNIT_DOUBLE);
	uint64_t first = 0, again = 0;

	NEEDS_DOUBLE();
	assert_int_equal(make(p, "GIF89afine", false, &first), ERR_NONE);
	assert_int_equal(
	    make(p, "GIF89alinger", false, &again), ERR_NO_THUMBNAIL);
	assert_int_equal(make(p, "GIF89afine", false, &again), ERR_NONE);
	assert_int_equal(first, again);
	previewer_free(p);
}

TEST(test_engine_previewer__does_without_the_program)
{
	struct previewer *p = previewer_new("/there/is/none");
	uint64_t pid;

	assert_false(previewer_is_there(p));
	assert_int_equal(make(p, "GIF89afine", false, &pid), ERR_UNAVAILABLE);
	previewer_free(p);
	previewer_free(NULL);
}

/* --- a crowd ----------------------------------------------------------------
 */

#define CROWD (PREVIEWER_PROMPT + PREVIEWER_WAITING_MAX)

struct crowd {
	struct previewer *previewer;
	atomic_uint looking; /* how often anybody looked */
	atomic_bool is_over;
};

static int
until_over(void *arg, struct err *err)
{
	struct crowd *c = arg;

	atomic_fetch_add(&c->looking, 1);
	if (!atomic_load(&c->is_over))
		return 0;
	return err_set(err, ERR_SHUTTING_DOWN, "over");
}

static enum err_code
hang(struct crowd *c)
{
	static const char image[] = "GIF89ahang";
	struct previewer_job job = {
		.src = source_mem(image, strlen(image)),
		.check = until_over,
		.arg = c,
	};
	struct err err = ERR_INIT;
	struct buf jpeg;

	buf_init(&jpeg, PREVIEW_BYTES_MAX);
	assert_int_equal(previewer_make(c->previewer, &job, &jpeg, &err), -1);
	source_close(job.src);
	buf_fini(&jpeg);
	return err.code;
}

static void *
be_one(void *arg)
{
	static int ended_early;
	struct crowd *c = arg;

	return hang(c) == ERR_SHUTTING_DOWN ? NULL : &ended_early;
}

TEST(test_engine_previewer__bounds_the_crowd_that_waits)
{
	static const struct thread_options options = { "crowd", 128 * 1024 };
	struct crowd c = { .previewer = previewer_new(UNIT_DOUBLE) };
	pthread_t threads[CROWD];
	enum err_code code;
	void *ended;

	NEEDS_DOUBLE();
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(
		    thread_start(&options, be_one, &c, &threads[i], NULL), 0);
	/* one more is turned away as soon as all of them wait; before that
	 * it would be one of them, so it only looks whether they do */
	while (previewer_waiting(c.previewer) < PREVIEWER_WAITING_MAX)
		sched_yield();
	code = hang(&c);
	assert_int_equal(code, ERR_SERVER_BUSY);
	atomic_store(&c.is_over, true);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(pthread_join(threads[i], &ended), 0);
		assert_null(ended);
	}
	previewer_free(c.previewer);
}
