/* SPDX-License-Identifier: MIT */

/* POST /upload: a form with one file, its parts in any order. */

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/form.h"
#include "api/handlers.h"
#include "api/params.h"
#include "api/reply.h"
#include "api/upload_reply.h"
#include "api/upload_turn.h"
#include "base/mem.h"
#include "engine/upload.h"
#include "net/multipart.h"
#include "proto/filename.h"
#include "proto/limits.h"

/* Shown while a file goes up that its form has not named yet. */
#define UNNAMED "unnamed"

/* One form while it is read, by one thread at a time. */
struct form {
	struct call *c;
	struct multipart *mp;
	struct params_upload params;
	char *part_name;       /* by the file part's own header; NULL: none */
	struct err name_error; /* why that name cannot be taken */
	struct upload *up;     /* NULL until the file part came */
	bool has_file;
	bool waits; /* at the file part, for its turn */
};

/* The explicit field goes before the part's own name. */
static int
settle_name(struct form *f, struct err *err)
{
	struct upload_options *o = &f->params.options;

	if (f->params.filename != NULL)
		return 0;
	if (f->name_error.code != ERR_NONE) {
		*err = f->name_error;
		return -1;
	}
	if (f->part_name == NULL)
		return err_set(err, ERR_INVALID_FILENAME,
		    "the file has no name: give the field 'filename', or a "
		    "filename to the part 'file'");
	o->filename = f->part_name;
	return 0;
}

static void
take_part_name(struct form *f, const struct multipart_part *part)
{
	struct slice last;

	if (part->filename == NULL)
		return;
	last = filename_reduce(slice_str(part->filename));
	if (filename_normalise(last, &f->part_name, &f->name_error) < 0)
		f->part_name = NULL;
}

/* 1: it waits for its turn. */
static int
begin(struct form *f, struct err *err)
{
	struct upload_options o = f->params.options;
	struct upload_request ur = {
		.who = &f->c->who,
		.client = &f->c->client,
		.options = &o,
		.total = REC_SIZE_UNKNOWN,
		.mover = &f->c->mover,
	};
	/* For progress only; never for a limit. */
	uint64_t expected =
	    multipart_expected(f->mp, http_request(f->c->x)->content_length);
	int rc;

	if (o.filename == NULL)
		o.filename = f->part_name != NULL ? f->part_name : UNNAMED;
	rc = upload_turn(f->c, &ur, err);
	if (rc != 0) {
		if (f->c->turn.transfer != NULL)
			transfer_set_total(f->c->turn.transfer, expected);
		return rc;
	}
	if (upload_turn_begin(f->c, &ur, &f->up, err) < 0)
		return -1;
	transfer_set_total(upload_transfer(f->up), expected);
	return 0;
}

/* 1: it waits for its turn, and this is to be called again. */
static int
fill(struct form *f, struct err *err)
{
	int rc = begin(f, err);

	f->waits = rc > 0;
	return rc != 0 ? rc : upload_fill(f->up, multipart_body(f->mp), err);
}

static bool
is_file(const char *name)
{
	return strcmp(name, "file") == 0;
}

static int
take_file(void *arg, const struct multipart_part *part, struct err *err)
{
	struct form *f = arg;

	if (f->has_file)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the form has two parts named 'file': send one, or use "
		    "/upload_batch");
	f->has_file = true;
	take_part_name(f, part);
	return fill(f, err);
}

static int
take_field(void *arg, const char *name, struct err *err)
{
	struct form *f = arg;

	/* What we do not know is skipped, however long it is. */
	return params_is_upload_option(name)
	           ? params_upload_field(&f->params, name, f->mp, err)
	           : 0;
}

static const struct form_kind kind = {
	.holds = "file",
	.part = "file",
	.parts_max = LIMIT_FORM_PARTS,
	.is_bytes = is_file,
	.take_bytes = take_file,
	.take_field = take_field,
};

/* From where it stopped to wait for its turn, or from the beginning. */
static int
read_form(struct form *f, struct err *err)
{
	const struct http_request *req = http_request(f->c->x);

	if (f->waits) {
		int rc = fill(f, err);

		return rc != 0 ? rc : form_read(&kind, f->mp, f, err);
	}
	if (params_upload_query(&f->params, req, true, err) < 0 ||
	    form_open(f->c, &kind, turn_body(f->c), &f->mp, err) < 0)
		return -1;
	return form_read(&kind, f->mp, f, err);
}

/* 1: it waits for its turn. */
static int
run(struct form *f, struct upload_result *ret, struct err *err)
{
	int rc = read_form(f, err);

	if (rc != 0)
		return rc;
	if (!f->has_file)
		return form_lacks(&kind, err);
	if (settle_name(f, err) < 0)
		return -1;
	if (upload_finish(f->up, &f->params.options, ret, err) < 0)
		return -1;
	f->up = NULL;
	return 0;
}

static void
form_free(void *form)
{
	struct form *f = form;

	params_upload_fini(&f->params);
	multipart_free(f->mp);
	free(f->part_name);
	free(f);
}

static void
go_on(struct call *c)
{
	struct form *f = c->state;
	struct upload_result r = { 0 };
	struct err e = ERR_INIT;
	int rc = run(f, &r, &e);

	if (rc < 0) {
		upload_abort(f->up, &e);
		f->up = NULL;
		reply_error(c->app, c->x, &e, NULL);
	} else if (rc == 0) {
		upload_reply(c, 200, &f->params.options, &r);
	}
	upload_result_fini(&r);
	if (rc <= 0)
		call_drop_state(c);
}

void
h_upload_form(struct call *c)
{
	struct form *f = mem_calloc(1, sizeof(*f));

	f->c = c;
	params_upload_init(&f->params);
	f->params.options.client_id = c->client.id;
	c->state = f;
	c->free_state = form_free;
	c->again = go_on;
	go_on(c);
}
