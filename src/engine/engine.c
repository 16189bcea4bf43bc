/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/jobs.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "engine/preview.h"
#include "engine/feed.h"
#include "engine/recover.h"
#include "engine/session.h"
#include "engine/status_file.h"

/* Big I/O buffers: 64 MiB at most (rule 17), a few of them kept warm. */
#define BUFFERS_COUNT 96
#define BUFFERS_KEEP 3
/* Undecided uploads, all together. */
#define HOLDING_MAX ((size_t)32 * 1024 * 1024)

/* --- the first admin key ------------------------------------------------- */

static int
make_admin_key(struct home *home, char ret[SECRET_KEY_SIZE], struct err *err)
{
	char line[SECRET_KEY_SIZE + 1];
	struct file_content content = { .p = line, .mode = 0600 };
	int rc;

	secret_new_key(ret);
	content.n = (size_t)snprintf(line, sizeof(line), "%s\n", ret);
	rc = file_replace(home->dirfd, "admin.key", &content, err);
	mem_wipe(line, sizeof(line));
	return rc;
}

static int
read_admin_key(struct engine *e, char **ret_key, struct engine_report *report,
    struct err *err)
{
	char fresh[SECRET_KEY_SIZE];
	struct err e2 = ERR_INIT;
	struct slice key;
	struct buf b;
	int rc = -1;

	buf_init(&b, 1024);
	report->admin_key_in_file = true;
	if (file_read_all(e->home->dirfd, "admin.key", &b, &e2) == 0) {
		/* As an editor may have left it. */
		key = buf_slice(&b);
		while (key.n > 0 && strchr(" \t\r\n", key.p[key.n - 1]))
			key.n--;
		key = slice_trim(key);
		if (key.n < 16) {
			err_set(err, ERR_SETTING,
			    "'%s/admin.key' holds no key: remove it, and the "
			    "next start makes a new one",
			    e->home->path);
			goto out;
		}
		*ret_key = slice_dup(key);
	} else if (e2.code == ERR_ABSENT) {
		if (make_admin_key(e->home, fresh, err) < 0)
			goto out;
		*ret_key = mem_strdup(fresh);
		mem_wipe(fresh, sizeof(fresh));
		report->made_admin_key = true;
	} else {
		*err = e2;
		goto out;
	}
	rc = 0;
out:
	if (b.p != NULL)
		mem_wipe(b.p, b.len);
	buf_fini(&b);
	return rc;
}

static int
open_auth(struct engine *e, struct engine_report *report, struct err *err)
{
	char *key = NULL;
	int rc;

	if (e->settings->admin_api_key != NULL)
		key = mem_strdup(e->settings->admin_api_key);
	else if (read_admin_key(e, &key, report, err) < 0)
		return -1;
	rc = auth_new(e->db, e->clock, key, &e->auth, err);
	mem_wipe(key, strlen(key));
	free(key);
	return rc;
}

static int
open_keys(struct engine *e, struct masterkey_report *report, struct err *err)
{
	const struct masterkey_config cf = {
		.settings = e->settings,
		.home = e->home,
		.may_make = true,
	};

	if (masterkey_load(&cf, &e->keys, report, err) < 0)
		return -1;
	return masterkey_announce(e->home, e->keys, report, err);
}

/* --- opening -----------------------------------------------------------------
 */

static int
open_storage(struct engine *e, struct err *err)
{
	char *url = mem_printf("file:%s", e->home->path);
	int rc = storage_open(url, &e->storage, err);

	free(url);
	if (rc < 0)
		return -1;
	e->space = space_new(e->storage, e->settings->min_free_space, e->clock);
	return 0;
}

static int
open_db(struct engine *e, void (*fatal)(const struct err *err),
    struct db_state *state, struct err *err)
{
	char *path = home_path(e->home, "records.db");
	char *backups = home_path(e->home, "backups");
	struct db_config cf = {
		.path = path,
		.backup_dir = backups,
		.clock = e->clock,
		.durable = e->durable,
		.fatal = fatal,
	};
	int rc = db_open(&cf, &e->db, state, err);

	free(path);
	free(backups);
	return rc;
}

struct interruption {
	int64_t now_ms;
	uint64_t count;
};

static int
interrupt_all(struct db_tx *tx, void *arg, struct err *err)
{
	struct interruption *i = arg;

	return rec_transfer_interrupt_all(tx, i->now_ms, &i->count, err);
}

/* What serving needs: no half-written data, no row left running, and records
 * of all objects when the database is not the one that knew them. */
static int
recover(struct engine *e, struct engine_report *report, struct err *err)
{
	struct interruption i = { clock_wall_ms(e->clock), 0 };

	if (sessions_new(e, &e->sessions, err) < 0)
		return -1;
	if (e->storage->ops->clean_temp(
	        e->storage, sessions_keeps, e->sessions, err) < 0)
		return -1;
	if (db_write(e->db, interrupt_all, &i, err) < 0)
		return -1;
	report->interrupted = i.count;
	if (!report->db.is_incomplete)
		return 0;
	if (recover_rebuild(e, &report->rebuilt, err) < 0)
		return -1;
	return db_write(e->db, db_set_complete, NULL, err);
}

