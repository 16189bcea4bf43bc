/* SPDX-License-Identifier: MIT */
#include "engine/rotate.h"

#include <string.h>

#include "base/fault.h"
#include "crypto/seal.h"
#include "engine/birth.h"

struct rotation {
	struct engine *engine;
	const struct rotate_control *control;
	struct rotate_sum *sum;
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

/* What was written is read again, and has to open. */
static int
check_written(struct engine *e, const char *id, struct err *err)
{
	struct storage *st = e->storage;
	unsigned char header[SEAL_HEADER_SIZE];
	struct seal *seal;

	if (st->ops->blob_get_head(st, id, header, sizeof(header), err) < 0 ||
	    seal_open(e->keys, header, &seal, err) < 0)
		return -1;
	seal_free(seal);
	return 0;
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
		return check_written(e, id, err) < 0 ? -1 : 0;
	if (seal_rewrap(e->keys, header, err) < 0)
		return -1;
	FAULT_POINT("rotate.begin");
	if (st->ops->blob_set_head(st, id, header, sizeof(header), err) < 0)
		return -1;
	FAULT_POINT("rotate.written");
	return check_written(e, id, err) < 0 ? -1 : 1;
}

static int
take(struct rotation *r, const char *id, const char *name, struct err *err)
{
	struct err why = ERR_INIT;
	int done = rewrap(r->engine, id, &why);

	/* It was replaced or removed meanwhile. */
	if (done < 0 && why.code == ERR_ABSENT)
		return 0;
	r->sum->containers++;
	if (done > 0)
		r->sum->wrapped++;
	if (done >= 0)
		return 0;
	if (why.code != ERR_KEY_MISSING && why.code != ERR_DECRYPTION_FAILED &&
	    why.code != ERR_FILE_DAMAGED) {
		*err = why;
		return -1;
	}
	r->sum->failed++;
	r->control->failed(r->control->arg, name, &why);
	return 0;
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

/* From its birth record; from its file's where that was lost on the way, by
 * copying without attributes, say.  -1: neither. */
static int
describe(struct engine *e, const char *id, struct rec_file *ret)
{
	struct storage *st = e->storage;
	char birth[STORAGE_BIRTH_MAX + 1];
	struct query q = { id, ret };
	struct err ignored = ERR_INIT;

	if (st->ops->blob_birth(st, id, birth, &ignored) == 0 &&
	    birth_read(birth, id, ret, &ignored) == 0)
		return 0;
	return db_read(e->db, get_file, &q, &ignored);
}

static int
look_at(void *arg, const char *id, uint64_t size, struct err *err)
{
	struct rotation *r = arg;
	struct rec_file f = { 0 };
	int rc = 0;

	(void)size;
	if (describe(r->engine, id, &f) < 0)
		return 0;
	if (f.layout == REC_SEALED)
		rc = take(r, id, f.filename, err);
	rec_file_fini(&f);
	return rc;
}

int
rotate_run(struct engine *e, const struct rotate_control *control,
    struct rotate_sum *sum, struct err *err)
{
	struct rotation r = { e, control, sum };

	memset(sum, 0, sizeof(*sum));
	if (check_server(e, err) < 0)
		return -1;
	if (e->storage->ops->blob_list(e->storage, look_at, &r, err) < 0)
		return -1;
	FAULT_POINT("rotate.done");
	return sum->failed > 0 ? 0 : masterkey_settle(e->home, e->keys, err);
}
