/* SPDX-License-Identifier: MIT */
#include "sft/retry.h"

#include <inttypes.h>

#include "base/rand.h"

void
retry_init(
    struct retry *r, struct cli *cli, const struct retry_options *options)
{
	*r = (struct retry){ .cli = cli, .options = options };
}

void
retry_reset(struct retry *r)
{
	r->tried = 0;
	r->was_reached = true;
}

/* --- pure ----------------------------------------------------------------- */

static bool
is_passing(int status)
{
	static const int statuses[] = { 408, 429, 500, 502, 503, 504 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i] == status)
			return true;
	return false;
}

bool
retry_may(const struct err *err, const struct http_failure *f)
{
	switch (err->code) {
	case ERR_DECRYPTION_FAILED:
	case ERR_FILE_DAMAGED:
		return false;
	case ERR_CLOSED:
	case ERR_TIMEOUT:
	case ERR_UNREACHABLE:
		return true;
	default:
		return is_passing(f->status);
	}
}

int64_t
retry_delay_ms(unsigned n, uint64_t random)
{
	int64_t most = RETRY_FIRST_MS;

	for (unsigned i = 1; i < n && most < RETRY_MAX_MS; i++)
		most *= 2;
	if (most > RETRY_MAX_MS)
		most = RETRY_MAX_MS;
	return (int64_t)(random % (uint64_t)(most + 1));
}

/* --- waiting -------------------------------------------------------------- */

/* -1: for longer than anybody would. */
static int64_t
choose_delay(const struct retry *r, const struct http_failure *f)
{
	int64_t delay = retry_delay_ms(r->tried, rand_u64());

	if (f->retry_after_s > RETRY_AFTER_MAX_S)
		return -1;
	if (f->retry_after_s * 1000 > delay)
		delay = f->retry_after_s * 1000;
	return delay;
}

/* A server that is not there is a mistake more often than bad luck. */
static bool
is_mistake(const struct retry *r, const struct err *err)
{
	return err->code == ERR_UNREACHABLE && !r->was_reached &&
	       !r->options->is_given;
}

bool
retry_wait(struct retry *r, const struct http *h, struct err *err)
{
	const struct http_failure *f = http_failure(h);
	struct err why = ERR_INIT;
	int64_t delay;

	if (err->code == ERR_CLOSED || err->code == ERR_TIMEOUT ||
	    f->status != 0)
		r->was_reached = true;
	if (!retry_may(err, f) || r->tried >= r->options->times ||
	    is_mistake(r, err))
		return false;
	r->tried++;
	delay = choose_delay(r, f);
	if (delay < 0)
		return false;
	if (r->cli->verbose)
		cli_say(r->cli,
		    "%s; trying again in %" PRId64 ".%" PRId64
		    " s (%u of %" PRIu64 ")",
		    err->msg, delay / 1000, delay % 1000 / 100, r->tried,
		    r->options->times);
	if (interrupt_wait(r->cli->interrupt, -1, 0, (int)delay, &why) < 0) {
		*err = why;
		return false;
	}
	err_clear(err);
	return true;
}
