/* SPDX-License-Identifier: MIT */
#include "sftd/maintenance.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "engine_fixture.h"
#include "unit.h"

#define MINUTE (60LL * 1000)
#define HOUR (60 * MINUTE)

/* An engine on a directory, kept by a maintenance that goes by our clock. */
struct kept {
	struct fixture f;
	struct maintenance *m;
	char dir[512];
	char status_file[512];
};

static void
fatal(const struct err *e)
{
	(void)fprintf(stderr, "fatal: %s\n", e->msg);
	abort();
}

static void
kept_init(struct kept *k)
{
	const struct engine_config cf = {
		.settings = &k->f.settings,
		.clock = &k->f.clock.clock,
		.fatal = fatal,
	};
	struct engine_report report;
	struct err err = ERR_INIT;

	memset(k, 0, sizeof(*k));
	(void)snprintf(k->dir, sizeof(k->dir), "%s", unit_temppath("files"));
	(void)snprintf(k->status_file, sizeof(k->status_file), "%s",
	    unit_temppath("status.json"));
	clock_manual_init(&k->f.clock, 1700000000000);
	k->f.settings.upload_dir = k->dir;
	k->f.settings.log_file = k->status_file;
	k->f.settings.max_file_size = 1000000;
	k->f.settings.queue_keep_seconds = 300;
	k->f.client.ip = "192.0.2.1";
	auth_anonymous(&k->f.who);
	if (engine_open(&cf, &k->f.engine, &report, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(maintenance_start(k->f.engine, NULL, &k->m, &err), 0);
}

static void
kept_fini(struct kept *k)
{
	maintenance_stop(k->m);
	engine_close(k->f.engine);
}

static const char *
part(const struct kept *k, const char *name)
{
	static char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	return path;
}

static int
is_backup(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 3 && strcmp(e->d_name + n - 3, ".db") == 0;
}

static int
count_backups(const struct kept *k)
{
	struct dirent **names;
	int n = scandir(part(k, "backups"), &names, is_backup, alphasort);
	int i;

	assert_true(n >= 0);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return n;
}

/* unit.h ends the test when the number is never reached. */
static void
await_backups(const struct kept *k, int n)
{
	struct timespec ts = { 0, 20 * 1000000L };

	while (count_backups(k) != n)
		(void)nanosleep(&ts, NULL);
}

TEST(test_sftd_maintenance__backs_up_when_the_newest_is_old)
{
	struct kept k;

	kept_init(&k);
	fixture_put(&k.f, "a", "one");
	/* not at the start */
	assert_int_equal(count_backups(&k), 0);
	clock_manual_advance(&k.f.clock, 11 * MINUTE);
	await_backups(&k, 1);
	fixture_put(&k.f, "a", "two");
	clock_manual_advance(&k.f.clock, 25 * HOUR);
	await_backups(&k, 2);
	/* at the end there is nothing new */
	kept_fini(&k);
	assert_int_equal(count_backups(&k), 2);
}

TEST(test_sftd_maintenance__fills_the_ballast_again)
{
	struct timespec ts = { 0, 20 * 1000000L };
	struct statvfs fs;
	struct kept k;

	kept_init(&k);
	assert_int_equal(statvfs(k.dir, &fs), 0);
	if ((uint64_t)fs.f_bavail * fs.f_frsize < 64u << 20) {
		kept_fini(&k);
		print_message("too little room for a ballast here\n");
		skip();
	}
	assert_int_equal(access(part(&k, "ballast"), F_OK), 0);
	home_ballast_drop(k.f.engine->home);
	clock_manual_advance(&k.f.clock, 11000);
	while (access(part(&k, "ballast"), F_OK) < 0)
		(void)nanosleep(&ts, NULL);
	kept_fini(&k);
}

static int
take_use(void *arg, const struct rec_key *k, struct err *err)
{
	(void)err;
	*(int64_t *)arg = k->last_used_ms;
	return 0;
}

/* As a process would find it that knows nothing but the database. */
static int64_t
recorded_use(const struct kept *k)
{
	struct engine *e = k->f.engine;
	struct err err = ERR_INIT;
	struct auth *fresh;
	int64_t used = -1;

	assert_int_equal(auth_new(e->db, e->clock, NULL, &fresh, &err), 0);
	assert_int_equal(auth_list(fresh, take_use, &used, &err), 0);
	auth_free(fresh);
	return used;
}

TEST(test_sftd_maintenance__records_when_keys_were_used)
{
	const struct auth_new_key nk = { .scopes = AUTH_READ };
	struct timespec ts = { 0, 20 * 1000000L };
	char key[AUTH_KEY_SIZE];
	struct err err = ERR_INIT;
	struct principal who;
	struct rec_key made;
	struct kept k;
	int64_t when;

	kept_init(&k);
	assert_int_equal(
	    auth_generate(k.f.engine->auth, &nk, key, &made, &err), 0);
	rec_key_fini(&made);
	clock_manual_advance(&k.f.clock, 2 * MINUTE);
	when = clock_wall_ms(k.f.engine->clock);
	assert_int_equal(
	    auth_check(k.f.engine->auth, slice_str(key), &who, &err), 0);
	clock_manual_advance(&k.f.clock, 2 * MINUTE);
	while (recorded_use(&k) != when)
		(void)nanosleep(&ts, NULL);
	kept_fini(&k);
}
