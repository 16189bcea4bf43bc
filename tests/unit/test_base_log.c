/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log_priv.h"
#include "base/thread.h"
#include "unit.h"

#define WALL INT64_C(1795505400000)
#define TIME "2026-11-24T07:30:00.000Z"

static void
render(enum log_format format, const struct log_field *fields,
    const char *request, struct buf *b)
{
	struct log_line line = {
		.wall_ms = WALL,
		.level = LOG_INFO,
		.message = "upload completed",
		.fields = fields,
		.request = request,
	};

	buf_init(b, LOG_LINE_MAX);
	assert_int_equal(log_line_write(&line, format, b), 0);
}

TEST(test_base_log__writes_text)
{
	const struct log_field fields[] = { LOG_STR("file", "a b"),
		LOG_UINT("size", UINT64_MAX), LOG_INT("left", -3),
		LOG_STR("type", "image/jpeg"), LOG_STR("none", NULL), LOG_END };
	struct buf b;

	render(LOG_TEXT, fields, "0a1b2c", &b);
	assert_string_equal(buf_str(&b),
	    TIME " info upload completed file=\"a b\" "
	         "size=18446744073709551615 left=-3 type=image/jpeg "
	         "none=\"\" request=0a1b2c\n");
	buf_fini(&b);
}

TEST(test_base_log__writes_json)
{
	const struct log_field fields[] = { LOG_STR("file", "a \"b\""),
		LOG_UINT("size", 3), LOG_INT("left", INT64_MIN), LOG_END };
	struct buf b;

	render(LOG_JSON, fields, "0a1b2c", &b);
	assert_string_equal(buf_str(&b),
	    "{\"time\":\"" TIME
	    "\",\"level\":\"info\",\"message\":\"upload completed\","
	    "\"file\":\"a \\\"b\\\"\",\"size\":3,"
	    "\"left\":-9223372036854775808,\"request\":\"0a1b2c\"}\n");
	buf_fini(&b);
}

TEST(test_base_log__needs_no_fields)
{
	struct buf b;

	render(LOG_TEXT, NULL, NULL, &b);
	assert_string_equal(buf_str(&b), TIME " info upload completed\n");
	buf_fini(&b);
}

TEST(test_base_log__escapes)
{
	/* right-to-left override; as a literal it warns of itself */
	static const char override[] = { '\xe2', '\x80', '\xae', '\0' };
	static const struct {
		const char *value;
		const char *text;
		const char *json;
	} cases[] = {
		{ "", "\"\"", "\"\"" },
		{ "plain-_.:/+@%1", "plain-_.:/+@%1", "\"plain-_.:/+@%1\"" },
		{ "a=b", "\"a=b\"", "\"a=b\"" },
		{ "a\nforged", "\"a\\nforged\"", "\"a\\nforged\"" },
		{ "\r\t\\\"", "\"\\r\\t\\\\\\\"\"", "\"\\r\\t\\\\\\\"\"" },
		{ "\x1b[31m", "\"\\u001b[31m\"", "\"\\u001b[31m\"" },
		{ "\x7f", "\"\\u007f\"", "\"\\u007f\"" },
		/* CSI as one character, and as the byte of old terminals */
		{ "\xc2\x9b", "\"\\u009b\"", "\"\\u009b\"" },
		{ "\x9b", "\"\\x9b\"", "\"\\ufffd\"" },
		{ "\xe2\x80\xa8", "\"\\u2028\"", "\"\\u2028\"" },
		{ override, "\"\\u202e\"", "\"\\u202e\"" },
		{ "\xc3\xa9", "\"\xc3\xa9\"", "\"\xc3\xa9\"" },
		{ "\xc3", "\"\\xc3\"", "\"\\ufffd\"" },
	};
	struct log_field fields[2] = { LOG_END, LOG_END };
	const char *at;
	struct buf b;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fields[0] = LOG_STR("v", cases[i].value);
		render(LOG_TEXT, fields, NULL, &b);
		at = strstr(buf_str(&b), " v=");
		assert_non_null(at);
		assert_int_equal(
		    strncmp(at + 3, cases[i].text, strlen(cases[i].text)), 0);
		assert_string_equal(at + 3 + strlen(cases[i].text), "\n");
		buf_fini(&b);
		render(LOG_JSON, fields, NULL, &b);
		at = strstr(buf_str(&b), "\"v\":");
		assert_non_null(at);
		assert_int_equal(
		    strncmp(at + 4, cases[i].json, strlen(cases[i].json)), 0);
		assert_string_equal(at + 4 + strlen(cases[i].json), "}\n");
		buf_fini(&b);
	}
}

/* One line, without a control character, that a JSON parser takes. */
static void
check_line(struct buf *b, enum log_format format)
{
	json_t *j;
	size_t i;

	assert_true(b->len > 0 && b->p[b->len - 1] == '\n');
	for (i = 0; i + 1 < b->len; i++)
		assert_true((unsigned char)b->p[i] >= ' ' && b->p[i] != 0x7f);
	if (format == LOG_TEXT)
		return;
	/* "\u0000" is JSON, if only just */
	j = json_loadb(b->p, b->len, JSON_ALLOW_NUL, NULL);
	assert_non_null(j);
	json_decref(j);
}

