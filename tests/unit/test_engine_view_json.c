/* SPDX-License-Identifier: MIT */
#include "engine/view_json.h"

#include <string.h>

#include "base/mem.h"
#include "unit.h"

#define WHEN 1700000000123
#define WHEN_TEXT "2023-11-14T22:13:20.123Z"

static void
fill(struct transfer_view *v)
{
	static const struct transfer_view all = {
		.rec = {
			.direction = REC_DOWNLOAD,
			.status = REC_COMPLETED,
			.encryption = true,
			.priority = 3,
			.transferred = 1u << 20,
			.total = UINT64_C(1) << 40,
			.retry_count = 2,
			.created_ms = WHEN,
			.updated_ms = WHEN,
		},
		.speed_bps = 5000,
		.eta_s = 9,
		.progress = 42,
	};
	struct rec_transfer *r = &v->rec;

	*v = all;
	memset(r->id, 'a', ID_SIZE - 1);
	memset(r->sha256, 'b', sizeof(r->sha256) - 1);
	r->filename = mem_strdup("d/\xc3\xa9.txt");
	r->client_ip = mem_strdup("192.0.2.1");
	r->client_id = mem_strdup("me");
	r->error = mem_strdup("why");
	r->error_code = mem_strdup("io");
}

static void
equals(json_t *o, const char *text)
{
	struct err err = ERR_INIT;
	json_t *want = json_parse(text, strlen(text), &err);
	struct buf got;

	if (want == NULL)
		fail_msg("%s", err.msg);
	buf_init(&got, 100000);
	assert_int_equal(json_write(o, &got, &err), 0);
	if (!json_equal(o, want))
		fail_msg("is %s", buf_str(&got));
	buf_fini(&got);
	json_decref(want);
	json_decref(o);
}

/* Every field of the contract and no other: the error's code and the user
 * agent are the server's own. */
TEST(test_engine_view_json__has_the_fields_of_the_contract)
{
	struct transfer_view v;

	fill(&v);
	equals(view_json(&v),
	    "{\"filename\":\"d/\xc3\xa9.txt\",\"status\":\"completed\","
	    "\"checksum\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\","
	    "\"encryption\":true,\"priority\":3,\"progress\":42,"
	    "\"speed\":5000,\"eta\":9,\"transferred_bytes\":1048576,"
	    "\"total_bytes\":1099511627776,\"client_ip\":\"192.0.2.1\","
	    "\"client_id\":\"me\",\"retry_count\":2,"
	    "\"created_at\":\"" WHEN_TEXT "\",\"updated_at\":\"" WHEN_TEXT
	    "\",\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
	    "\"direction\":\"download\",\"error\":\"why\"}");
	transfer_view_fini(&v);
}

TEST(test_engine_view_json__what_is_unknown_is_null)
{
	struct transfer_view v;

	fill(&v);
	v.rec.status = REC_QUEUED;
	v.rec.direction = REC_UPLOAD;
	v.rec.sha256[0] = '\0';
	v.rec.total = REC_SIZE_UNKNOWN;
	v.eta_s = -1;
	free(v.rec.client_id);
	free(v.rec.error);
	v.rec.client_id = v.rec.error = NULL;
	equals(view_json(&v),
	    "{\"filename\":\"d/\xc3\xa9.txt\",\"status\":\"queued\","
	    "\"checksum\":null,\"encryption\":true,\"priority\":3,"
	    "\"progress\":42,\"speed\":5000,\"eta\":null,"
	    "\"transferred_bytes\":1048576,\"total_bytes\":null,"
	    "\"client_ip\":\"192.0.2.1\",\"client_id\":null,"
	    "\"retry_count\":2,\"created_at\":\"" WHEN_TEXT
	    "\",\"updated_at\":\"" WHEN_TEXT
	    "\",\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
	    "\"direction\":\"upload\",\"error\":null}");
	transfer_view_fini(&v);
}

TEST(test_engine_view_json__names_every_status)
{
	static const char *const names[] = {
		[REC_QUEUED] = "queued",
		[REC_UPLOADING] = "uploading",
		[REC_DOWNLOADING] = "downloading",
		[REC_COMPLETED] = "completed",
		[REC_FAILED] = "failed",
		[REC_CANCELLED] = "cancelled",
		[REC_INTERRUPTED] = "interrupted",
	};
	struct transfer_view v;
	json_t *o;
	int i;

	assert_int_equal(sizeof(names) / sizeof(names[0]), REC_STATUS_COUNT);
	fill(&v);
	for (i = 0; i < REC_STATUS_COUNT; i++) {
		v.rec.status = (enum rec_status)i;
		o = view_json(&v);
		assert_string_equal(
		    json_string_value(json_object_get(o, "status")), names[i]);
		json_decref(o);
	}
	transfer_view_fini(&v);
}

/* Only those that wait have a turn. */
TEST(test_engine_view_json__queue_says_whose_turn_it_is)
{
	static const enum rec_status statuses[] = {
		REC_UPLOADING,
		REC_QUEUED,
		REC_COMPLETED,
		REC_QUEUED,
	};
	struct transfer_view views[4];
	const struct status_list list = { .views = views, .count = 4 };
	size_t i;

	for (i = 0; i < 4; i++) {
		fill(&views[i]);
		views[i].rec.status = statuses[i];
	}
	views[1].position = 7;
	views[3].position = 2;
#define ROW(status, position)                                                  \
	"{\"filename\":\"d/\xc3\xa9.txt\",\"priority\":3,\"status\":"          \
	"\"" status "\",\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","          \
	"\"position\":" position "}"
	equals(view_json_queue(&list),
	    "[" ROW("uploading", "null") "," ROW("queued", "7") "," ROW(
	        "completed", "null") "," ROW("queued", "2") "]");
#undef ROW
	for (i = 0; i < 4; i++)
		transfer_view_fini(&views[i]);
}
