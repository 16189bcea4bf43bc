/* SPDX-License-Identifier: MIT */
#include "engine/loose.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/seal_source.h"
#include "engine/begun.h"
#include "engine/intake.h"
#include "storage/space.h"

struct loose {
	struct engine *engine;
	struct blob *blob;
	char blob_id[ID_SIZE];
	struct space_hold hold;
	struct intake intake;
};

static int
stores(void *arg, uint64_t n, struct err *err)
{
	struct loose *l = arg;

	return space_hold_take(&l->hold, n, err);
}

static int
took(void *arg, uint64_t n, struct err *err)
{
	struct loose *l = arg;
	uint64_t max = l->engine->settings->max_file_size;

	if (intake_taken(&l->intake) + n <= max)
		return 0;
	return err_set(err, ERR_FILE_TOO_LARGE,
	    "the file is larger than %" PRIu64
	    " bytes, the most that this server takes",
	    max);
}

int
loose_new(struct engine *e, struct loose **ret_l, struct err *err)
{
	struct loose *l = mem_calloc(1, sizeof(*l));
	struct intake_target target = {
		.path = INTAKE_UNDECIDED,
		.owner = { stores, took, l },
		.is_unhashed = true,
	};

	l->engine = e;
	if (space_hold_init(&l->hold, e->space, STORAGE_SIZE_UNKNOWN, err) < 0)
		goto failed;
	id_new(clock_wall_ms(e->clock), l->blob_id);
	if (e->storage->ops->blob_new(e->storage, l->blob_id,
	        STORAGE_SIZE_UNKNOWN, &l->blob, err) < 0)
		goto failed;
	target.blob = l->blob;
	intake_init(&l->intake, e, &target);
	*ret_l = l;
	return 0;
failed:
	space_hold_fini(&l->hold);
	free(l);
	return -1;
}

int
loose_fill(struct loose *l, struct source *body, struct err *err)
{
	return intake_run(&l->intake, body, err);
}

uint64_t
loose_size(const struct loose *l)
{
	return intake_taken(&l->intake);
}

static int
open_sealed(struct loose *l, struct source **ret_src, struct err *err)
{
	const struct seal_range all = {
		.size = loose_size(l),
		.stored = seal_size(loose_size(l)),
		.length = loose_size(l),
	};
	struct storage *st = l->engine->storage;
	struct storage_range stored;
	struct source *inner;

	seal_range_stored(&all, &stored.offset, &stored.length);
	if (begun_open(st, l->blob_id, stored, &inner, err) < 0)
		return -1;
	return seal_source_open(
	    seal_share(l->intake.own_seal), &all, inner, ret_src, err);
}

int
loose_open(struct loose *l, struct source **ret_src, struct err *err)
{
	struct slice held = intake_rest(&l->intake);

	if (intake_layout(&l->intake) == REC_SEALED)
		return open_sealed(l, ret_src, err);
	*ret_src = source_mem(held.p == NULL ? "" : held.p, held.n);
	return 0;
}

void
loose_free(struct loose *l)
{
	if (l == NULL)
		return;
	intake_fini(&l->intake);
	l->blob->ops->blob_abort(l->blob);
	space_hold_fini(&l->hold);
	free(l);
}
