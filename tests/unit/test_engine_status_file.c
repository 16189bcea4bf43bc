/* SPDX-License-Identifier: MIT */
#include "engine/status_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/stats.h"
#include "engine/status.h"
#include "engine_fixture.h"
#include "unit.h"

/* As the original wrote it. */
static const char original[] =
    "{\"transfers\": {\"document.pdf\": {\"filename\": \"document.pdf\","
    " \"status\": \"completed\", \"checksum\": null, \"encryption\": true,"
    " \"priority\": 5, \"client_ip\": \"192.168.1.100\","
    " \"total_bytes\": 1024, \"created_at\": \"2024-10-24T07:30:00\","
    " \"updated_at\": \"2024-10-24T07:30:05.123456\"},"
    " \"half.bin\": {\"status\": \"uploading\","
    " \"created_at\": \"2024-10-25T07:30:00\"},"
    " \"../evil\": {\"status\": \"completed\"},"
    " \"odd\": {\"status\": \"dancing\"}},"
    " \"queue\": [], \"metadata\": {\"version\": \"1.0\"}}";

static void
write_file(const char *path, const char *text)
{
	struct file_content c = { text, strlen(text), 0600, NULL };

	assert_int_equal(file_replace(AT_FDCWD, path, &c, NULL), 0);
}

static json_t *
read_json(const char *path)
{
	struct err err = ERR_INIT;
	struct buf b;
	json_t *j;

	buf_init(&b, STATUS_FILE_MAX);
	assert_int_equal(file_read_all(AT_FDCWD, path, &b, &err), 0);
	j = json_parse(b.p, b.len, &err);
	assert_non_null(j);
	buf_fini(&b);
	return j;
}

static enum rec_status
status(struct fixture *f, const char *name)
{
	struct err err = ERR_INIT;
	struct transfer_view v;
	enum rec_status s;

	assert_int_equal(status_of(f->engine, &f->who, name, &v, &err), 0);
	s = v.rec.status;
	transfer_view_fini(&v);
	return s;
}

TEST(test_engine_status_file__takes_over_the_original_s)
{
	struct err err = ERR_INIT, damage;
	struct transfer_view v;
	struct fixture f;
	uint64_t taken = 0;

	fixture_init(&f, NULL);
	/* The fixture's year is the one before. */
	clock_manual_advance(&f.clock, 366 * INT64_C(86400000));
	f.settings.log_file = mem_strdup(unit_temppath("status.json"));
	write_file(f.settings.log_file, original);
	assert_int_equal(
	    status_file_load(f.engine, true, &taken, &damage, &err), 0);
	assert_int_equal(damage.code, ERR_NONE);
	assert_int_equal(taken, 2);
	assert_int_equal(
	    status_of(f.engine, &f.who, "document.pdf", &v, &err), 0);
	assert_int_equal(v.rec.status, REC_COMPLETED);
	assert_int_equal(v.rec.created_ms, 1729755000000);
	assert_int_equal(v.rec.total, 1024);
	assert_int_equal(v.rec.priority, 5);
	assert_true(v.rec.encryption);
	assert_string_equal(v.rec.client_ip, "192.168.1.100");
	transfer_view_fini(&v);
	assert_int_equal(status(&f, "half.bin"), REC_INTERRUPTED);
	free(f.settings.log_file);
	fixture_fini(&f);
}

TEST(test_engine_status_file__is_not_taken_over_twice)
{
	struct err err = ERR_INIT, damage;
	struct transfer_view v;
	struct fixture f;
	uint64_t taken = 0;

	fixture_init(&f, NULL);
	f.settings.log_file = mem_strdup(unit_temppath("status.json"));
	write_file(f.settings.log_file, original);
	assert_int_equal(
	    status_file_load(f.engine, false, &taken, &damage, &err), 0);
	assert_int_equal(taken, 0);
	assert_int_equal(
	    status_of(f.engine, &f.who, "document.pdf", &v, &err), -1);
	free(f.settings.log_file);
	fixture_fini(&f);
}

TEST(test_engine_status_file__falls_back_to_the_backup)
{
	struct err err = ERR_INIT, damage;
	struct fixture f;
	uint64_t taken = 0;

	fixture_init(&f, NULL);
	f.settings.log_file = mem_strdup(unit_temppath("status.json"));
	write_file(f.settings.log_file, "{\"transfers\": {\"doc");
	write_file(unit_temppath("status.json.backup"), original);
	assert_int_equal(
	    status_file_load(f.engine, true, &taken, &damage, &err), 0);
	assert_int_equal(damage.code, ERR_INVALID_JSON);
	assert_int_equal(taken, 2);
	/* The damaged one stands aside, under another name. */
	assert_int_equal(access(f.settings.log_file, F_OK), -1);
	assert_int_equal(
	    access(unit_temppath("status.json.damaged-1700000000"), F_OK), 0);
	free(f.settings.log_file);
	fixture_fini(&f);
}

