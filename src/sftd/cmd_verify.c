/* SPDX-License-Identifier: MIT */
#include "sftd/cmd_verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/attach.h"
#include "engine/recover.h"
#include "engine/verify.h"
#include "proto/filename.h"
#include "sftd/background.h"
#include "sftd/harmless.h"
#include "sftd/secrecy.h"

/* An object without a record that is younger may be about to get one. */
#define REPAIR_AGE_MS (60 * 1000)
/* What the rate is an average over. */
#define BURST_NS ((int64_t)100 * 1000000)

struct pace {
	uint64_t rate;   /* bytes a second; 0: as fast as it goes */
	int64_t next_ns; /* when to go on */
};

static void
wait_until(int64_t ns)
{
	const struct timespec at = { ns / 1000000000, ns % 1000000000 };

	while (
	    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		continue;
}

static void
keep_pace(void *arg, uint64_t bytes)
{
	struct pace *p = arg;
	int64_t now_ns = clock_mono_ns(clock_system());

	if (p->rate == 0)
		return;
	/* What a slow disk has lost is not caught up with later. */
	if (p->next_ns < now_ns - BURST_NS)
		p->next_ns = now_ns - BURST_NS;
	p->next_ns += (int64_t)((double)bytes / (double)p->rate * 1e9);
	wait_until(p->next_ns);
}

static void
say_found(void *arg, const char *filename, enum verify_verdict verdict,
    const struct err *why)
{
	static const char *const words[] = {
		[VERIFY_SOUND] = "sound",
		[VERIFY_DAMAGED] = "damaged",
		[VERIFY_LOST] = "lost",
		[VERIFY_NO_KEY] = "unreadable",
		[VERIFY_UNREAD] = "unreadable",
	};

	(void)arg;
	/* People may be watching. */
	(void)printf("%s: ", words[verdict]);
	harmless_print(filename);
	(void)printf(" (");
	harmless_print(verdict == VERIFY_LOST
	                   ? "its bytes are not there any more"
	                   : why->msg);
	(void)printf(")\n");
	(void)fflush(stdout);
}

static void
say_recorded(void *arg, const char *filename)
{
	(void)arg;
	(void)printf("recorded: ");
	harmless_print(filename);
	(void)printf("\n");
	(void)fflush(stdout);
}

static int
repair(struct engine *e, struct err *err)
{
	const struct recover_older older = {
		.before_ms = clock_wall_ms(clock_system()) - REPAIR_AGE_MS,
		.recorded = say_recorded,
	};
	uint64_t files;

	if (recover_rebuild_older(e, &older, &files, err) < 0)
		return -1;
	(void)printf("records made for %" PRIu64 " file%s without one\n", files,
	    files == 1 ? "" : "s");
	return 0;
}

static int
check(struct engine *e, const struct commands_verify *o, struct verify_sum *sum,
    struct err *err)
{
	struct pace pace = { o->rate, clock_mono_ns(clock_system()) };
	const struct verify_control control = { keep_pace, say_found, &pace };
	char *name;
	int rc;

	if (o->repair_records && repair(e, err) < 0)
		return -1;
	if (o->file == NULL)
		return verify_all(e, &control, sum, err);
	if (filename_normalise(slice_str(o->file), &name, err) < 0)
		return -1;
	rc = verify_file(e, name, &control, sum, err);
	free(name);
	return rc;
}

int
cmd_verify(struct commands_input *in)
{
	const struct engine_config cf = {
		&in->settings,
		clock_system(),
		background_fatal,
		NULL,
	};
	struct verify_sum sum = { 0 };
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
	background_give_way();
	rc = check(engine, &in->verify, &sum, &e);
	engine_close(engine);
	if (rc < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		return COMMANDS_FAILED;
	}
	(void)printf("checked %" PRIu64 " file%s of %" PRIu64 " bytes: %" PRIu64
	             " not sound\n",
	    sum.files, sum.files == 1 ? "" : "s", sum.bytes, sum.bad);
	return sum.bad > 0 ? COMMANDS_FAILED : COMMANDS_OK;
}
