/* SPDX-License-Identifier: MIT */
#include "engine/attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/recover.h"
#include "engine/rotate.h"
#include "engine/verify.h"
#include "stored_help.h"

/* A server's directory: a server that is opened and closed, and settings for
 * work beside it. */
struct place {
	struct fixture f;
	struct engine_report report;
	char dir[512];
	char status_file[512];
};

static void
fatal(const struct err *e)
{
	(void)fprintf(stderr, "fatal: %s\n", e->msg);
	abort();
}

static struct engine_config
config_of(struct place *p)
{
	return (struct engine_config){
		.settings = &p->f.settings,
		.clock = &p->f.clock.clock,
		.fatal = fatal,
	};
}

static void
place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->dir, sizeof(p->dir), "%s", unit_temppath("files"));
	(void)snprintf(p->status_file, sizeof(p->status_file), "%s",
	    unit_temppath("status.json"));
	clock_manual_init(&p->f.clock, 1700000000000);
	p->f.settings.upload_dir = p->dir;
	p->f.settings.log_file = p->status_file;
	p->f.settings.max_file_size = 1000000;
	p->f.settings.queue_keep_seconds = 300;
	p->f.client.ip = "192.0.2.1";
	auth_anonymous(&p->f.who);
}

static void
open_server(struct place *p)
{
	const struct engine_config cf = config_of(p);
	struct err err = ERR_INIT;

	clock_manual_advance(&p->f.clock, 60000);
	if (engine_open(&cf, &p->f.engine, &p->report, &err) < 0)
		fail_msg("%s", err.msg);
}

static struct engine *
attach(struct place *p)
{
	const struct engine_config cf = config_of(p);
	struct err err = ERR_INIT;
	struct engine *e;

	if (engine_attach(&cf, &e, &err) < 0)
		fail_msg("%s", err.msg);
	return e;
}

static void
no_wait(void *arg, uint64_t bytes)
{
	(void)arg;
	(void)bytes;
}

static void
no_fault(void *arg, const char *name, enum verify_verdict verdict,
    const struct err *why)
{
	(void)arg;
	(void)verdict;
	fail_msg("%s: %s", name, why->msg);
}

static void
no_failure(void *arg, const char *name, const struct err *why)
{
	(void)arg;
	fail_msg("%s: %s", name, why->msg);
}

static uint64_t
verify(struct engine *e)
{
	const struct verify_control control = { no_wait, no_fault, NULL };
	struct err err = ERR_INIT;
	struct verify_sum sum;

	if (verify_all(e, &control, &sum, &err) < 0)
		fail_msg("%s", err.msg);
	return sum.files;
}

static void
assert_refused(struct place *p, const char *word)
{
	const struct engine_config cf = config_of(p);
	struct err err = ERR_INIT;
	struct engine *e;

	assert_int_equal(engine_attach(&cf, &e, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	if (strstr(err.msg, word) == NULL)
		fail_msg("no '%s' in: %s", word, err.msg);
}

/* Nothing of a run: not that it ended, and not that it began. */
TEST(test_engine_attach__works_without_a_server)
{
	struct engine *e;
	struct place p;

	place_init(&p);
	assert_refused(&p, "there is no directory");
	open_server(&p);
	stored_put(&p.f, "plain", 1000, false);
	stored_put(&p.f, "sealed", 1000, true);
	engine_close(p.f.engine);
	e = attach(&p);
	assert_refused(&p, "by another sftd");
	assert_int_equal(verify(e), 2);
	engine_close(e);
	open_server(&p);
	assert_false(p.report.db.was_unclean || p.report.db.is_other ||
	             p.report.db.is_incomplete);
	assert_int_equal(p.report.rebuilt, 0);
	stored_assert(&p.f, "plain", 1000);
	stored_assert(&p.f, "sealed", 1000);
	engine_close(p.f.engine);
}

/* From the key of the first start to a set one: what operators do. */
TEST(test_engine_attach__changes_the_first_start_s_key)
{
	static char key[] = "sixteen letters!";
	const struct rotate_control control = { no_failure, NULL };
	struct err err = ERR_INIT;
	struct rotate_sum sum;
	struct engine *e;
	struct place p;

	place_init(&p);
	open_server(&p);
	assert_true(p.report.masterkey.made);
	stored_put(&p.f, "sealed", 1000, true);
	engine_close(p.f.engine);
	p.f.settings.encryption_key = key;
	e = attach(&p);
	assert_int_equal(rotate_run(e, &control, &sum, &err), 0);
	assert_int_equal(sum.wrapped, 1);
	engine_close(e);
	assert_int_equal(remove(unit_temppath("files/encryption.key")), 0);
	open_server(&p);
	assert_int_equal(p.report.masterkey.missing, 0);
	stored_assert(&p.f, "sealed", 1000);
	engine_close(p.f.engine);
}

static void
note_recorded(void *arg, const char *filename)
{
	(void)snprintf(arg, 64, "%s", filename);
}

static int
forget(struct db_tx *tx, void *arg, struct err *err)
{
	struct rec_file *f = arg;

	if (rec_file_remove(tx, "", f->filename, err) < 0)
		return -1;
	return rec_trash_remove(tx, f->blob_id, err);
}

TEST(test_engine_attach__makes_records_of_what_is_old_enough)
{
	char named[64] = "";
	struct recover_older older = { 0, note_recorded, named };
	struct err err = ERR_INIT;
	struct rec_file file;
	struct engine *e;
	struct place p;
	uint64_t files;

	place_init(&p);
	open_server(&p);
	stored_put(&p.f, "kept", 10, false);
	stored_put(&p.f, "lost", 1000, true);
	file = stored_record(&p.f, "lost");
	assert_int_equal(db_write(p.f.engine->db, forget, &file, NULL), 0);
	engine_close(p.f.engine);
	e = attach(&p);
	older.before_ms = file.modified_ms;
	assert_int_equal(recover_rebuild_older(e, &older, &files, &err), 0);
	assert_int_equal(files, 0);
	assert_string_equal(named, "");
	older.before_ms = file.modified_ms + 1;
	assert_int_equal(recover_rebuild_older(e, &older, &files, &err), 0);
	assert_int_equal(files, 1);
	assert_string_equal(named, "lost");
	assert_int_equal(verify(e), 2);
	engine_close(e);
	rec_file_fini(&file);
	open_server(&p);
	stored_assert(&p.f, "lost", 1000);
	engine_close(p.f.engine);
}
