/* SPDX-License-Identifier: MIT */
#include "engine/status_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
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
