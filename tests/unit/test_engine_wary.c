/* SPDX-License-Identifier: MIT */
#include "engine/wary.h"

#include <stdio.h>

#include "unit.h"

TEST(test_engine_wary__tells_each_change_once)
{
	static const struct {
		enum health_quality quality;
		enum wary_change change;
	} steps[] = {
		{ HEALTH_GOOD, WARY_SAME },
		{ HEALTH_POOR, WARY_SAME },
		{ HEALTH_FAIR, WARY_SAME },
		{ HEALTH_POOR, WARY_SAME },
		{ HEALTH_GOOD, WARY_SAME },
		{ HEALTH_POOR, WARY_SAME },
		{ HEALTH_POOR, WARY_UNSTABLE },
		{ HEALTH_POOR, WARY_SAME },
		{ HEALTH_FAIR, WARY_SAME },
		{ HEALTH_POOR, WARY_SAME },
		{ HEALTH_GOOD, WARY_RECOVERED },
		{ HEALTH_EXCELLENT, WARY_SAME },
		{ HEALTH_POOR, WARY_SAME },
		{ HEALTH_POOR, WARY_UNSTABLE },
		{ HEALTH_EXCELLENT, WARY_RECOVERED },
	};
	struct wary *w = wary_new();

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(wary_note(w, "10.0.0.1", steps[i].quality),
		    steps[i].change);
		assert_int_equal(
		    wary_note(w, "10.0.0.2", HEALTH_GOOD), WARY_SAME);
	}
	wary_free(w);
	wary_free(NULL);
}

TEST(test_engine_wary__one_too_many_takes_the_place_of_the_oldest)
{
	struct wary *w = wary_new();
	char ip[32];

	for (unsigned i = 0; i < WARY_MAX; i++) {
		(void)snprintf(ip, sizeof(ip), "10.0.1.%u", i);
		assert_int_equal(wary_note(w, ip, HEALTH_POOR), WARY_SAME);
		assert_int_equal(wary_note(w, ip, HEALTH_POOR), WARY_UNSTABLE);
	}
	assert_int_equal(wary_note(w, "10.0.1.0", HEALTH_POOR), WARY_SAME);
	assert_int_equal(wary_note(w, "::1", HEALTH_POOR), WARY_SAME);
	assert_int_equal(wary_note(w, "::1", HEALTH_POOR), WARY_UNSTABLE);
	/* "10.0.1.0" was heard of since, so it was the next one */
	assert_int_equal(wary_note(w, "10.0.1.0", HEALTH_POOR), WARY_SAME);
	assert_int_equal(wary_note(w, "10.0.1.1", HEALTH_GOOD), WARY_SAME);
	assert_int_equal(wary_note(w, "10.0.1.2", HEALTH_GOOD), WARY_RECOVERED);
	wary_free(w);
}
