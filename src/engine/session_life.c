/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hex.h"
#include "base/mem.h"
#include "engine/session_priv.h"
#include "engine/upload_priv.h"

/* --- progress ------------------------------------------------------------- */

void
session_visited(struct session *s)
{
	atomic_store(&s->moved_ms, clock_mono_ms(s->engine->clock));
}

void
session_moved(struct session *s, int64_t delta)
{
	uint64_t moved =
	    atomic_fetch_add(&s->moved, (uint64_t)delta) + (uint64_t)delta;

	session_visited(s);
	/* It stays while somebody moves bytes. */
	if (s->transfer != NULL)
		transfer_moved(s->transfer, moved);
}

char *
session_client_text(const struct client *client)
{
	return mem_printf(
	    "%s %s", client->ip, client->id == NULL ? "" : client->id);
}

/* --- beginning ------------------------------------------------------------ */

/* Bytes in storage of ${plain}. */
static uint64_t
stored_size(const struct session *s, uint64_t plain)
{
	if (plain == REC_SIZE_UNKNOWN)
		return STORAGE_SIZE_UNKNOWN;
	if (s->rec.layout == REC_PLAIN)
		return plain;
	return plain > SEAL_PLAIN_MAX ? UINT64_MAX - 1 : seal_size(plain);
}

/* The container's header is its own first bytes, and on record: there it can be
 * wrapped anew without touching the blob. */
static int
begin_seal(struct session *s, struct blob *blob, struct err *err)
{
	unsigned char header[SEAL_HEADER_SIZE];

	if (s->rec.layout == REC_PLAIN)
		return 0;
	s->seal = seal_new(s->engine->keys);
	seal_header(s->seal, header);
	s->rec.header = mem_alloc(2 * SEAL_HEADER_SIZE + 1);
	hex_encode(header, sizeof(header), s->rec.header);
	return blob->ops->blob_write_at(blob, 0, header, sizeof(header), err);
}

static int
begin_blob(struct session *s, uint64_t expected, struct err *err)
{
	struct engine *e = s->engine;
	uint64_t size = stored_size(s, expected);
	struct blob *blob;

	if (space_hold_init(&s->hold, e->space, size, err) < 0)
		return -1;
	id_new(clock_wall_ms(e->clock), s->rec.blob_id);
	if (e->storage->ops->blob_new(
	        e->storage, s->rec.blob_id, size, &blob, err) < 0)
		goto failed;
	if (begin_seal(s, blob, err) < 0 ||
	    (e->durable && blob->ops->blob_sync(blob, err) < 0)) {
		blob->ops->blob_abort(blob);
		goto failed;
	}
	blob->ops->blob_close(blob);
	return 0;
failed:
	space_hold_fini(&s->hold);
	return -1;
}

static int
put(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_put(tx, arg, err);
}

/* Before anything is taken; it is looked at again as the file is recorded. */
static int
check_existing(const struct session *s, struct err *err)
{
	if (!s->rec.keep_existing || s->rec.concat != NULL)
		return 0;
	return upload_check_absent(s->engine, s->rec.filename, err);
}

static void
begin_maps(struct session *s)
{
	size_t n = (size_t)(s->rec.total_chunks / 8 + 1);

	s->have = mem_calloc(n, 1);
	s->staged = mem_calloc(n, 1);
	s->is_loaded = true;
}

int
session_begin(
    struct session *s, const struct session_start *start, struct err *err)
{
	struct engine *e = s->engine;
	const struct transfer_start ts = {
		.direction = REC_UPLOAD,
		.filename = s->rec.filename,
		.total = start->expected,
		.encryption = s->rec.encryption,
		.priority = start->priority,
		.client = start->client,
		.lane = s->lane,
		.is_resumable = true,
	};

	if (check_existing(s, err) < 0)
		return -1;
	s->count.chunks = s->rec.total_chunks;
	if (session_count_in(
	        s->all->counts, s->rec.client, false, &s->count, err) < 0)
		return -1;
	if (begin_blob(s, start->expected, err) < 0) {
		session_count_out(s->all->counts, &s->count);
		return -1;
	}
	s->transfer = transfer_begin(e->transfers, &ts);
	memcpy(s->rec.id, transfer_id(s->transfer), ID_SIZE);
	s->rec.updated_ms = clock_wall_ms(e->clock);
	FAULT_POINT("session.begun");
	if (engine_write(e, put, &s->rec, err) < 0) {
		session_rest(s, err);
		space_hold_fini(&s->hold);
		(void)e->storage->ops->blob_discard(
		    e->storage, s->rec.blob_id, NULL);
		return -1;
	}
	FAULT_POINT("session.recorded");
	begin_maps(s);
	s->is_begun = true;
	return 0;
}

/* --- taking it up again --------------------------------------------------- */

/* It was about to become a file, or did, when the process died; or it is gone.
 */
