/* SPDX-License-Identifier: MIT */
#include "sftd/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "engine/status_file.h"
#include "sftd/certificate.h"
#include "sftd/listeners.h"

static void
fatal(const struct err *e)
{
	(void)fprintf(stderr, "sftd: %s\n", e->msg);
	_Exit(COMMANDS_FAILED);
}

int
check_run(struct commands_input *in)
{
	const struct engine_config cf = { &in->settings, clock_system(), fatal,
		NULL };
	struct engine_report report;
	struct engine *engine;
	struct err e = ERR_INIT;
	struct tls *tls;

	if (listeners_check(&in->settings, &e) < 0 ||
	    status_file_check_folder(in->settings.log_file, &e) < 0 ||
	    certificate_open(&in->settings, &tls, &e) < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		return COMMANDS_FAILED;
	}
	tls_free(tls);
	if (engine_open(&cf, &engine, &report, &e) < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		return COMMANDS_FAILED;
	}
	if (db_check(engine->db, NULL, &e) < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		engine_close(engine);
		return COMMANDS_FAILED;
	}
	(void)printf("settings, directory '%s' and database are sound\n",
	    engine->home->path);
	engine_close(engine);
	return COMMANDS_OK;
}
