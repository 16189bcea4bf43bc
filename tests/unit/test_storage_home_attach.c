/* SPDX-License-Identifier: MIT */
#include "storage_help.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/home.h"

static sem_t ready;

static void
make_home(const char *path)
{
	struct home *home;

	OK(home_open(path, &home, &err));
	home_close(home);
}

static void
assert_refused(const char *path, const char *word)
{
	struct err err = ERR_INIT;
	struct home *home;

	assert_int_equal(home_attach(path, &home, &err), -1);
	assert_string_equal(
	    err_code_name(err.code), err_code_name(ERR_SETTING));
	if (strstr(err.msg, word) == NULL)
		fail_msg("no '%s' in: %s", word, err.msg);
}

TEST(test_storage_home_attach__works_beside_a_server)
{
	struct home *server, *home;
	char *part;

	OK(home_open(unit_tempdir(), &server, &err));
	OK(home_attach(unit_tempdir(), &home, &err));
	assert_true(home_is_served(home));
	part = home_path(home, "objects");
	assert_true(part[0] == '/');
	free(part);
	home_close(server);
	assert_false(home_is_served(home));
	/* the server's lock is free: it was only looked at */
	OK(home_open(unit_tempdir(), &server, &err));
	assert_true(home_is_served(home));
	home_close(home);
	home_close(server);
}

TEST(test_storage_home_attach__one_at_a_time)
{
	struct home *home, *again;

	make_home(unit_tempdir());
	OK(home_attach(unit_tempdir(), &home, &err));
	assert_refused(unit_tempdir(), "by another sftd");
	home_close(home);
	OK(home_attach(unit_tempdir(), &again, &err));
	home_close(again);
}

/* Nothing is made where there is no server's directory. */
TEST(test_storage_home_attach__refuses_what_is_no_server_s)
{
	const char *empty = unit_temppath("empty");
	struct stat st;

	assert_refused(unit_temppath("missing"), "there is no directory");
	assert_int_equal(stat(unit_temppath("missing"), &st), -1);
	assert_int_equal(mkdir(empty, 0700), 0);
	assert_refused(empty, "holds no files of a server");
	assert_int_equal(rmdir(empty), 0);
	assert_refused("/proc/self/status", "is not a directory");
}

TEST(test_storage_home_attach__format_is_checked)
{
	FILE *f;

	make_home(unit_tempdir());
	f = fopen(unit_temppath("FORMAT"), "w");
	assert_non_null(f);
	assert_true(fputs("sft 99\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_refused(unit_tempdir(), "newer sftd");
}

/* Root may come first; the server's user must not be locked out. */
TEST(test_storage_home_attach__the_lock_is_the_directory_s_owner_s)
{
	struct home *home;
	struct stat st;

	if (geteuid() != 0)
		skip();
	make_home(unit_tempdir());
	assert_int_equal(chown(unit_tempdir(), 65534, 65534), 0);
	OK(home_attach(unit_tempdir(), &home, &err));
	assert_int_equal(stat(unit_temppath("maintenance.lock"), &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_mode & 07777, 0600);
	home_close(home);
	assert_int_equal(chown(unit_tempdir(), 0, 0), 0);
}

/* --- the bell --------------------------------------------------------------
 */

static bool
has_rung(int bell)
{
	struct pollfd p = { .fd = bell, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void *
serve(void *arg)
{
	struct home *server = arg;
	struct pollfd p = { .events = POLLIN };

	p.fd = home_bell_open(server, NULL);
	/* for who rings, that it may begin */
	(void)sem_post(&ready);
	if (poll(&p, 1, 10000) == 1) {
		home_bell_take(p.fd);
		home_bell_answer(server);
	}
	(void)close(p.fd);
	return NULL;
}

TEST(test_storage_home_attach__a_bell_is_heard_and_answered)
{
	struct home *server, *visitor;
	pthread_t thread;

	OK(home_open(unit_tempdir(), &server, &err));
	OK(home_visit(unit_tempdir(), &visitor, &err));
	assert_int_equal(sem_init(&ready, 0, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, server), 0);
	assert_int_equal(sem_wait(&ready), 0);
	assert_true(home_bell_ring(visitor, 10000));
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)sem_destroy(&ready);
	home_close(visitor);
	home_close(server);
}

TEST(test_storage_home_attach__a_bell_is_not_its_own_answer)
{
	struct home *server, *visitor;
	int bell;

	OK(home_open(unit_tempdir(), &server, &err));
	OK(home_visit(unit_tempdir(), &visitor, &err));
	bell = home_bell_open(server, NULL);
	assert_true(bell >= 0);
	assert_false(has_rung(bell));
	assert_false(home_bell_ring(visitor, 0));
	assert_true(has_rung(bell));
	home_bell_take(bell);
	assert_false(has_rung(bell));
	home_bell_answer(server);
	assert_true(home_is_served(visitor));
	assert_false(has_rung(bell));
	(void)close(bell);
	home_close(visitor);
	home_close(server);
}

TEST(test_storage_home_attach__who_visits_needs_no_lock)
{
	struct home *other, *visitor;

	make_home(unit_tempdir());
	OK(home_attach(unit_tempdir(), &other, &err));
	OK(home_visit(unit_tempdir(), &visitor, &err));
	assert_false(home_is_served(visitor));
	assert_false(home_bell_ring(visitor, 0));
	home_close(visitor);
	home_close(other);
}
