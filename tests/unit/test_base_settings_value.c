/* SPDX-License-Identifier: MIT */

/* settings_table.c and settings_value.c: what one value may be. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/settings_priv.h"
#include "unit.h"

/* Every default is valid text for its row, and no member has two rows. */
TEST(test_base_settings_value__table_is_sound)
{
	struct settings s = { 0 };
	size_t i, k;

	for (i = 0; i < settings_n_rows; i++) {
		assert_true(settings_value_set(
		    &settings_rows[i], &s, settings_rows[i].fallback));
		assert_non_null(settings_rows[i].help);
		assert_non_null(settings_rows[i].arg);
		assert_true(
		    strlen(settings_rows[i].name) < SETTINGS_OPTION_SIZE);
		for (k = 0; k < i; k++) {
			assert_int_not_equal(
			    settings_rows[i].offset, settings_rows[k].offset);
			assert_string_not_equal(
			    settings_rows[i].name, settings_rows[k].name);
		}
	}
	settings_fini(&s);
}

TEST(test_base_settings_value__cors_origins)
{
	static const char *const good[] = { "*", "localhost",
		"https://a.example", "http://[::1]:8080", "localhost,*",
		"http://a , https://b" };
	static const char *const bad[] = { "", "a.example", "ftp://a",
		"https://", "https://a/", "https://a/b", "https://a b", ",*",
		"*,", "*,,*", "null" };
	struct settings s = { 0 };
	const struct settings_row *row = settings_rows;
	size_t i;

	while (strcmp(row->name, "CORS_ORIGINS") != 0)
		row++;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(settings_value_set(row, &s, good[i]));
		settings_value_fini(row, &s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(settings_value_set(row, &s, bad[i]));
}

TEST(test_base_settings_value__trusted_proxies)
{
	static const char *const good[] = { "192.0.2.1", "10.0.0.0/8, ::1",
		"2001:db8::/32,192.0.2.0/24" };
	static const char *const bad[] = { ",", "proxy.example", "10.0.0.0/33",
		"10.0.0.0/8,", "10.0.0.1:80", "192.0.2.1 192.0.2.2" };
	struct settings s = { 0 };
	const struct settings_row *row = settings_rows;
	size_t i;

	while (strcmp(row->name, "TRUSTED_PROXIES") != 0)
		row++;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(settings_value_set(row, &s, good[i]));
		assert_string_equal(s.trusted_proxies, good[i]);
		settings_value_fini(row, &s);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(settings_value_set(row, &s, bad[i]));
}

TEST(test_base_settings_value__bounds_hold_at_both_ends)
{
	const struct settings_row *row;
	struct settings s = { 0 };
	const char *unit;
	char text[32];
	size_t i;

	for (i = 0; i < settings_n_rows; i++) {
		row = &settings_rows[i];
		unit = row->kind == SETTINGS_DURATION ? "ms" : "";
		if (row->kind != SETTINGS_UINT && row->kind != SETTINGS_SIZE &&
		    row->kind != SETTINGS_DURATION)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64 "%s", row->min, unit);
		assert_true(settings_value_set(row, &s, text));
		snprintf(text, sizeof(text), "%" PRIu64 "%s", row->max, unit);
		assert_true(settings_value_set(row, &s, text));
		snprintf(
		    text, sizeof(text), "%" PRIu64 "%s", row->max + 1, unit);
		assert_false(settings_value_set(row, &s, text));
		snprintf(
		    text, sizeof(text), "%" PRIu64 "%s", row->min - 1, unit);
		/* below 0 it is too large */
		assert_false(settings_value_set(row, &s, text));
	}
}
