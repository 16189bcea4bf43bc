/* SPDX-License-Identifier: MIT */
#include "engine/attach.h"

#include <stdlib.h>

#include "base/mem.h"

/* One thread works at a time. */
#define BUFFERS_COUNT 1

static int
attach_storage(struct engine *e, struct err *err)
{
	char *url = mem_printf("file:%s", e->home->path);
	int rc = storage_open(url, &e->storage, err);

	free(url);
	if (rc == 0)
		e->space = space_new(e->storage, 0, e->clock);
	return rc;
}

static int
attach_db(
    struct engine *e, void (*fatal)(const struct err *err), struct err *err)
{
	char *path = home_path(e->home, "records.db");
	const struct db_config cf = {
		.path = path,
		.clock = e->clock,
		.durable = true,
		.fatal = fatal,
	};
	int rc = db_attach(&cf, &e->db, err);

	free(path);
	return rc;
}

static int
attach_parts(struct engine *e, const struct engine_config *cf, struct err *err)
{
	static const struct buffers_config buffers = {
		BUFFERS_SIZE,
		BUFFERS_COUNT,
		BUFFERS_COUNT,
	};
	struct masterkey_report report;
	struct masterkey_config keys = { .settings = cf->settings };

	if (home_attach(cf->settings->upload_dir, &e->home, err) < 0)
		return -1;
	keys.home = e->home;
	if (masterkey_load(&keys, &e->keys, &report, err) < 0 ||
	    attach_storage(e, err) < 0 || attach_db(e, cf->fatal, err) < 0)
		return -1;
	e->pins = pins_new();
	e->buffers = buffers_new(&buffers);
	return 0;
}

static int
visit_parts(struct engine *e, const struct engine_config *cf, struct err *err)
{
	if (home_visit(cf->settings->upload_dir, &e->home, err) < 0 ||
	    attach_db(e, cf->fatal, err) < 0)
		return -1;
	return auth_new(e->db, e->clock, NULL, &e->auth, err);
}

static int
open_with(const struct engine_config *cf,
    int (*parts)(
        struct engine *e, const struct engine_config *cf, struct err *err),
    struct engine **ret_engine, struct err *err)
{
	struct engine *e = mem_calloc(1, sizeof(*e));

	e->settings = cf->settings;
	e->clock = cf->clock;
	e->durable = true;
	if (parts(e, cf, err) < 0) {
		engine_close(e);
		return -1;
	}
	*ret_engine = e;
	return 0;
}

int
engine_attach(
    const struct engine_config *cf, struct engine **ret_engine, struct err *err)
{
	return open_with(cf, attach_parts, ret_engine, err);
}

int
engine_visit(
    const struct engine_config *cf, struct engine **ret_engine, struct err *err)
{
	return open_with(cf, visit_parts, ret_engine, err);
}