static int
open_parts(struct engine *e, void (*fatal)(const struct err *err),
    struct engine_report *report, struct err *err)
{
	const struct buffers_config buffers = {
		BUFFERS_SIZE,
		BUFFERS_COUNT,
		BUFFERS_KEEP,
	};
	const struct sched_config turns = {
		.clock = e->clock,
		.places = (unsigned)e->settings->max_active_transfers,
		.bytes_per_s = e->settings->bandwidth_limit,
	};

	/* They wait for the disk, mostly, which serves several at once. */
	static const struct jobs_config publishers = {
		.name = "publisher",
		.max = 8,
		.max_waiting = 8,
		.idle_ms = 10000,
	};

	if (status_file_check(e->settings->log_file, err) < 0)
		return -1;
	if (home_open(e->settings->upload_dir, &e->home, err) < 0)
		return -1;
	/* Without room for a ballast one does without. */
	(void)home_ballast_fill(e->home, NULL);
	if (open_keys(e, &report->masterkey, err) < 0)
		return -1;
	if (open_storage(e, err) < 0)
		return -1;
	if (open_db(e, fatal, &report->db, err) < 0)
		return -1;
	e->pins = pins_new();
	e->buffers = buffers_new(&buffers);
	e->holding = holding_new(HOLDING_MAX);
	e->hashers = digest_pool_new(0);
	if (jobs_new(&publishers, &e->publishers, err) < 0)
		return -1;
	if (filetype_new(&e->types, err) < 0)
		return -1;
	e->sched = sched_new(&turns);
	if (transfers_new(e->db, e->clock, &e->transfers, err) < 0)
		return -1;
	e->parts = parts_new(
	    e->transfers, e->sched, e->clock, e->settings->history_keep);
	if (recover(e, report, err) < 0)
		return -1;
	if (status_file_load(e, report->db.is_new, &report->taken_over,
	        &report->status_file, err) < 0)
		return -1;
	e->tenants = tenants_new();
	e->bus = bus_new(clock_wall_ms(e->clock));
	if (feed_new(e, &e->feed, err) < 0)
		return -1;
	return open_auth(e, report, err);
}

int
engine_open(const struct engine_config *cf, struct engine **ret_engine,
    struct engine_report *ret_report, struct err *err)
{
	struct engine *e = mem_calloc(1, sizeof(*e));
	struct engine_report report = { 0 };

	e->settings = cf->settings;
	e->clock = cf->clock;
	e->durable = cf->settings->durability == SETTINGS_FULL;
	if (cf->previewer != NULL)
		e->previews = previews_new(cf->previewer);
	if (open_parts(e, cf->fatal, &report, err) < 0) {
		engine_close(e);
		return -1;
	}
	*ret_report = report;
	*ret_engine = e;
	return 0;
}

/* What the ballast is for: ending and deleting on a full disk. */
static bool
made_room(struct engine *e, struct err *err)
{
	if (err->code != ERR_STORAGE_FULL || e->home == NULL)
		return false;
	home_ballast_drop(e->home);
	err_clear(err);
	return true;
}

int
engine_write(struct engine *e, db_fn fn, void *arg, struct err *err)
{
	struct err ignored = ERR_INIT;
	int rc;

	if (err == NULL)
		err = &ignored;
	rc = db_write(e->db, fn, arg, err);
	if (rc < 0 && made_room(e, err))
		rc = db_write(e->db, fn, arg, err);
	return rc;
}

int
engine_make_durable(struct engine *e, struct err *err)
{
	struct err ignored = ERR_INIT;
	int rc;

	if (err == NULL)
		err = &ignored;
	rc = db_make_durable(e->db, err);
	if (rc < 0 && made_room(e, err))
		rc = db_make_durable(e->db, err);
	return rc;
}

void
engine_close(struct engine *e)
{
	struct err ignored = ERR_INIT;

	if (e == NULL)
		return;
	jobs_free(e->publishers);
	sessions_stop(e->sessions);
	previews_free(e->previews);
	feed_free(e->feed);
	if (e->auth != NULL)
		(void)auth_write_uses(e->auth, &ignored);
	/* A copy after a clean run is welcome; none is no reason to fail, and
	 * what could not be opened is not worth one. */
	if (e->auth != NULL && db_wants_backup(e->db, 0))
		(void)db_backup(e->db, ENGINE_BACKUPS_KEPT, &ignored);
	db_close(e->db);
	sessions_free(e->sessions);
	auth_free(e->auth);
	keyring_free(e->keys);
	parts_free(e->parts);
	transfers_free(e->transfers);
	bus_free(e->bus);
	tenants_free(e->tenants);
	sched_free(e->sched);
	filetype_free(e->types);
	digest_pool_free(e->hashers);
	holding_free(e->holding);
	buffers_free(e->buffers);
	pins_free(e->pins);
	space_free(e->space);
	storage_close(e->storage);
	home_close(e->home);
	free(e);
}

void
engine_settle(struct engine *e)
{
	db_settle(e->db);
}