static int
recover_blob(struct session *s, struct err *err)
{
	struct storage *st = s->engine->storage;
	struct err e = ERR_INIT;
	struct blob *blob;

	if (st->ops->blob_reopen(st, s->rec.blob_id, &blob, &e) == 0) {
		blob->ops->blob_close(blob);
		return 0;
	}
	if (e.code == ERR_ABSENT)
		return st->ops->blob_withdraw(st, s->rec.blob_id, err);
	*err = e;
	return -1;
}

int
session_open_seal(struct session *s, struct err *err)
{
	unsigned char header[SEAL_HEADER_SIZE];

	if (s->rec.layout == REC_PLAIN || s->seal != NULL)
		return 0;
	if (s->rec.header == NULL ||
	    !hex_decode(slice_str(s->rec.header), header, sizeof(header)))
		return err_set(err, ERR_DATABASE,
		    "the record of the upload '%s' has no header", s->rec.id);
	return seal_open(s->engine->keys, header, &s->seal, err);
}

static int
take_chunk(void *arg, const struct rec_chunk *c, struct err *err)
{
	struct session *s = arg;

	if (c->number >= s->rec.total_chunks)
		return err_set(err, ERR_DATABASE,
		    "the record of the upload '%s' has a chunk too many",
		    s->rec.id);
	session_set_bit(s->have, c->number, true);
	session_set_bit(s->staged, c->number, c->blob_id[0] != '\0');
	s->have_count++;
	s->rec.received += c->size;
	if (c->number + 1 == s->rec.total_chunks)
		s->last_size = c->size;
	return 0;
}

static int
read_chunks(struct db_tx *tx, void *arg, struct err *err)
{
	struct session *s = arg;

	if (s->rec.kind == REC_SESSION_TUS)
		return 0;
	s->rec.received = 0;
	return rec_chunk_each(tx, s->rec.id, take_chunk, s, err);
}

/* What is not on the disk yet; where that cannot be had it will show when it
 * is written. */
static void
hold_rest(struct session *s)
{
	struct engine *e = s->engine;
	uint64_t left = s->rec.total_size;

	if (left != REC_SIZE_UNKNOWN) {
		left -= s->rec.received < left ? s->rec.received : left;
		if (e->storage->ops->caps(e->storage)->reserves)
			left = 0;
	}
	if (space_hold_init(&s->hold, e->space, left, NULL) < 0)
		(void)space_hold_init(
		    &s->hold, e->space, STORAGE_SIZE_UNKNOWN, NULL);
}

int
session_load(struct session *s, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (err == NULL)
		err = &ignored;
	if (s->is_loaded)
		return 0;
	if (recover_blob(s, err) < 0 || session_open_seal(s, err) < 0)
		return -1;
	if (s->have == NULL)
		begin_maps(s);
	s->is_loaded = false;
	s->have_count = 0;
	if (db_read(s->engine->db, read_chunks, s, err) < 0)
		return -1;
	s->number = s->rec.front_number;
	s->offset = s->rec.front_offset;
	s->is_closed = s->rec.kind == REC_SESSION_CHUNKS &&
	               s->number == s->rec.total_chunks && s->last_size > 0;
	if (session_read_tail(s, err) < 0 || session_read_cursor(s, err) < 0)
		return -1;
	if (s->transfer == NULL)
		atomic_store(&s->moved, s->rec.received);
	if (s->hold.space == NULL)
		hold_rest(s);
	s->is_loaded = true;
	return 0;
}

struct row {
	const char *id;
	struct rec_transfer rec;
};

static int
get_row(struct db_tx *tx, void *arg, struct err *err)
{
	struct row *r = arg;

	return rec_transfer_get(tx, r->id, &r->rec, err);
}

/* As it is on record; one whose row is not written yet, or got lost, gets
 * another. */
int
session_row(struct session *s, struct rec_transfer *ret, struct err *err)
{
	struct row r = { s->rec.id, { .id = "" } };

	if (db_read(s->engine->db, get_row, &r, err) == 0) {
		*ret = r.rec;
		return 0;
	}
	if (err->code != ERR_TRANSFER_NOT_FOUND)
		return -1;
	err_clear(err);
	*ret = (struct rec_transfer){
		.direction = REC_UPLOAD,
		.filename = mem_strdup(s->rec.filename),
		.encryption = s->rec.encryption,
		.total = s->rec.total_size,
		.created_ms = id_wall_ms(s->rec.id),
	};
	memcpy(ret->id, s->rec.id, ID_SIZE);
	return 0;
}

int
session_wake(struct session *s, struct err *err)
{
	struct rec_transfer row = { 0 };
	struct err e = ERR_INIT;

	if (err == NULL)
		err = &e;
	if (session_load(s, err) < 0)
		return -1;
	if (s->transfer != NULL)
		return 0;
	if (session_row(s, &row, err) < 0)
		return -1;
	row.transferred = atomic_load(&s->moved);
	s->transfer = transfer_resume(s->engine->transfers, &row, true);
	transfer_set_lane(s->transfer, s->lane);
	rec_transfer_fini(&row);
	return 0;
}

bool
session_turn(
    struct session *s, const struct ticket_asker *turn, struct mover *m)
{
	if (turn == NULL || turn->ask(turn->arg, s->lane))
		return true;
	if (m != NULL)
		transfer_attach(s->transfer, m);
	return false;
}

