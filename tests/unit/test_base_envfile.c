/* SPDX-License-Identifier: MIT */
#include "base/envfile.h"

#include <string.h>

#include "base/buf.h"
#include "unit.h"

/* Writes what it gets as "line:NAME[value]". */
static int
gather(void *arg, const struct envfile_line *line, struct err *err)
{
	(void)err;
	return buf_printf(
	    arg, "%u:%s[%s]", line->number, line->name, line->value);
}

TEST(test_base_envfile__reads_what_systemd_reads)
{
	static const struct {
		const char *text;
		const char *result;
	} cases[] = {
		{ "", "" },
		{ "\n\n \t\n", "" },
		{ "A=1", "1:A[1]" },
		{ "A=1\nB=2\n", "1:A[1]2:B[2]" },
		{ "A=1\r\nB=2\r\n", "1:A[1]2:B[2]" },
		{ "# A=1\n; B=2\n  # x\nC=3", "4:C[3]" },
		{ "# a comment \\\nC=3", "2:C[3]" },
		{ "A=\nB=2", "1:A[]2:B[2]" },
		{ "  A = b c \t\n", "1:A[b c]" },
		{ "_a1=x", "1:_a1[x]" },
		{ "A=x # no comment", "1:A[x # no comment]" },
		{ "A=b=c", "1:A[b=c]" },
		{ "A=\"b c \"", "1:A[b c ]" },
		{ "A=\"\"", "1:A[]" },
		{ "A=\"a\\\"b\\\\c\\`d\\$e\\nf\"", "1:A[a\"b\\c`d$e\\nf]" },
		{ "A=\"one\ntwo\"\nB=2", "1:A[one\ntwo]3:B[2]" },
		{ "A=\"one\\\ntwo\"\nB=2", "1:A[onetwo]3:B[2]" },
		{ "A='a\\n\"b '\nB=2", "1:A[a\\n\"b ]2:B[2]" },
		{ "A='x'\"y\"z", "1:A[xyz]" },
		{ "A='x' 'y' z w ", "1:A[xyz w]" },
		{ "A=it's", "1:A[it's]" },
		{ "A=one\\\ntwo\nB=2", "1:A[onetwo]3:B[2]" },
		{ "A=a\\ b\\\\c\\\"", "1:A[a b\\c\"]" },
		{ "A=a\\ \n", "1:A[a ]" },
		{ "A=1\nA=2", "1:A[1]2:A[2]" },
		{ "A=\xff\xc3\xa9", "1:A[\xff\xc3\xa9]" },
		{ "A=x\\", "1:A[x]" },
	};
	struct err err = ERR_INIT;
	struct buf b;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&b, 1000);
		if (envfile_parse(slice_str(cases[i].text), gather, &b, &err) <
		    0)
			fail_msg("%s: %s", cases[i].text, err.msg);
		assert_string_equal(buf_str(&b), cases[i].result);
		buf_fini(&b);
	}
}

TEST(test_base_envfile__refuses_and_names_the_line)
{
	static const struct {
		const char *text;
		const char *msg;
	} cases[] = {
		{ "A", "line 1: there is no '=' in it" },
		{ "\n\nA\nB=1", "line 3: there is no '=' in it" },
		{ "=1", "line 1: a name is made of" },
		{ "A B=1", "line 1: a name is made of" },
		{ "1A=1", "line 1: a name is made of" },
		{ "export A=1", "line 1: a name is made of" },
		{ "A-B=1", "line 1: a name is made of" },
		{ "\nA=\"x\n\n", "line 2: its quote does not end" },
		{ "A='x", "line 1: its quote does not end" },
		{ "A=\"x\\\"", "line 1: its quote does not end" },
		{ "A=\"x\\", "line 1: its quote does not end" },
	};
	struct err err = ERR_INIT;
	struct buf b;
	size_t i;

	buf_init(&b, 1000);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    envfile_parse(slice_str(cases[i].text), gather, &b, &err),
		    -1);
		assert_int_equal(err.code, ERR_SETTING);
		assert_int_equal(
		    strncmp(err.msg, cases[i].msg, strlen(cases[i].msg)), 0);
	}
	assert_int_equal(
	    envfile_parse(SLICE_LIT("A=x\0y"), gather, &b, &err), -1);
	assert_int_equal(
	    envfile_parse(SLICE_LIT("A=\"x\\\0\""), gather, &b, &err), -1);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static int
refuse(void *arg, const struct envfile_line *line, struct err *err)
{
	++*(int *)arg;
	return err_set(err, ERR_SETTING, "not '%s'", line->name);
}

TEST(test_base_envfile__ends_when_told)
{
	struct err err = ERR_INIT;
	int calls = 0;

	assert_int_equal(
	    envfile_parse(SLICE_LIT("A=1\nB=2"), refuse, &calls, &err), -1);
	assert_int_equal(calls, 1);
	assert_string_equal(err.msg, "not 'A'");
}
