/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/text.h"

#define VIEW_MAX_BYTES 8192u

static int
print(const json_t *answer, struct err *err)
{
	double rtt_ms = json_number_value(json_object_get(answer, "rtt_ms"));
	char size[TEXT_SIZE];
	struct buf b;
	int rc;

	text_size(out_uint(answer, "recommended_chunk_size"), size);
	buf_init(&b, VIEW_MAX_BYTES);
	buf_append_str(&b, "network     ");
	text_clean(&b, slice_str(out_str(answer, "network_quality")));
	buf_printf(&b, "\nround trip  %.*f ms\n", rtt_ms < 10 ? 2 : 0, rtt_ms);
	buf_printf(&b, "sent again  %" PRIu64 " %s\n",
	    out_uint(answer, "retransmits"),
	    out_uint(answer, "retransmits") == 1 ? "segment" : "segments");
	buf_printf(&b, "advice      chunks of %s, %" PRIu64 " at once\n", size,
	    out_uint(answer, "recommended_parallel"));
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

int
cmd_ping(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "",
		.about = "Asks the server how good the network between here "
		         "and it is, and how large files\nhad best be sent "
		         "over it; 'sft upload' does so by itself.\n",
	};
	struct cli_ask ask = { .method = "POST", .target = "/ping" };
	int rc = cli_parse(cli, &syntax, err);
	json_t *body;

	if (rc != 0)
		return rc;
	body = json_pack(
	    "{s:f}", "timestamp", (double)clock_wall_ms(clock_system()) / 1e3);
	ask.body = body;
	rc = cli_show(cli, &ask, print, err);
	json_decref(body);
	return rc;
}
