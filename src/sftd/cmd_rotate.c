/* SPDX-License-Identifier: MIT */
#include "sftd/cmd_rotate.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/attach.h"
#include "engine/rotate.h"
#include "sftd/background.h"
#include "sftd/harmless.h"
#include "sftd/secrecy.h"

static void
say_failed(void *arg, const char *name, const struct err *why)
{
	(void)arg;
	(void)printf("not re-wrapped: ");
	harmless_print(name);
	(void)printf(" (%s)\n", why->msg);
	(void)fflush(stdout);
}

static void
say_sum(const struct rotate_sum *sum)
{
	(void)printf("re-wrapped %" PRIu64 " of %" PRIu64 " container%s",
	    sum->wrapped, sum->containers, sum->containers == 1 ? "" : "s");
	if (sum->failed > 0)
		(void)printf("; %" PRIu64
		             " could not be: keep the older keys\n",
		    sum->failed);
	else
		(void)printf("; older keys are needed no more\n");
}

int
cmd_rotate(struct commands_input *in)
{
	const struct engine_config cf = {
		&in->settings,
		clock_system(),
		background_fatal,
		NULL,
	};
	const struct rotate_control control = { say_failed, NULL };
	struct rotate_sum sum;
	bool has_setting = in->settings.encryption_key != NULL;
	struct err e = ERR_INIT;
	struct engine *engine;
	int rc;

	background_begin();
	if (engine_attach(&cf, &engine, &e) < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		return COMMANDS_FAILED;
	}
	secrecy_forget_keys(&in->settings);
	commands_forget_args(in);
	/* Who reads a header waits for who writes it. */
	background_spare_disk();
	rc = rotate_run(engine, &control, &sum, &e);
	engine_close(engine);
	if (rc < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		return COMMANDS_FAILED;
	}
	say_sum(&sum);
	if (sum.wrapped == 0 && !has_setting)
		(void)printf("the current key is the one in encryption.key; to "
		             "change it give a new one in ENCRYPTION_KEY\n");
	return sum.failed > 0 ? COMMANDS_FAILED : COMMANDS_OK;
}
