/* SPDX-License-Identifier: MIT */
#include "base/settings_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"

#define WIDTH 78

/* As envfile.h reads it: quoted where it would not stand as it is. */
static void
print_quoted(const char *text, struct buf *b)
{
	static const char harmless[] = "0123456789-_.:/+@%,*"
	                               "abcdefghijklmnopqrstuvwxyz"
	                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (text[strspn(text, harmless)] == '\0') {
		buf_append_str(b, text);
		return;
	}
	buf_append_char(b, '"');
	for (; *text != '\0'; text++) {
		if (strchr("\"\\`$", *text) != NULL)
			buf_append_char(b, '\\');
		buf_append_char(b, *text);
	}
	buf_append_char(b, '"');
}

static void
print_row(
    const struct settings_row *row, const struct settings *s, struct buf *b)
{
	struct buf value;

	if (row->is_secret) {
		buf_printf(b, "#%s=%s\n", row->name,
		    settings_value_is_unset(row, s) ? "" : "********");
		return;
	}
	buf_init(&value, SIZE_MAX);
	settings_value_print(row, s, &value);
	buf_printf(b, "%s=", row->name);
	print_quoted(buf_str(&value), b);
	buf_append_char(b, '\n');
	buf_fini(&value);
}

void
settings_print(const struct settings *s, struct buf *b)
{
	size_t i;

	for (i = 0; i < settings_n_rows; i++)
		print_row(&settings_rows[i], s, b);
}

void
settings_help(struct buf *b)
{
	struct opt *table = settings_options();

	opt_help(table, b);
	settings_options_free(table);
}

/* A sentence about what a version without the row's part takes, "" when the
 * part is built. */
static const char *
not_built_text(const struct settings_row *row)
{
	return row->is_not_built ? " It cannot be changed yet." : "";
}

/* ${text} as comment lines. */
static void
print_comment(const char *text, struct buf *b)
{
	struct slice rest = slice_str(text);
	struct slice word;
	size_t column = 0;

	while (slice_next(&rest, ' ', &word)) {
		if (column == 0 || column + 1 + word.n > WIDTH) {
			buf_append_str(b, column == 0 ? "#" : "\n#");
			column = 1;
		}
		buf_append_char(b, ' ');
		buf_append_slice(b, word);
		column += 1 + word.n;
	}
	buf_append_char(b, '\n');
}

void
settings_sample(struct buf *b)
{
	const struct settings_row *row;
	struct buf text;
	size_t i;

	print_comment("The settings of sftd with their defaults, for sftd "
	              "--config FILE or a systemd EnvironmentFile. The "
	              "environment wins over this file, options win over "
	              "both.",
	    b);
	buf_init(&text, SIZE_MAX);
	for (i = 0; i < settings_n_rows; i++) {
		row = &settings_rows[i];
		buf_append_char(b, '\n');
		print_comment(row->help, b);
		buf_clear(&text);
		buf_append_str(&text, "Value: ");
		settings_value_describe(row, &text);
		if (row->is_not_built)
			buf_printf(&text, ".%s", not_built_text(row));
		print_comment(buf_str(&text), b);
		buf_printf(b, "#%s=%s\n", row->name,
		    row->fallback == NULL ? "" : row->fallback);
	}
	buf_fini(&text);
}

/* ${text} so that roff shows it as it is, also at the begin of a line. */
static void
man_text(const char *text, struct buf *b)
{
	if (*text == '.')
		buf_append_str(b, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			buf_append_str(b, "\\e");
		else if (*text == '-')
			buf_append_str(b, "\\-");
		else if (*text == '\'')
			buf_append_str(b, "\\(aq");
		else
			buf_append_char(b, *text);
	}
}

/* A help text, as a sentence. */
static void
man_sentence(const char *text, struct buf *b)
{
	char first = *text;

	if (first >= 'a' && first <= 'z') {
		buf_append_char(b, (char)(first - 'a' + 'A'));
		text++;
	}
	man_text(text, b);
	buf_append_str(b, ".\n");
}

static void
man_row(const struct settings_row *row, struct buf *b)
{
	char option[SETTINGS_OPTION_SIZE];
	struct buf value;

	settings_option_name(row->name, option);
	buf_printf(b, ".TP\n\\fB%s\\fR, \\fB\\-\\-", row->name);
	man_text(option, b);
	buf_printf(b, "\\fR \\fI%s\\fR\n", row->arg);
	man_sentence(row->help, b);

	buf_init(&value, SIZE_MAX);
	settings_value_describe(row, &value);
	buf_append_str(b, ".br\nValue: ");
	man_text(buf_str(&value), b);
	buf_append_char(b, '.');
	buf_fini(&value);
	if (row->fallback == NULL) {
		buf_append_str(b, " No default.");
	} else {
		buf_append_str(b, " Default: \\fB");
		man_text(row->fallback, b);
		buf_append_str(b, "\\fR.");
	}
	buf_printf(b, "%s\n", not_built_text(row));
}

void
settings_man(struct buf *b)
{
	size_t i;

	for (i = 0; i < settings_n_rows; i++)
		man_row(&settings_rows[i], b);
}