TEST(test_engine_status_file__has_the_original_s_layout)
{
	struct err err = ERR_INIT;
	struct fixture f;
	json_t *j, *meta;

	fixture_init(&f, NULL);
	f.settings.log_file = mem_strdup(unit_temppath("status.json"));
	fixture_put(&f, "a", "1");
	fixture_put(&f, "b", "2");
	assert_int_equal(status_file_write(f.engine, &err), 0);
	fixture_put(&f, "c", "3");
	assert_int_equal(status_file_write(f.engine, &err), 0);
	j = read_json(f.settings.log_file);
	assert_int_equal(json_object_size(json_object_get(j, "transfers")), 3);
	assert_int_equal(json_array_size(json_object_get(j, "queue")), 3);
	meta = json_object_get(j, "metadata");
	assert_string_equal(
	    json_string_value(json_object_get(meta, "version")), "1.0");
	assert_int_equal(
	    json_integer_value(json_object_get(meta, "total_transfers")), 3);
	json_decref(j);
	/* The one before is the backup. */
	j = read_json(unit_temppath("status.json.backup"));
	assert_int_equal(json_object_size(json_object_get(j, "transfers")), 2);
	json_decref(j);
	free(f.settings.log_file);
	fixture_fini(&f);
}

/* Loads ${text} as the file that a new database takes over. */
static uint64_t
take_over(struct fixture *f, const char *text)
{
	struct err err = ERR_INIT, damage;
	uint64_t taken = 0;

	fixture_init(f, NULL);
	f->settings.log_file = mem_strdup(unit_temppath("status.json"));
	write_file(f->settings.log_file, text);
	assert_int_equal(
	    status_file_load(f->engine, true, &taken, &damage, &err), 0);
	assert_int_equal(damage.code, ERR_NONE);
	return taken;
}

static void
end(struct fixture *f)
{
	free(f->settings.log_file);
	fixture_fini(f);
}

static struct transfer_view
view(struct fixture *f, const char *name)
{
	struct err err = ERR_INIT;
	struct transfer_view v;

	assert_int_equal(status_of(f->engine, &f->who, name, &v, &err), 0);
	return v;
}

/* Else it would hide all uploads of its name that come. */
TEST(test_engine_status_file__a_time_to_come_is_now)
{
	struct transfer_view v;
	struct fixture f;

	assert_int_equal(
	    take_over(&f, "{\"transfers\": {\"a\": {\"status\": \"failed\","
	                  " \"created_at\": \"9998-01-01T00:00:00\","
	                  " \"updated_at\": \"9999-01-01T00:00:00\"}}}"),
	    1);
	v = view(&f, "a");
	assert_int_equal(v.rec.created_ms, clock_wall_ms(&f.clock.clock));
	assert_int_equal(v.rec.updated_ms, v.rec.created_ms);
	transfer_view_fini(&v);
	clock_manual_advance(&f.clock, 1);
	fixture_put(&f, "a", "new");
	assert_int_equal(status(&f, "a"), REC_COMPLETED);
	end(&f);
}

TEST(test_engine_status_file__numbers_that_cannot_be)
{
	struct transfer_view v;
	struct fixture f;

	assert_int_equal(
	    take_over(&f,
	        "{\"transfers\": {\"more\": {\"status\": \"failed\","
	        " \"total_bytes\": 5, \"transferred_bytes\": 9,"
	        " \"retry_count\": 70000, \"priority\": 11},"
	        "\"less\": {\"status\": \"failed\", \"size\": -1,"
	        " \"client_ip\": \"\\u001b[2J\", \"client_id\": \"\"}}}"),
	    2);
	v = view(&f, "more");
	assert_int_equal(v.rec.transferred, 5);
	assert_int_equal(v.rec.retry_count, 0xffff);
	assert_int_equal(v.rec.priority, 0);
	transfer_view_fini(&v);
	v = view(&f, "less");
	assert_true(v.rec.total == REC_SIZE_UNKNOWN);
	assert_string_equal(v.rec.client_ip, "unknown");
	assert_null(v.rec.client_id);
	transfer_view_fini(&v);
	end(&f);
}

/* 2^63 - 1 bytes each, for as long as there are years. */
TEST(test_engine_status_file__sums_hold)
{
	struct err err = ERR_INIT;
	struct stats stats;
	struct fixture f;
	struct buf b;

	buf_init(&b, 65536);
	assert_int_equal(buf_append_str(&b, "{\"transfers\": {"), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
		    buf_printf(&b,
		        "%s\"a%d\": {\"status\": \"completed\","
		        " \"total_bytes\": 9223372036854775807,"
		        " \"created_at\": \"1970-01-01T00:00:00\","
		        " \"updated_at\": \"9999-01-01T00:00:00\"}",
		        i == 0 ? "" : ", ", i),
		    0);
	assert_int_equal(buf_append(&b, "}}", 3), 0);
	assert_int_equal(take_over(&f, b.p), 100);
	fixture_put(&f, "new", "12345");
	assert_int_equal(stats_get(f.engine, &f.who, &stats, &err), 0);
	assert_int_equal(stats.transfers, 101);
	assert_int_equal(stats.bytes, 5);
	stats_fini(&stats);
	buf_fini(&b);
	end(&f);
}

/* More than there are sums for: all of them are taken over. */
TEST(test_engine_status_file__as_many_extensions_as_transfers)
{
	enum { COUNT = 5000 };
	struct fixture f;
	struct buf b;

	buf_init(&b, STATUS_FILE_MAX);
	assert_int_equal(buf_append_str(&b, "{\"transfers\": {"), 0);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(
		    buf_printf(&b, "%s\"a.%d\": {\"status\": \"failed\"}",
		        i == 0 ? "" : ", ", i),
		    0);
	assert_int_equal(buf_append(&b, "}}", 3), 0);
	assert_int_equal(take_over(&f, b.p), COUNT);
	buf_fini(&b);
	end(&f);
}
