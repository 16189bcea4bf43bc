/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

/*
 * The parts that engine functions work with, opened and closed together.
 * Constant after engine_open(); each part locks itself.
 */

#include <stdbool.h>

#include "base/buffers.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/settings.h"
#include "crypto/digest.h"
#include "db/db.h"
#include "engine/auth.h"
#include "engine/bus.h"
#include "engine/filetype.h"
#include "engine/holding.h"
#include "engine/masterkey.h"
#include "engine/parts.h"
#include "engine/pins.h"
#include "engine/tenants.h"
#include "engine/transfer.h"
#include "storage/home.h"
#include "storage/space.h"
#include "storage/storage.h"

#define ENGINE_BACKUPS_KEPT 7

struct engine {
	const struct settings *settings; /* borrowed */
	const struct clock *clock;       /* borrowed */
	struct home *home;
	struct storage *storage;
	struct space *space;
	struct db *db;
	struct digest_pool *hashers;
	struct buffers *buffers;
	struct holding *holding; /* of undecided uploads */
	struct keyring *keys;    /* master keys of sealed files */
	struct auth *auth;
	struct tenants *tenants; /* requests that end with their key */
	struct sched *sched;
	struct transfers *transfers;
	struct bus *bus;   /* events ... */
	struct feed *feed; /* ... and who makes them */
	struct filetype *types;
	struct pins *pins;
	struct jobs *publishers;   /* of the files of batches */
	struct parts *parts;       /* downloads by ranges */
	struct sessions *sessions; /* uploads that can be gone on with */
	struct previews *previews; /* NULL: none are made here */
	/* Something was put into the trash; any thread.  Set by whoever
	 * runs the reaper. */
	void (*trashed)(void *arg);
	void *trashed_arg;
	/* The same for a file that rewrite_run() should see. */
	void (*unsettled)(void *arg);
	void *unsettled_arg;
	/* The same for a blob that there may be a preview of. */
	void (*stored)(void *arg, const char *blob_id);
	void *stored_arg;
	bool durable; /* DURABILITY=full */
};

/* What opening found, for the log. */
struct engine_report {
	struct db_state db;
	bool made_admin_key;    /* a new one, in UPLOAD_DIR/admin.key */
	bool admin_key_in_file; /* else it came from the settings */
	uint64_t interrupted;   /* transfers that the last run left running */
	uint64_t taken_over;    /* transfers taken from the status file */
	uint64_t rebuilt;       /* files restored from their birth records */
	struct masterkey_report masterkey;
	struct err status_file; /* why it was set aside; code ERR_NONE: not */
};

/*
 * Takes the directory's lock, opens everything, recovers what an unclean end
 * left behind as far as serving needs it.
 */
struct engine_config {
	const struct settings *settings;
	const struct clock *clock;
	void (*fatal)(const struct err *err); /* see db.h */
	const char *previewer; /* the path of sft-preview; NULL: none */
};
int engine_open(const struct engine_config *cf, struct engine **ret_engine,
    struct engine_report *ret_report, struct err *err);
/* After the last transfer ended.  Makes a backup of the database when there is
 * something new in it. */
void engine_close(struct engine *e);

/* db_write() and db_make_durable(), once more after giving the ballast up when
 * the disk is full. */
int engine_write(struct engine *e, db_fn fn, void *arg, struct err *err);
int engine_make_durable(struct engine *e, struct err *err);
/* db_settle(): what has ended is on record. */
void engine_settle(struct engine *e);

#endif
