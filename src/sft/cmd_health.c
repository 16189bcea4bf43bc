/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/text.h"

#define LINE_MAX_BYTES 8192u

static int
print(const struct cli *cli, const json_t *health, struct err *err)
{
	char uptime[TEXT_SIZE];
	struct buf b;
	int rc;

	(void)cli;
	text_span(out_uint(health, "uptime_seconds"), uptime);
	buf_init(&b, LINE_MAX_BYTES);
	text_clean(&b, slice_str(out_str(health, "status")));
	buf_append_str(&b, ", version ");
	text_clean(&b, slice_str(out_str(health, "version")));
	buf_printf(&b, ", up for %s\n", uptime);
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

int
cmd_health(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "",
		.about = "Asks whether the server is there and well, and which "
		         "version it is.\nNeeds no key.\n",
	};
	const struct cli_ask ask = { "GET", "/health", NULL };
	json_t *health = NULL;
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	if (cli_http(cli, err) < 0 || cli_ask(cli, &ask, &health, err) < 0)
		return -1;
	rc = cli->json ? cli_tell(cli, health, err) : print(cli, health, err);
	if (rc == 0 && strcmp(out_str(health, "status"), "ok") != 0)
		rc = err_set(err, ERR_UNAVAILABLE, "the server is not well");
	json_decref(health);
	return rc;
}
