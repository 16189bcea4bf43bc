/* SPDX-License-Identifier: MIT */

/* A process that is killed in the middle of writing: what it was told is
 * done is there, in every round. */

#include "db_help.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"

#define ROUNDS 8
#define THREADS 4

struct victim {
	struct db *db;
	int told; /* a pipe */
	unsigned first;
};

static int
put_both(struct db_tx *tx, void *arg, struct err *err)
{
	unsigned id = *(unsigned *)arg;
	struct rec_transfer t;
	struct rec_file f;
	char name[16];

	/* Each name a few times, so that there are replacements. */
	snprintf(name, sizeof(name), "f%u", id / 4);
	f = help_file(name, id);
	t = help_transfer(name, id, REC_COMPLETED);
	if (rec_file_put(tx, &f, true, NULL, err) < 0)
		return -1;
	return rec_transfer_put(tx, &t, err);
}

static void *
write_for_ever(void *arg)
{
	struct victim *v = arg;
	unsigned id;

	for (id = v->first;; id++) {
		if (db_write(v->db, put_both, &id, NULL) < 0 ||
		    write(v->told, &id, sizeof(id)) != sizeof(id))
			_exit(1);
	}
	return NULL;
}

static void
be_killed(const char *path, int told, unsigned first)
{
	static const struct thread_options options = { "victim", 0 };
	struct victim victims[THREADS];
	struct db_state found;
	struct db *db = help_open(path, &found);
	pthread_t thread;
	unsigned i;

	for (i = 0; i < THREADS; i++) {
		victims[i] = (struct victim){ db, told, first + i * 1000000 };
		if (thread_start(&options, write_for_ever, &victims[i], &thread,
		        NULL) < 0)
			_exit(1);
	}
	for (;;)
		pause();
}

/* Kills after ${ms} and gives what was told; the newest of each thread. */
static unsigned
round_of(const char *path, unsigned first, int ms, unsigned newest[THREADS])
{
	struct timespec pause_for = { 0, ms * 1000000L };
	unsigned id, n = 0;
	int told[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(told[0]);
		be_killed(path, told[1], first);
	}
	close(told[1]);
	/* The first word, so that it is in the middle of writing. */
	assert_int_equal(read(told[0], &id, sizeof(id)), sizeof(id));
	nanosleep(&pause_for, NULL);
	kill(pid, SIGKILL);
	do {
		newest[(id - first) / 1000000] = id;
		n++;
	} while (read(told[0], &id, sizeof(id)) == sizeof(id));
	close(told[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return n;
}

static void
expect_told(struct db *db, unsigned first, const unsigned newest[THREADS])
{
	struct rec_transfer t;
	char id[ID_SIZE];
	unsigned i, k;

	for (k = 0; k < THREADS; k++) {
		if (newest[k] == 0)
			continue;
		for (i = first + k * 1000000; i <= newest[k]; i++) {
			if (help_transfer_get(db, help_id(i, id), &t) !=
			    ERR_NONE)
				fail_msg("%u was told, and is gone", i);
			rec_transfer_fini(&t);
			assert_true(help_blob_is_known(db, id));
		}
	}
}

TEST(test_db_crash__what_was_told_is_there)
{
	const char *path = unit_temppath("records.db");
	uint64_t before = 0;
	struct db_state found;
	struct db *db;
	unsigned i, told;

	for (i = 0; i < ROUNDS; i++) {
		unsigned newest[THREADS] = { 0 };
		unsigned first = 4 + i * 10000000;

		told = round_of(path, first, (int)(3 + 7 * i), newest);
		db = help_open(path, &found);
		assert_true(found.was_unclean);
		assert_false(found.was_damaged);
		expect_told(db, first, newest);
		/* The sums agree, too; a last few were done but not told. */
		assert_true(help_transfer_count(db) >= before + told);
		before = help_transfer_count(db);
		assert_int_equal(help_counter(db, "upload.completed"), before);
		assert_int_equal(db_check(db, NULL, NULL), 0);
		db_close(db);
	}
}
