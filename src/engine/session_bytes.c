/* SPDX-License-Identifier: MIT */
#include "base/fault.h"
#include "crypto/seal_source.h"
#include "engine/begun.h"
#include "engine/session_priv.h"

/*
 * Chunks beside their places are sealed with the container's data key, under
 * indices that no segment of a file has (it would have 2 EiB): nothing of them
 * can be taken for a part of the file, or of another chunk.
 */
#define STAGED_FIRST ((uint64_t)1 << 45)
#define STAGED_SEGMENTS ((uint64_t)1 << 24)

/* --- where things lie ----------------------------------------------------- */

struct session_piece
session_front(const struct session *s, uint64_t offset, uint64_t n)
{
	struct session_piece p = {
		.blob_id = s->rec.blob_id,
		.stored = offset,
		.n = n,
	};

	if (s->rec.layout == REC_SEALED) {
		p.segment = offset / SEAL_SEGMENT;
		p.skip = offset % SEAL_SEGMENT;
		p.stored = seal_offset(p.segment);
		p.is_last = s->is_closed && offset + n == s->offset;
	}
	return p;
}

struct session_piece
session_staged(
    const struct session *s, uint64_t number, const char *blob_id, uint64_t n)
{
	struct session_piece p = { .blob_id = blob_id, .n = n };

	if (s->rec.layout == REC_SEALED) {
		p.segment = STAGED_FIRST + number * STAGED_SEGMENTS;
		p.is_last = true;
	}
	return p;
}

struct intake_piece
session_place(
    const struct session *s, const struct session_piece *p, enum intake_end end)
{
	return (struct intake_piece){
		.stored = p->stored,
		.segment = p->segment,
		.seal = s->seal,
		.end = end,
	};
}

/* --- reading back --------------------------------------------------------- */

/* The file that a sealed piece is a part of, as far as opening it goes: its
 * indices, and whether it ends with the last one. */
static struct seal_range
as_range(const struct session_piece *p)
{
	uint64_t offset = p->segment * SEAL_SEGMENT + p->skip;
	uint64_t end = offset + p->n;
	uint64_t size =
	    p->is_last ? end : (end / SEAL_SEGMENT + 2) * SEAL_SEGMENT;

	return (struct seal_range){
		.size = size,
		.stored = seal_size(size),
		.offset = offset,
		.length = p->n,
	};
}

int
session_read(struct session *s, const struct session_piece *p,
    struct source **ret_src, struct err *err)
{
	struct seal_range range = as_range(p);
	struct storage_range stored = { p->stored, p->n };
	struct storage *st = s->engine->storage;
	struct source *inner;

	if (p->n == 0) {
		*ret_src = source_mem("", 0);
		return 0;
	}
	if (s->rec.layout == REC_PLAIN)
		return begun_open(st, p->blob_id, stored, ret_src, err);
	seal_range_stored(&range, &stored.offset, &stored.length);
	/* From where the piece begins, wherever its indices do. */
	stored.offset = stored.offset - seal_offset(p->segment) + p->stored;
	if (begun_open(st, p->blob_id, stored, &inner, err) < 0)
		return -1;
	return seal_source_open(
	    seal_share(s->seal), &range, inner, ret_src, err);
}

/* --- writing -------------------------------------------------------------- */

static int
stores(void *arg, uint64_t n, struct err *err)
{
	struct session *s = arg;
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = space_hold_take(&s->hold, n, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static int
took(void *arg, uint64_t n, struct err *err)
{
	(void)arg;
	(void)n;
	(void)err;
	return 0;
}

struct intake_owner
session_copying(struct session *s)
{
	return (struct intake_owner){ stores, took, s };
}

/* Under the lock: waits for the sync that is under way. */
static void
ride_along(struct session *s, uint64_t ticket)
{
	while (s->is_syncing && s->sync_done < ticket)
		pthread_cond_wait(&s->changed, &s->lock);
}

int
session_sync(struct session *s, struct blob *handle, struct err *err)
{
	uint64_t ticket, upto;
	int rc = 0;

	FAULT_POINT("session.written");
	if (!s->engine->durable)
		return 0;
	pthread_mutex_lock(&s->lock);
	ticket = ++s->sync_wanted;
	ride_along(s, ticket);
	if (s->sync_done < ticket && !s->has_sync_failed) {
		s->is_syncing = true;
		upto = s->sync_wanted;
		pthread_mutex_unlock(&s->lock);
		rc = handle->ops->blob_sync(handle, err);
		pthread_mutex_lock(&s->lock);
		s->is_syncing = false;
		if (rc == 0)
			s->sync_done = upto;
		else
			s->has_sync_failed = true; /* rule 4 */
		pthread_cond_broadcast(&s->changed);
	} else if (s->has_sync_failed) {
		rc = err_set(
		    err, ERR_IO, "a sync of '%s' has failed", s->rec.blob_id);
	}
	pthread_mutex_unlock(&s->lock);
	FAULT_POINT("session.synced");
	return rc;
}
