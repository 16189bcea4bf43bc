/* SPDX-License-Identifier: MIT */
#ifndef BASE_SETTINGS_PRIV_H
#define BASE_SETTINGS_PRIV_H

/*
 * How the settings are made of their table: for settings*.c, their tests and
 * the fuzz target.
 *
 *	settings_table.c  the rows
 *	settings_value.c  one value: text to member and back
 *	settings.c        where texts come from, strongest first
 *	settings_text.c   what is printed from the table
 */

#include <stddef.h>

#include "base/settings.h"
#include "base/slice.h"

enum settings_kind {
	SETTINGS_STR,      /* char *, NULL when unset */
	SETTINGS_UINT,     /* uint64_t */
	SETTINGS_SIZE,     /* uint64_t, bytes; K M G */
	SETTINGS_DURATION, /* int64_t, ms; ms s m h d */
	SETTINGS_BOOL,     /* bool */
	SETTINGS_CHOICE,   /* int, the index of one of the choices */
};

struct settings_row {
	const char *name;  /* "SERVER_PORT"; the option is --server-port */
	const char *alias; /* stands in where the name is unset; or NULL */
	enum settings_kind kind;
	size_t offset;              /* of the member in struct settings */
	const char *fallback;       /* the default's text, NULL: unset */
	uint64_t min, max;          /* for UINT, SIZE, DURATION; max included */
	const char *const *choices; /* for CHOICE, ends with NULL */
	bool (*is_valid)(struct slice value); /* for STR; may be NULL */
	const char *valid;                    /* for STR: "it must be ..." */
	bool is_secret;                       /* never shown */
	bool is_not_built;                    /* may only have its default */
	const char *arg; /* what the help calls the value */
	const char *help;
};

extern const struct settings_row settings_rows[];
extern const size_t settings_n_rows;

/* "--server-port" without the dashes, for "SERVER_PORT". */
#define SETTINGS_OPTION_SIZE 40
void settings_option_name(const char *name, char ret[SETTINGS_OPTION_SIZE]);

/* Sets the row's member from ${text} (NULL: unset); what was there is not
 * freed.  False, nothing set, when it is not valid. */
bool settings_value_set(
    const struct settings_row *row, struct settings *s, const char *text);
/* Appends the member as text that settings_value_set() takes; nothing when
 * unset. */
void settings_value_print(
    const struct settings_row *row, const struct settings *s, struct buf *b);
bool settings_value_is_unset(
    const struct settings_row *row, const struct settings *s);
bool settings_value_eq(const struct settings_row *row, const struct settings *a,
    const struct settings *b);
void settings_value_fini(const struct settings_row *row, struct settings *s);
/* Appends what the row takes: "a whole number from 0 to 65535". */
void settings_value_describe(const struct settings_row *row, struct buf *b);

/* settings_load() with the file's text instead of its name in ${in}; errors
 * of the file begin with ${path}. */
struct settings_file {
	const char *path;
	struct slice text;
};
int settings_load_text(struct settings *ret_settings,
    const struct settings_input *in, const struct settings_file *file,
    int *ret_nargs, struct err *err);

#endif
