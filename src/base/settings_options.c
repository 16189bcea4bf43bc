/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/settings_priv.h"

/* "full|relaxed", for the caller to free; NULL when the row takes more than
 * a few words. */
static char *
words_of(const struct settings_row *row)
{
	struct buf b;
	size_t i;

	if (row->kind == SETTINGS_BOOL)
		return mem_strdup("true|false");
	if (row->kind != SETTINGS_CHOICE)
		return NULL;
	buf_init(&b, SIZE_MAX);
	for (i = 0; row->choices[i] != NULL; i++)
		buf_printf(&b, "%s%s", i == 0 ? "" : "|", row->choices[i]);
	return buf_take(&b);
}

/* "the port to listen on ... (default 8080)" */
static char *
help_text(const struct settings_row *row)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	buf_append_str(&b, row->help);
	if (row->kind == SETTINGS_CHOICE) {
		buf_append_str(&b, ": ");
		settings_value_describe(row, &b);
	}
	if (row->fallback != NULL)
		buf_printf(&b, " (default %s%s)", row->fallback,
		    row->is_not_built ? "; cannot be changed yet" : "");
	return buf_take(&b);
}

static void
fill(struct opt *o, const struct settings_row *row)
{
	char name[SETTINGS_OPTION_SIZE];
	char *words = words_of(row);
	struct opt_choice *choice;

	settings_option_name(row->name, name);
	o->name = mem_strdup(name);
	o->help = help_text(row);
	o->arg = row->arg;
	o->kind = OPT_STR;
	if (words == NULL)
		return;
	choice = mem_calloc(1, sizeof(*choice));
	choice->words = words;
	o->kind = OPT_CHOICE;
	o->value = choice;
}

struct opt *
settings_options(void)
{
	struct opt *table;
	size_t i;

	table = mem_calloc(settings_n_rows + 1, sizeof(table[0]));
	for (i = 0; i < settings_n_rows; i++)
		fill(&table[i], &settings_rows[i]);
	return table;
}

void
settings_options_free(struct opt *table)
{
	struct opt_choice *choice;
	struct opt *o;

	for (o = table; o->name != NULL; o++) {
		choice = o->value;
		if (choice != NULL)
			free((char *)choice->words);
		free(choice);
		free((char *)o->name);
		free((char *)o->help);
	}
	free(table);
}
