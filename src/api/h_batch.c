/* SPDX-License-Identifier: MIT */

/* POST /upload_batch: a form with many files, its parts in any order. */

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/form.h"
#include "api/handlers.h"
#include "api/metadata_json.h"
#include "api/params.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/metadata.h"
#include "engine/upload_batch.h"
#include "net/multipart.h"
#include "proto/filename.h"
#include "proto/limits.h"

/* One form while it is read, by one thread at a time. */
struct form {
	struct call *c;
	struct multipart *mp;
	struct params_upload params;
	struct upload_batch *batch;
	bool keeps_paths; /* of names, else only their last segment counts */
	bool has_turn;
	struct lane *lane;       /* since then; the ticket's */
	struct batch_file *file; /* at whose part it waits for its turn */
	char *name;              /* its name */
	bool skips; /* it waits, and that file was cancelled meanwhile */
};

/* --- options -------------------------------------------------------------- */

/* What holds for all files; a name or a hash is one file's. */
static bool
is_option(const char *name)
{
	static const char *const names[] = { "encryption", "priority",
		"client_id", "if_exists" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int
take_paths(struct form *f, struct err *err)
{
	char *value;
	int rc = params_query_text(http_request(f->c->x), "paths", &value, err);

	if (rc > 0) {
		f->keeps_paths = strcmp(value, "keep") == 0;
		if (!f->keeps_paths && strcmp(value, "last") != 0)
			rc = err_set(err, ERR_INVALID_PARAMETER,
			    "'paths' must be 'keep' or 'last'");
	}
	free(value);
	return rc < 0 ? -1 : 0;
}

static int
take_query(struct form *f, struct err *err)
{
	const struct http_request *req = http_request(f->c->x);

	if (params_upload_query(&f->params, req, false, err) < 0)
		return -1;
	f->params.options.has_sha256 = false;
	return take_paths(f, err);
}

static int
take_field(void *arg, const char *name, struct err *err)
{
	struct form *f = arg;

	/* What we do not know is skipped, however long it is. */
	return is_option(name)
	           ? params_upload_field(&f->params, name, f->mp, err)
	           : 0;
}

/* --- files ---------------------------------------------------------------- */

/* Once for all of them, when the first comes.  ${o} NULL: nothing is shown
 * while it waits.  1: it waits. */
static int
take_turn(struct form *f, const struct upload_options *o, struct err *err)
{
	struct call *c = f->c;
	struct transfer_start start = {
		.direction = REC_UPLOAD,
		.total = REC_SIZE_UNKNOWN,
		.client = &c->client,
	};
	const struct turn_wanted wanted = {
		.start = o == NULL ? NULL : &start,
		.size = http_request(c->x)->content_length,
	};
	int rc;

	if (f->has_turn)
		return 0;
	if (o != NULL) {
		start.filename = o->filename;
		start.encryption = o->encryption;
		start.priority = o->priority;
		start.mover = batch_file_mover(f->file);
	}
	rc = turn_take(c, &wanted, &f->lane, err);
	f->has_turn = rc == 0;
	return rc;
}

/* The file that was shown waiting was cancelled; the batch waits on, as its
 * bytes are not to be read, not even to be skipped, before its turn. */
static int
skip(struct form *f, struct err *err)
{
	struct err e = ERR_INIT;
	int rc;

	if (f->file != NULL && batch_file_is_cancelled(f->file, &e)) {
		turn_fail(f->c, &e);
		batch_file_fail(f->file, &e);
		f->file = NULL;
	}
	rc = take_turn(f, NULL, err);
	f->skips = rc > 0;
	return rc;
}

/* 0, also when it failed and was told so. */
static void
begin(struct form *f, const struct upload_options *o)
{
	struct call *c = f->c;
	struct upload_request req = {
		.who = &c->who,
		.client = &c->client,
		.options = o,
		.total = REC_SIZE_UNKNOWN,
		.lane = f->lane,
		.transfer = c->turn.transfer,
	};
	struct err e = ERR_INIT;

	if (batch_file_begin(f->file, &req, &e) == 0) {
		c->turn.transfer = NULL;
		return;
	}
	turn_fail(c, &e);
	batch_file_fail(f->file, &e);
	f->file = NULL;
}

/* 1: it waits for its turn, and this is to be called again. */
static int
fill(struct form *f, struct err *err)
{
	struct upload_options o = f->params.options;
	struct batch_file *file;
	struct err cancelled = ERR_INIT;
	int rc;

	if (f->skips || batch_file_is_cancelled(f->file, &cancelled))
		return skip(f, err);
	o.filename = f->name;
	rc = take_turn(f, &o, err);
	if (rc != 0)
		return rc;
	begin(f, &o);
	file = f->file;
	f->file = NULL;
	if (file == NULL)
		return 0;
	return batch_file_fill(file, multipart_body(f->mp), &o, err);
}

/* The name that a part's file is to have. */
static int
take_name(const char *shown, char **ret_name, struct err *err)
{
	if (shown == NULL)
		return err_set(err, ERR_INVALID_FILENAME,
		    "the file has no name: give its part a filename");
	return filename_normalise(slice_str(shown), ret_name, err);
}

static int
take_file(void *arg, const struct multipart_part *part, struct err *err)
{
	struct form *f = arg;
	const char *shown = part->filename;
	struct err e = ERR_INIT;

	/* The last segment of a string is its end. */
	if (shown != NULL && !f->keeps_paths)
		shown = filename_reduce(slice_str(shown)).p;
	if (upload_batch_add(f->batch, shown, &f->file, err) < 0)
		return -1;
	free(f->name);
	f->name = NULL;
	if (take_name(shown, &f->name, &e) == 0)
		return fill(f, err);
	batch_file_fail(f->file, &e);
	f->file = NULL;
	return 0;
}

/* --- the form ------------------------------------------------------------- */

/* `file` is what a single upload calls it. */
static bool
is_file(const char *name)
{
	return strcmp(name, "files") == 0 || strcmp(name, "file") == 0;
}

static const struct form_kind kind = {
	.holds = "file",
	.part = "files",
	.parts_max = LIMIT_BATCH_FILES + LIMIT_FORM_PARTS,
	.is_bytes = is_file,
	.take_bytes = take_file,
	.take_field = take_field,
};

/* From where it stopped to wait for its turn, or from the beginning. */
static int
read_form(struct form *f, struct err *err)
{
	struct source *body;

	if (f->file != NULL || f->skips) {
		int rc = fill(f, err);

		return rc != 0 ? rc : form_read(&kind, f->mp, f, err);
	}
	if (take_query(f, err) < 0)
		return -1;
	body = upload_batch_body(f->batch, turn_body(f->c));
	if (form_open(f->c, &kind, body, &f->mp, err) < 0)
		return -1;
	return form_read(&kind, f->mp, f, err);
}

/* 1: it waits for its turn. */
static int
run(struct form *f, struct err *err)
{
	int rc = read_form(f, err);

	if (rc != 0)
		return rc;
	if (upload_batch_count(f->batch) == 0)
		return form_lacks(&kind, err);
	return upload_batch_commit(f->batch, &f->params.options, err);
}

/* --- the answer ----------------------------------------------------------- */

/* What the other kind of result has is there, too: as null. */
static json_t *
result_json(struct engine *e, const struct batch_result *r)
{
	struct rec_file f;
	json_t *j;

	if (r->file != NULL) {
		f = *r->file; /* what it points to stays */
		metadata_complete(e, &f);
		return json_pack("{s:s, s:s, s:s, s:I, s:o, s:n, s:n}",
		    "filename", r->file->filename, "status", "success", "hash",
		    r->file->sha256, "size", (json_int_t)r->file->size,
		    "metadata", metadata_json(&f), "error", "code");
	}
	j = reply_error_json(r->why);
	json_object_del(j, "success");
	json_object_update_new(
	    j, json_pack("{s:o, s:s, s:n, s:n, s:n}", "filename",
	           json_str_or_null(r->filename), "status", "failed", "hash",
	           "size", "metadata"));
	return j;
}

static void
answer(struct form *f)
{
	size_t total = upload_batch_count(f->batch);
	json_t *results = json_array();
	struct call *c = f->c;
	struct batch_result r;
	size_t good = 0;

	for (size_t i = 0; i < total; i++) {
		upload_batch_result(f->batch, i, &r);
		good += r.file != NULL;
		json_array_append_new(results, result_json(c->app->engine, &r));
	}
	log_info("batch completed", LOG_UINT("files", total),
	    LOG_UINT("failed", total - good), LOG_STR("client", c->client.ip),
	    LOG_END);
	reply_json(c->app, c->x, 200,
	    json_pack("{s:b, s:I, s:I, s:I, s:o}", "success", good == total,
	        "total_files", (json_int_t)total, "successful",
	        (json_int_t)good, "failed", (json_int_t)(total - good),
	        "results", results));
}

/* --- its life ------------------------------------------------------------- */

/* What was begun and is not published came to nothing. */
static void
drop_batch(struct form *f, const struct err *why)
{
	upload_batch_free(f->batch, why);
	f->batch = NULL;
}

/* Still here, it went while it waited. */
static void
form_free(void *form)
{
	struct form *f = form;
	struct err gone = ERR_INIT;

	(void)err_set(&gone, ERR_CLOSED, "the client went while it waited");
	drop_batch(f, &gone);
	params_upload_fini(&f->params);
	multipart_free(f->mp);
	free(f->name);
	free(f);
}

static void
go_on(struct call *c)
{
	struct form *f = c->state;
	struct err e = ERR_INIT;
	int rc = run(f, &e);

	if (rc > 0)
		return;
	if (rc == 0) {
		answer(f);
	} else {
		turn_fail(c, &e);
		drop_batch(f, &e);
		reply_error(c->app, c->x, &e, NULL);
	}
	call_drop_state(c);
}

/* A file of it was cancelled: it may be parked. */
static void
wake(void *x)
{
	http_unpark(x);
}

void
h_batch_upload(struct call *c)
{
	struct form *f = mem_calloc(1, sizeof(*f));

	f->c = c;
	params_upload_init(&f->params);
	f->params.options.client_id = c->client.id;
	f->batch = upload_batch_new(c->app->engine, wake, c->x);
	c->state = f;
	c->free_state = form_free;
	c->again = go_on;
	go_on(c);
}
