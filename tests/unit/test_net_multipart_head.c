/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/multipart_head.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define CD "Content-Disposition: form-data; "
#define NAME CD "name=n"

static const struct {
	const char *content_type;
	const char *boundary; /* NULL: an error */
	enum err_code code;
} types[] = {
	{ "multipart/form-data; boundary=b", "b", ERR_NONE },
	{ "Multipart/Form-Data;BOUNDARY=b", "b", ERR_NONE },
	{ "multipart/form-data; boundary=\"a b:c\"", "a b:c", ERR_NONE },
	{ "multipart/form-data; charset=utf-8; boundary=b;", "b", ERR_NONE },
	{ "multipart/form-data; boundary=\"a\\\"b\"", "a\"b", ERR_NONE },
	{ "multipart/form-data; boundary="
	  "1234567890123456789012345678901234567890123456789012345678"
	  "901234567890",
	    "1234567890123456789012345678901234567890123456789012345678"
	    "901234567890",
	    ERR_NONE },
	{ "multipart/form-data; boundary="
	  "1234567890123456789012345678901234567890123456789012345678"
	  "9012345678901",
	    NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data", NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; x=y", NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary", NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=", NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=\"\"", NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=\"b \"", NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=\"a\tb\"", NULL,
	    ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=\"a\r\nb\"", NULL,
	    ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=\"\xc3\xa4\"", NULL,
	    ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=a b", NULL, ERR_MALFORMED_REQUEST },
	{ "multipart/form-data; boundary=a; boundary=a", NULL,
	    ERR_MALFORMED_REQUEST },
	{ "multipart/form-data boundary=b", NULL, ERR_UNSUPPORTED_MEDIA_TYPE },
	{ "multipart/mixed; boundary=b", NULL, ERR_UNSUPPORTED_MEDIA_TYPE },
	{ "application/x-www-form-urlencoded", NULL,
	    ERR_UNSUPPORTED_MEDIA_TYPE },
	{ "", NULL, ERR_UNSUPPORTED_MEDIA_TYPE },
	{ NULL, NULL, ERR_UNSUPPORTED_MEDIA_TYPE },
};

TEST(test_net_multipart_head__finds_the_boundary)
{
	struct err err;
	char *boundary;
	size_t i;

	for (i = 0; i < COUNT(types); i++) {
		err_clear(&err);
		boundary = NULL;
		multipart_head_boundary(
		    slice_str(types[i].content_type), &boundary, &err);
		if (err.code != types[i].code)
			fail_msg("'%s': %s", types[i].content_type,
			    err_code_name(err.code));
		if (types[i].boundary == NULL)
			assert_null(boundary);
		else
			assert_string_equal(boundary, types[i].boundary);
		free(boundary);
	}
}

TEST(test_net_multipart_head__refuses_a_nul_in_the_boundary)
{
	static const char value[] = "multipart/form-data; boundary=\"a\0b\"";
	struct err err = ERR_INIT;
	char *boundary = NULL;

	assert_int_equal(
	    multipart_head_boundary(
	        (struct slice){ value, sizeof(value) - 1 }, &boundary, &err),
	    -1);
	assert_int_equal(err.code, ERR_MALFORMED_REQUEST);
}

static const struct {
	const char *head;
	const char *name;
	const char *filename;
	const char *content_type;
} heads[] = {
	{ NAME, "n", NULL, NULL },
	{ CD "name=\"n\"", "n", NULL, NULL },
	{ "content-disposition:FORM-DATA;NAME=n", "n", NULL, NULL },
	{ "X-Other: 1\r\n" NAME "; x=y;\r\nContent-Type:  text/plain ", "n",
	    NULL, "text/plain" },
	{ NAME "; filename=\"\"", "n", "", NULL },
	{ NAME "; filename=\"a.txt\"", "n", "a.txt", NULL },
	{ NAME "; filename=a.txt", "n", "a.txt", NULL },
	{ CD "filename=\"a.txt\"; name=n", "n", "a.txt", NULL },
	{ NAME "; filename=\"\xc3\xa4\"", "n", "\xc3\xa4", NULL },
	/* what browsers escape, and nothing else */
	{ NAME "; filename=\"%22%0D%0A\"", "n", "\"\r\n", NULL },
	{ NAME "; filename=\"%20%2F%2e%0d%0a%25%00\"", "n",
	    "%20%2F%2e%0d%0a%25%00", NULL },
	{ NAME "; filename=\"100%\"", "n", "100%", NULL },
	{ CD "name=\"a%22b\"", "a\"b", NULL, NULL },
	/* what others escape */
	{ NAME "; filename=\"a\\\"b\\\\c\"", "n", "a\"b\\c", NULL },
	{ NAME "; filename=\"C:\\x\\a.txt\"", "n", "C:\\x\\a.txt", NULL },
	{ NAME "; filename=\"C:\\\\x\\\\a.txt\"", "n", "C:\\x\\a.txt", NULL },
	{ NAME "; filename=\"a;b=c\"", "n", "a;b=c", NULL },
	/* no name that anybody may have, but one in a sound form */
	{ NAME "; filename=\"a\x01"
	       "b\x7f"
	       "c\t\"",
	    "n", "a\tb\tc\t", NULL },
	/* RFC 8187 */
	{ NAME "; filename*=UTF-8''%C3%A4%20b", "n", "\xc3\xa4 b", NULL },
	{ NAME "; filename*=utf-8'de'%c3%a4", "n", "\xc3\xa4", NULL },
	{ NAME "; filename*=ISO-8859-1''%E4%80x", "n", "\xc3\xa4\xc2\x80x",
	    NULL },
	{ NAME "; filename=a; filename*=UTF-8''b", "n", "b", NULL },
	{ NAME "; filename*=UTF-8''b; filename=a", "n", "b", NULL },
	{ NAME "; filename*=UTF-8''a%22%0D", "n", "a\"\r", NULL },
	{ NAME "; filename*=UTF-8''", "n", "", NULL },
	{ NAME "; filename*=\"UTF-8''a%20b\"", "n", "a b", NULL },
	/* encodings that change nothing */
	{ NAME "\r\nContent-Transfer-Encoding: BINARY", "n", NULL, NULL },
	{ NAME "\r\nContent-Transfer-Encoding: 8bit", "n", NULL, NULL },
	{ NAME "\r\nContent-Transfer-Encoding: 7bit", "n", NULL, NULL },
};

TEST(test_net_multipart_head__reads_names)
{
	struct multipart_head head;
	struct err err = ERR_INIT;
	size_t i;

	for (i = 0; i < COUNT(heads); i++) {
		if (multipart_head_parse(
		        slice_str(heads[i].head), &head, &err) < 0)
			fail_msg("'%s': %s", heads[i].head, err.msg);
		assert_string_equal(head.name, heads[i].name);
		if (heads[i].filename == NULL)
			assert_null(head.filename);
		else
			assert_string_equal(head.filename, heads[i].filename);
		if (heads[i].content_type == NULL)
			assert_null(head.content_type);
		else
			assert_string_equal(
			    head.content_type, heads[i].content_type);
		multipart_head_fini(&head);
	}
}

static const struct {
	const char *head;
	enum err_code code; /* NONE: ERR_MALFORMED_REQUEST */
} bad_heads[] = {
	{ "", 0 },
	{ "Content-Type: text/plain", 0 },
	{ "Content-Disposition: form-data", 0 },
	{ "Content-Disposition: form-data; filename=a", 0 },
	{ CD "name=\"\"", 0 },
	{ "Content-Disposition: attachment; name=n", 0 },
	{ "Content-Disposition: form-data name=n", 0 },
	{ "Content-Disposition: ; name=n", 0 },
	{ "Content-Disposition:", 0 },
	{ NAME "; name=n", 0 },
	{ NAME "; NAME=m", 0 },
	{ NAME "; filename=a; filename=b", 0 },
	{ NAME "; filename*=UTF-8''a; filename*=UTF-8''b", 0 },
	{ NAME "\r\n" NAME, 0 },
	{ NAME "\r\nContent-Type: a/b\r\nContent-Type: a/b", 0 },
	{ CD "name=\"n", 0 },
	{ CD "name=\"n\\\"", 0 },
	{ CD "name=", 0 },
	{ CD "name", 0 },
	{ CD "name =n", 0 },
	{ CD "name=a b", 0 },
	/* lines */
	{ NAME "\nX: y", 0 },
	{ NAME "\rX: y", 0 },
	{ NAME "\r\n folded", 0 },
	{ " " NAME, 0 },
	{ NAME "\r\nX : y", 0 },
	{ NAME "\r\n: y", 0 },
	{ NAME "\r\nX", 0 },
	{ NAME "\r\nX y: z", 0 },
	{ NAME "\r\nX: \x01", 0 },
	{ NAME "\r\nX: \x7f", 0 },
	{ NAME "; filename=\"a\t\"\r\nX: \x7f", 0 },
	{ NAME "; filename=\"a\nb\"", 0 },
	{ NAME "; filename=\"a\rb\"", 0 },
	{ CD "name=\"n\x01\"", 0 },
	{ CD "name=\"n\x01\"; filename=a", 0 },
	/* encodings that change something */
	{ NAME "\r\nContent-Transfer-Encoding: base64", 0 },
	{ NAME "\r\nContent-Transfer-Encoding: quoted-printable", 0 },
	{ NAME "\r\nContent-Transfer-Encoding:", 0 },
	{ NAME "\r\nContent-Transfer-Encoding: 8bit"
	       "\r\nContent-Transfer-Encoding: 8bit",
	    0 },
	/* RFC 8187 */
	{ NAME "; filename*=a", 0 },
	{ NAME "; filename*=''a", 0 },
	{ NAME "; filename*=UTF-8'a", 0 },
	{ NAME "; filename*=UTF-8''a'b", 0 },
	{ NAME "; filename*=UTF-8''%", 0 },
	{ NAME "; filename*=UTF-8''%4x", 0 },
	{ NAME "; filename*=UTF-16''%00a", 0 },
	{ NAME "; filename=ok; filename*=UTF-8''%4x", 0 },
	{ NAME "; filename*=UTF-8''%E4", ERR_INVALID_FILENAME },
	{ NAME "; filename*=UTF-8''%C0%AF", ERR_INVALID_FILENAME },
	{ NAME "; filename*=UTF-8''a%00b", ERR_INVALID_FILENAME },
	{ NAME "; filename*=ISO-8859-1''%00", ERR_INVALID_FILENAME },
};

TEST(test_net_multipart_head__refuses)
{
	struct multipart_head head = { 0 };
	enum err_code code;
	struct err err;
	size_t i;

	for (i = 0; i < COUNT(bad_heads); i++) {
		err_clear(&err);
		code = bad_heads[i].code;
		if (code == ERR_NONE)
			code = ERR_MALFORMED_REQUEST;
		if (multipart_head_parse(
		        slice_str(bad_heads[i].head), &head, &err) == 0)
			fail_msg("'%s' was taken", bad_heads[i].head);
		if (err.code != code)
			fail_msg("'%s': %s", bad_heads[i].head, err.msg);
		assert_null(head.name);
	}
}

TEST(test_net_multipart_head__refuses_a_nul)
{
	static const char head[] = CD "name=\"a\0b\"";
	struct multipart_head parsed = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(
	    multipart_head_parse(
	        (struct slice){ head, sizeof(head) - 1 }, &parsed, &err),
	    -1);
	assert_int_equal(err.code, ERR_MALFORMED_REQUEST);
}

/* ${n} fields beside the one that is needed. */
static int
parse_flood(size_t n)
{
	struct multipart_head head;
	struct err err = ERR_INIT;
	struct buf b;
	int rc;

	buf_init(&b, 10000);
	buf_append_str(&b, NAME);
	while (n-- > 0)
		buf_append_str(&b, "\r\nX: y");
	rc = multipart_head_parse(buf_slice(&b), &head, &err);
	if (rc == 0)
		multipart_head_fini(&head);
	else
		assert_int_equal(err.code, ERR_MALFORMED_REQUEST);
	buf_fini(&b);
	return rc;
}

TEST(test_net_multipart_head__bounds_the_fields)
{
	assert_int_equal(parse_flood(31), 0);
	assert_int_equal(parse_flood(32), -1);
}
