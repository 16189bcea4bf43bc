/* SPDX-License-Identifier: MIT */
#include "engine/pins.h"

#include <string.h>

#include "unit.h"

static void
note(void *arg, const char *blob_id)
{
	assert_string_equal(blob_id, "a");
	++*(int *)arg;
}

TEST(test_engine_pins__count)
{
	struct pins *p = pins_new();
	int called = 0;

	pins_take(p, "a");
	pins_take(p, "a");
	pins_drop(p, "a");
	assert_true(pins_holds(p, "a"));
	assert_false(pins_holds(p, "b"));
	assert_false(pins_unless(p, "a", note, &called));
	assert_int_equal(called, 0);
	pins_drop(p, "a");
	assert_false(pins_holds(p, "a"));
	assert_true(pins_unless(p, "a", note, &called));
	assert_int_equal(called, 1);
	pins_free(p);
}