void
session_rest(struct session *s, const struct err *why)
{
	struct rec_transfer row = { 0 };

	if (s->transfer == NULL)
		return;
	transfer_final(s->transfer, transfer_status_of(why), why, &row);
	transfer_end(s->transfer, &row);
	s->transfer = NULL;
	rec_transfer_fini(&row);
}

/* --- ending --------------------------------------------------------------- */

struct ending {
	struct session *session;
	struct rec_transfer *row; /* NULL: there is none to be written */
	bool left;
	struct list blobs;
};

struct staged_blob {
	struct list link;
	char id[ID_SIZE];
};

static int
take_staged(void *arg, const struct rec_chunk *c, struct err *err)
{
	struct ending *end = arg;
	struct staged_blob *b;

	(void)err;
	if (c->blob_id[0] == '\0')
		return 0;
	b = mem_calloc(1, sizeof(*b));
	memcpy(b->id, c->blob_id, ID_SIZE);
	list_push_back(&end->blobs, &b->link);
	return 0;
}

static int
find_staged(struct db_tx *tx, void *arg, struct err *err)
{
	struct ending *end = arg;

	return rec_chunk_each(tx, end->session->rec.id, take_staged, end, err);
}

static int
put_end(struct db_tx *tx, void *arg, struct err *err)
{
	struct ending *end = arg;

	if (rec_session_put(tx, &end->session->rec, err) < 0)
		return -1;
	return end->row == NULL ? 0 : rec_transfer_put(tx, end->row, err);
}

/* How long its record is kept. */
static int64_t
kept_ms(const struct session *s)
{
	return s->rec.kind == REC_SESSION_TUS
	           ? s->engine->settings->upload_expiry
	           : SESSION_ENDED_MS;
}

/* The row of its transfer as it ended, live or not. */
static bool
final_row(struct session *s, const struct err *why, struct rec_transfer *ret)
{
	struct row r = { s->rec.id, { .id = "" } };

	if (s->transfer != NULL) {
		transfer_final(s->transfer, transfer_status_of(why), why, ret);
		return true;
	}
	if (db_read(s->engine->db, get_row, &r, NULL) < 0)
		return false;
	*ret = r.rec;
	ret->status = transfer_status_of(why);
	ret->updated_ms = clock_wall_ms(s->engine->clock);
	free(ret->error);
	free(ret->error_code);
	ret->error = mem_strdup(why->msg);
	ret->error_code = mem_strdup(err_code_name(why->code));
	return true;
}

/* Without the lock: nobody else works on it any more. */
static void
write_end(struct session *s, const struct err *why)
{
	struct ending end = { .session = s };
	struct storage *st = s->engine->storage;
	struct rec_transfer row = { 0 };
	struct err ignored = ERR_INIT;
	struct list *node;

	list_init(&end.blobs);
	if (final_row(s, why, &row))
		end.row = &row;
	(void)db_read(s->engine->db, find_staged, &end, NULL);
	/* Before the bytes: what is not recorded as ended can be gone on
	 * with. */
	if (engine_write(s->engine, put_end, &end, &ignored) == 0)
		(void)st->ops->blob_discard(st, s->rec.blob_id, NULL);
	FAULT_POINT("session.ended");
	while ((node = list_pop_front(&end.blobs)) != NULL) {
		struct staged_blob *b =
		    CONTAINER_OF(node, struct staged_blob, link);

		(void)st->ops->blob_discard(st, b->id, NULL);
		free(b);
	}
	if (s->transfer != NULL)
		transfer_end(s->transfer, &row);
	else if (end.row != NULL)
		transfers_tell(s->engine->transfers, &row);
	s->transfer = NULL;
	rec_transfer_fini(&row);
}

static void
replace(char **field, const char *value)
{
	free(*field);
	*field = mem_strdup(value);
}

bool
session_end(
    struct session *s, enum rec_session_state state, const struct err *why)
{
	if (s->is_ending || s->is_finishing || s->rec.state != REC_SESSION_OPEN)
		return false;
	s->is_ending = true;
	if (s->transfer != NULL)
		transfer_interrupt(s->transfer, why->code == ERR_CANCELLED
		                                    ? ERR_CANCELLED
		                                    : ERR_UPLOAD_TAKEN_OVER);
	pthread_cond_broadcast(&s->changed);
	while (!list_is_empty(&s->claims) || s->is_working)
		pthread_cond_wait(&s->changed, &s->lock);
	s->rec.state = state;
	s->rec.updated_ms = clock_wall_ms(s->engine->clock);
	s->rec.until_ms = s->rec.updated_ms + kept_ms(s);
	replace(&s->rec.error, why->msg);
	replace(&s->rec.error_code, err_code_name(why->code));
	pthread_mutex_unlock(&s->lock);
	write_end(s, why);
	session_retire(s);
	pthread_mutex_lock(&s->lock);
	space_hold_fini(&s->hold);
	s->is_retired = true;
	pthread_cond_broadcast(&s->changed);
	return true;
}
