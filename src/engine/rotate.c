/* SPDX-License-Identifier: MIT */
#include "engine/rotate.h"

#include <string.h>

#include "base/fault.h"
#include "crypto/seal.h"
#include "engine/birth.h"
#include "engine/preview_store.h"

struct rotation {
	struct engine *engine;
	const struct rotate_control *control;
	struct rotate_sum *sum;
	unsigned pass;
	uint64_t pass_wrapped;
	uint64_t pass_previews;
};

static int
check_server(struct engine *e, struct err *err)
{
	bool announced;

	if (!home_is_served(e->home))
		return 0;
	if (masterkey_is_announced(e->home, e->keys, &announced, err) < 0)
		return -1;
	if (announced)
		return 0;
	return err_set(err, ERR_SETTING,
	    "the running server does not know this key: restart it with the "
	    "new key in ENCRYPTION_KEY and the old one in "
	    "ENCRYPTION_KEY_PREVIOUS, then run this again");
}

static bool
is_current(struct engine *e, const unsigned char *header)
{
	return memcmp(seal_key_id(header), keyring_current_id(e->keys),
	           KEYRING_ID_SIZE) == 0;
}

static int
check_opens(struct engine *e, const unsigned char *header, struct err *err)
{
	struct seal *seal;

	if (seal_open(e->keys, header, &seal, err) < 0)
		return -1;
	seal_free(seal);
	return 0;
}

/* What was written is read again: it has to be that, and to open. */
static int
check_written(struct engine *e, const char *id, const unsigned char *written,
    struct err *err)
{
	struct storage *st = e->storage;
	unsigned char header[SEAL_HEADER_SIZE];

	if (st->ops->blob_get_head(st, id, header, sizeof(header), err) < 0)
		return -1;
	if (memcmp(header, written, sizeof(header)) != 0)
		return err_set(err, ERR_IO,
		    "what was written into '%s' did not come back", id);
	return check_opens(e, header, err);
}

/* 1: wrapped anew, 0: there was nothing to do, -1. */
static int
rewrap(struct engine *e, const char *id, struct err *err)
{
	struct storage *st = e->storage;
	unsigned char header[SEAL_HEADER_SIZE];

	if (st->ops->blob_get_head(st, id, header, sizeof(header), err) < 0)
		return -1;
	if (is_current(e, header))
		return check_opens(e, header, err);
	if (seal_rewrap(e->keys, header, err) < 0)
		return -1;
	FAULT_POINT("rotate.begin");
	if (st->ops->blob_set_head(st, id, header, sizeof(header), err) < 0)
		return -1;
	FAULT_POINT("rotate.written");
	return check_written(e, id, header, err) < 0 ? -1 : 1;
}

static void
take(struct rotation *r, const char *id, const char *name)
{
	struct err why = ERR_INIT;
	int done = rewrap(r->engine, id, &why);

	/* It was replaced or removed meanwhile. */
	if (done < 0 && why.code == ERR_ABSENT)
		return;
	r->sum->containers++;
	if (done > 0)
		r->pass_wrapped++;
	if (done >= 0)
		return;
	r->sum->failed++;
	/* Once is enough for people. */
	if (r->pass == 0)
		r->control->failed(r->control->arg, name, &why);
}

struct query {
	const char *id;
	struct rec_file *file;
};

static int
get_file(struct db_tx *tx, void *arg, struct err *err)
{
	struct query *q = arg;

	return rec_file_of_blob(tx, q->id, q->file, err);
}

/*
 * From its birth record; from its file's where that was lost on the way, by
 * copying without attributes, say.  1: found, 0: neither (it can be no file
 * again), -1: nobody knows.
 */
static int
describe(
    struct engine *e, const char *id, struct rec_file *ret, struct err *err)
{
	struct storage *st = e->storage;
	char birth[STORAGE_BIRTH_MAX + 1];
	struct query q = { id, ret };
	struct err why = ERR_INIT;

	if (st->ops->blob_birth(st, id, birth, &why) == 0 &&
	    birth_read(birth, id, ret, &why) == 0)
		return 1;
	if (db_read(e->db, get_file, &q, &why) == 0)
		return 1;
	if (why.code == ERR_FILE_NOT_FOUND)
		return 0;
	*err = why;
	return -1;
}

static int
look_at(void *arg, const char *id, uint64_t size, struct err *err)
{
	struct rotation *r = arg;
	struct rec_file f = { 0 };
	int found;

	(void)size;
	found = describe(r->engine, id, &f, err);
	if (found < 0)
		return -1;
	if (found > 0 && f.layout == REC_SEALED)
		take(r, id, f.filename);
	rec_file_fini(&f);
	return 0;
}

/* They are no containers that anybody counts, and nothing is lost with one. */
static int
look_at_preview(void *arg, const char *id, uint64_t size, struct err *err)
{
	struct rotation *r = arg;
	bool is_changed;

	(void)size;
	if (preview_store_rewrap(r->engine, id, &is_changed, err) < 0)
		return -1;
	r->pass_previews += is_changed;
	return 0;
}

static int
run_pass(struct rotation *r, struct err *err)
{
	struct storage *st = r->engine->storage;

	r->pass_wrapped = r->pass_previews = 0;
	r->sum->containers = r->sum->failed = 0;
	if (st->ops->blob_list(st, look_at, r, err) < 0 ||
	    st->ops->beside_list(st, look_at_preview, r, err) < 0)
		return -1;
	r->sum->wrapped += r->pass_wrapped;
	return 0;
}

int
rotate_run(struct engine *e, const struct rotate_control *control,
    struct rotate_sum *sum, struct err *err)
{
	struct rotation r = { .engine = e, .control = control, .sum = sum };
	struct masterkey_report report = { 0 };

	memset(sum, 0, sizeof(*sum));
	/* Its id is known before it is used, as a server does it. */
	if (check_server(e, err) < 0 ||
	    masterkey_announce(e->home, e->keys, &report, err) < 0)
		return -1;
	do {
		if (r.pass == ROTATE_PASSES_MAX)
			return err_set(err, ERR_SETTING,
			    "the running server uses another key all the time: "
			    "restart it with this one in ENCRYPTION_KEY, then "
			    "run this again");
		if (run_pass(&r, err) < 0)
			return -1;
		r.pass++;
	} while (r.pass_wrapped > 0 || r.pass_previews > 0);
	FAULT_POINT("rotate.done");
	return sum->failed > 0 ? 0 : masterkey_settle(e->home, e->keys, err);
}
