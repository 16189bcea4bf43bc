/* SPDX-License-Identifier: MIT */
#include "base/settings_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

static void *
member(const struct settings_row *row, struct settings *s)
{
	return (char *)s + row->offset;
}

static const void *
const_member(const struct settings_row *row, const struct settings *s)
{
	return (const char *)s + row->offset;
}

static const char *
get_str(const struct settings_row *row, const struct settings *s)
{
	return *(const char *const *)const_member(row, s);
}

void
settings_option_name(const char *name, char ret[SETTINGS_OPTION_SIZE])
{
	size_t i;

	for (i = 0; name[i] != '\0' && i < SETTINGS_OPTION_SIZE - 1; i++) {
		if (name[i] == '_')
			ret[i] = '-';
		else if (name[i] >= 'A' && name[i] <= 'Z')
			ret[i] = (char)(name[i] - 'A' + 'a');
		else
			ret[i] = name[i];
	}
	ret[i] = '\0';
}

/* No value may break out of a line of --print-config or of the log. */
static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

/* An empty text unsets what has no default. */
static bool
set_str(const struct settings_row *row, char **member, const char *text)
{
	if (text == NULL || (text[0] == '\0' && row->fallback == NULL)) {
		*member = NULL;
		return true;
	}
	if (has_control(text) ||
	    (row->is_valid != NULL && !row->is_valid(slice_str(text))))
		return false;
	*member = mem_strdup(text);
	return true;
}

static bool
set_uint(const struct settings_row *row, uint64_t *member, struct slice text)
{
	uint64_t v;
	bool ok;

	ok = row->kind == SETTINGS_SIZE ? num_size(text, row->max, &v)
	                                : num_uint(text, row->max, &v);
	if (!ok || v < row->min)
		return false;
	*member = v;
	return true;
}

static bool
set_duration(const struct settings_row *row, int64_t *member, struct slice text)
{
	int64_t v;

	if (!num_duration(text, (int64_t)row->max, &v) || v < (int64_t)row->min)
		return false;
	*member = v;
	return true;
}

static bool
set_choice(const struct settings_row *row, int *member, struct slice text)
{
	int i;

	for (i = 0; row->choices[i] != NULL; i++) {
		if (slice_eq_nocase(text, row->choices[i])) {
			*member = i;
			return true;
		}
	}
	return false;
}

bool
settings_value_set(
    const struct settings_row *row, struct settings *s, const char *text)
{
	struct slice all = slice_str(text);
	void *m = member(row, s);

	switch (row->kind) {
	case SETTINGS_STR:
		return set_str(row, m, text);
	case SETTINGS_UINT:
	case SETTINGS_SIZE:
		return set_uint(row, m, all);
	case SETTINGS_DURATION:
		return set_duration(row, m, all);
	case SETTINGS_BOOL:
		return num_bool(all, m);
	case SETTINGS_CHOICE:
		return set_choice(row, m, all);
	}
	return false;
}

/* The largest unit that says it exactly. */
static void
print_scaled(uint64_t v, const uint64_t *factors, const char *const *units,
    struct buf *b)
{
	size_t i = 0;

	while (factors[i] > 1 && (v == 0 || v % factors[i] != 0))
		i++;
	buf_printf(b, "%" PRIu64 "%s", v / factors[i], units[i]);
}

static void
print_size(uint64_t v, struct buf *b)
{
	static const uint64_t factors[] = { 1 << 30, 1 << 20, 1 << 10, 1 };
	static const char *const units[] = { "G", "M", "K", "" };

	print_scaled(v, factors, units, b);
}

static void
print_duration(int64_t v, struct buf *b)
{
	static const uint64_t factors[] = { 86400000, 3600000, 60000, 1000, 1 };
	static const char *const units[] = { "d", "h", "m", "s", "ms" };

	if (v == 0)
		buf_append_str(b, "0");
	else
		print_scaled((uint64_t)v, factors, units, b);
}

void
settings_value_print(
    const struct settings_row *row, const struct settings *s, struct buf *b)
{
	const void *m = const_member(row, s);

	switch (row->kind) {
	case SETTINGS_STR:
		if (get_str(row, s) != NULL)
			buf_append_str(b, get_str(row, s));
		break;
	case SETTINGS_UINT:
		buf_printf(b, "%" PRIu64, *(const uint64_t *)m);
		break;
	case SETTINGS_SIZE:
		print_size(*(const uint64_t *)m, b);
		break;
	case SETTINGS_DURATION:
		print_duration(*(const int64_t *)m, b);
		break;
	case SETTINGS_BOOL:
		buf_append_str(b, *(const bool *)m ? "true" : "false");
		break;
	case SETTINGS_CHOICE:
		buf_append_str(b, row->choices[*(const int *)m]);
		break;
	}
}

bool
settings_value_is_unset(
    const struct settings_row *row, const struct settings *s)
{
	return row->kind == SETTINGS_STR && get_str(row, s) == NULL;
}

bool
settings_value_eq(const struct settings_row *row, const struct settings *a,
    const struct settings *b)
{
	const void *ma = const_member(row, a);
	const void *mb = const_member(row, b);

	switch (row->kind) {
	case SETTINGS_STR:
		ma = get_str(row, a);
		mb = get_str(row, b);
		return ma == mb ||
		       (ma != NULL && mb != NULL && strcmp(ma, mb) == 0);
	case SETTINGS_UINT:
	case SETTINGS_SIZE:
		return *(const uint64_t *)ma == *(const uint64_t *)mb;
	case SETTINGS_DURATION:
		return *(const int64_t *)ma == *(const int64_t *)mb;
	case SETTINGS_BOOL:
		return *(const bool *)ma == *(const bool *)mb;
	case SETTINGS_CHOICE:
		return *(const int *)ma == *(const int *)mb;
	}
	return false;
}

void
settings_value_fini(const struct settings_row *row, struct settings *s)
{
	char **m;

	if (row->kind != SETTINGS_STR)
		return;
	m = member(row, s);
	if (row->is_secret && *m != NULL)
		mem_wipe(*m, strlen(*m));
	free(*m);
	*m = NULL;
}

static void
describe_choices(const char *const *choices, struct buf *b)
{
	size_t i;

	for (i = 0; choices[i] != NULL; i++) {
		if (i > 0)
			buf_append_str(
			    b, choices[i + 1] == NULL ? " or " : ", ");
		buf_append_str(b, choices[i]);
	}
}

void
settings_value_describe(const struct settings_row *row, struct buf *b)
{
	switch (row->kind) {
	case SETTINGS_STR:
		buf_append_str(b,
		    row->valid != NULL ? row->valid : "printable characters");
		break;
	case SETTINGS_UINT:
		buf_printf(b, "a whole number from %" PRIu64 " to %" PRIu64,
		    row->min, row->max);
		break;
	case SETTINGS_SIZE:
		buf_printf(b,
		    "a size from %" PRIu64 " to %" PRIu64
		    " bytes, as 64K, 256M or 2G",
		    row->min, row->max);
		break;
	case SETTINGS_DURATION:
		buf_append_str(b, "a time from ");
		print_duration((int64_t)row->min, b);
		buf_append_str(b, " to ");
		print_duration((int64_t)row->max, b);
		buf_append_str(b, ", as 10s, 5m, 24h or 30d");
		break;
	case SETTINGS_BOOL:
		buf_append_str(b, "true or false");
		break;
	case SETTINGS_CHOICE:
		describe_choices(row->choices, b);
		break;
	}
}