TEST(test_base_log__any_bytes_make_one_valid_line)
{
	struct log_field fields[2] = { LOG_END, LOG_END };
	char bytes[200];
	unsigned r = 99;
	struct buf b;
	size_t i;
	int round;

	for (round = 0; round < 500; round++) {
		for (i = 0; i < sizeof(bytes); i++) {
			r = r * 1103515245 + 12345;
			bytes[i] = (char)(r >> 16);
		}
		fields[0] = LOG_SLICE(
		    "v", ((struct slice){ bytes, r % sizeof(bytes) }));
		render(LOG_JSON, fields, NULL, &b);
		check_line(&b, LOG_JSON);
		buf_fini(&b);
		render(LOG_TEXT, fields, NULL, &b);
		check_line(&b, LOG_TEXT);
		buf_fini(&b);
	}
}

TEST(test_base_log__cuts_long_values)
{
	char text[3 * LOG_VALUE_MAX];
	struct log_field fields[2] = { LOG_END, LOG_END };
	struct buf b;

	memset(text, 'x', sizeof(text));
	fields[0] = LOG_SLICE("v", ((struct slice){ text, LOG_VALUE_MAX }));
	render(LOG_TEXT, fields, NULL, &b);
	assert_null(strstr(buf_str(&b), "..."));
	buf_fini(&b);
	fields[0] = LOG_SLICE("v", ((struct slice){ text, sizeof(text) }));
	render(LOG_TEXT, fields, NULL, &b);
	assert_non_null(strstr(buf_str(&b), "xxx...\"\n"));
	assert_true(b.len < LOG_VALUE_MAX + 100);
	buf_fini(&b);
	/* even if every byte becomes six */
	memset(text, 1, sizeof(text));
	render(LOG_JSON, fields, NULL, &b);
	check_line(&b, LOG_JSON);
	buf_fini(&b);
}

TEST(test_base_log__too_long_a_line_is_no_line)
{
	struct log_field fields[20];
	char text[LOG_VALUE_MAX];
	struct log_line line = { .message = "m", .fields = fields };
	struct buf b;
	int i;

	memset(text, 1, sizeof(text));
	for (i = 0; i < 19; i++)
		fields[i] =
		    LOG_SLICE("v", ((struct slice){ text, sizeof(text) }));
	fields[19] = LOG_END;
	buf_init(&b, LOG_LINE_MAX);
	assert_int_equal(log_line_write(&line, LOG_TEXT, &b), -1);
	buf_fini(&b);
}

/* Standard error goes to a file from begin() to end(). */
static int
begin(const char *path)
{
	int saved = dup(STDERR_FILENO);
	int fd = file_open(
	    AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600, NULL);

	assert_true(saved >= 0 && fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	file_close(fd);
	return saved;
}

static void
end(int saved, const char *path, struct buf *b)
{
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	log_setup(LOG_INFO, LOG_TEXT);
	buf_init(b, 10000000);
	assert_int_equal(file_read_all(AT_FDCWD, path, b, NULL), 0);
}

TEST(test_base_log__level_decides)
{
	const char *path = unit_temppath("log");
	int saved = begin(path);
	struct buf b;
	int error;

	log_setup(LOG_WARNING, LOG_TEXT);
	log_debug("one", LOG_END);
	log_info("two", LOG_END);
	errno = EXDEV;
	log_warning("three", LOG_END);
	error = errno;
	log_error("four", LOG_END);
	end(saved, path, &b);
	assert_null(strstr(buf_str(&b), "one"));
	assert_null(strstr(buf_str(&b), "two"));
	assert_non_null(strstr(buf_str(&b), " warning three\n"));
	assert_non_null(strstr(buf_str(&b), " error four\n"));
	assert_int_equal(error, EXDEV);
	assert_true(log_is_on(LOG_INFO));
	assert_false(log_is_on(LOG_DEBUG));
	buf_fini(&b);
}

TEST(test_base_log__carries_the_error_and_the_request)
{
	const char *path = unit_temppath("log");
	int saved = begin(path);
	struct err err = ERR_INIT;
	struct buf b;

	err_set(&err, ERR_FILE_NOT_FOUND, "no such file");
	log_set_request("abc1");
	log_info("failed", LOG_ERR(&err), LOG_END);
	log_set_request(NULL);
	log_info("after", LOG_END);
	end(saved, path, &b);
	assert_non_null(strstr(buf_str(&b),
	    " info failed error=\"no such file\" code=file_not_found "
	    "request=abc1\n"));
	assert_non_null(strstr(buf_str(&b), " info after\n"));
	buf_fini(&b);
}

static void *
write_lines(void *arg)
{
	int i;

	log_set_request(arg);
	for (i = 0; i < 300; i++)
		log_info(
		    "line", LOG_INT("n", i), LOG_STR("v", "a\nb"), LOG_END);
	return NULL;
}

TEST(test_base_log__threads_do_not_mix)
{
	static char names[3][2] = { "a", "b", "c" };
	const char *path = unit_temppath("log");
	int saved = begin(path);
	struct slice rest, line;
	pthread_t threads[3];
	int n_lines = 0;
	struct buf b;
	json_t *j;
	int i;

	log_setup(LOG_INFO, LOG_JSON);
	for (i = 0; i < 3; i++)
		thread_start(&(struct thread_options){ .name = "log" },
		    write_lines, names[i], &threads[i], NULL);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	end(saved, path, &b);
	rest = buf_slice(&b);
	while (slice_next(&rest, '\n', &line)) {
		j = json_parse(line.p, line.n, NULL);
		assert_non_null(j);
		assert_non_null(json_object_get(j, "request"));
		json_decref(j);
		n_lines++;
	}
	assert_int_equal(n_lines, 900);
	buf_fini(&b);
}
