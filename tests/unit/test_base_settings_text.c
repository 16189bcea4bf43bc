/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/settings_priv.h"
#include "unit.h"

static void
load(const char *text, struct settings *ret_settings)
{
	struct settings_file file = { "file", slice_str(text) };
	struct settings_input in = { 0 };
	struct err err = ERR_INIT;
	int nargs;

	if (settings_load_text(ret_settings, &in, &file, &nargs, &err) < 0)
		fail_msg("%s", err.msg);
}

/* ${b} in place with every "\\-" of roff as "-". */
static const char *
unescaped(struct buf *b)
{
	char *at = b->p;

	(void)buf_str(b);
	while ((at = strstr(at, "\\-")) != NULL)
		memmove(at, at + 1, strlen(at));
	b->len = strlen(b->p);
	return b->p;
}

/* What --print-config says is a file that says the same again. */
TEST(test_base_settings_text__print_can_be_loaded)
{
	static const char text[] =
	    "SERVER_PORT=0\nMAX_FILE_SIZE=1025\nIDLE_TIMEOUT=90s\n"
	    "HEADER_TIMEOUT=1234ms\nLOG_LEVEL=error\n"
	    "UPLOAD_DIR=\"a \\\"b\\\" \\\\ \\$c `d` 'e' #f \xff\"\n"
	    "LOG_FILE='  '\nADMIN_API_KEY=0123456789abcdef"
	    "\nDURABILITY=relaxed\nMIN_FREE_SPACE=0\n"
	    "SHUTDOWN_GRACE=0\nREQUIRE_API_KEY=true";
	struct settings one, two;
	struct buf a, b;
	char *mask;

	buf_init(&a, 100000);
	buf_init(&b, 100000);
	load(text, &one);
	settings_print(&one, &a);
	load(buf_str(&a), &two);
	assert_string_equal(two.upload_dir, "a \"b\" \\ $c `d` 'e' #f \xff");
	assert_string_equal(two.log_file, "  ");
	assert_int_equal(two.header_timeout, 1234);
	assert_int_equal(two.max_file_size, 1025);
	assert_null(two.admin_api_key);
	settings_fini(&one);
	settings_print(&two, &b);
	settings_fini(&two);
	/* but for the secret, which the file does not hold */
	mask = strstr(buf_str(&a), "********");
	assert_non_null(mask);
	memmove(mask, mask + 8, strlen(mask + 8) + 1);
	assert_string_equal(a.p, buf_str(&b));
	buf_fini(&a);
	buf_fini(&b);
}

TEST(test_base_settings_text__sample_holds_the_defaults)
{
	struct settings s;
	struct buf a, b, text;
	char *at;

	buf_init(&text, 100000);
	buf_init(&a, 100000);
	buf_init(&b, 100000);
	settings_sample(&text);
	/* uncomment what is "#NAME=value" */
	(void)buf_str(&text);
	for (at = text.p; (at = strstr(at, "\n#")) != NULL; at++) {
		if (at[2] != ' ')
			at[1] = ' ';
	}
	load(buf_str(&text), &s);
	settings_print(&s, &a);
	settings_fini(&s);
	load("", &s);
	settings_print(&s, &b);
	settings_fini(&s);
	assert_string_equal(buf_str(&a), buf_str(&b));
	buf_fini(&text);
	buf_fini(&a);
	buf_fini(&b);
}

TEST(test_base_settings_text__help_names_every_option_within_80_columns)
{
	char option[SETTINGS_OPTION_SIZE];
	struct slice rest, line;
	struct buf b;
	size_t i;

	buf_init(&b, 100000);
	settings_help(&b);
	for (i = 0; i < settings_n_rows; i++) {
		settings_option_name(settings_rows[i].name, option);
		assert_non_null(strstr(buf_str(&b), option));
	}
	rest = buf_slice(&b);
	while (slice_next(&rest, '\n', &line))
		assert_true(line.n < 80);
	assert_non_null(strstr(buf_str(&b), "--server-host HOST"));
	assert_non_null(strstr(buf_str(&b), "(default 8080)"));
	buf_fini(&b);
}

/* What the table says of every setting stands in all that is made of it. */
TEST(test_base_settings_text__every_setting_stands_everywhere)
{
	const struct settings_row *row;
	char option[SETTINGS_OPTION_SIZE];
	struct buf man, sample, want;
	size_t i;

	buf_init(&man, 100000);
	buf_init(&sample, 100000);
	buf_init(&want, 1000);
	settings_man(&man);
	settings_sample(&sample);
	for (i = 0; i < settings_n_rows; i++) {
		row = &settings_rows[i];
		buf_clear(&want);
		buf_printf(&want, "\n#%s=%s\n", row->name,
		    row->fallback == NULL ? "" : row->fallback);
		assert_non_null(strstr(buf_str(&sample), buf_str(&want)));

		settings_option_name(row->name, option);
		buf_clear(&want);
		buf_printf(&want, "\\fB%s\\fR, \\fB--%s\\fR \\fI%s\\fR\n",
		    row->name, option, row->arg);
		assert_non_null(strstr(unescaped(&man), buf_str(&want)));
	}
	assert_non_null(strstr(buf_str(&man), "Default: \\fB8080\\fR.\n"));
	assert_non_null(strstr(buf_str(&man), " No default.\n"));
	buf_fini(&man);
	buf_fini(&sample);
	buf_fini(&want);
}

/* Every line is a macro of ours or text: nothing of the table can be read as
 * a command. */
TEST(test_base_settings_text__man_holds_only_our_macros)
{
	struct slice rest, line;
	struct buf b;

	buf_init(&b, 100000);
	settings_man(&b);
	rest = buf_slice(&b);
	while (slice_next(&rest, '\n', &line)) {
		if (line.n == 0)
			continue;
		if (slice_eq_str(line, ".TP") || slice_eq_str(line, ".br"))
			continue;
		assert_true(line.p[0] != '.' && line.p[0] != '\'');
	}
	buf_fini(&b);
}

TEST(test_base_settings_text__says_what_cannot_be_changed_yet)
{
	static const struct {
		void (*print)(struct buf *b);
		const char *says;
	} cases[] = {
		{ settings_help, "sqlite:; cannot be changed" },
		{ settings_sample, "It cannot be changed yet." },
		{ settings_man, "It cannot be changed yet." },
	};
	struct buf b;
	size_t i;

	buf_init(&b, 100000);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		cases[i].print(&b);
		assert_non_null(strstr(buf_str(&b), cases[i].says));
	}
	buf_fini(&b);
}
