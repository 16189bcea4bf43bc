/* SPDX-License-Identifier: MIT */
#include "base/num.h"

/* Digits of ${base} at the front of ${s}, at least one, at most ${max}; the
 * rest stays in ${s}. */
static bool
digits(struct slice *s, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;
	unsigned d;
	char c;

	for (i = 0; i < s->n; i++) {
		c = s->p[i];
		if (c >= '0' && c <= '9')
			d = (unsigned)(c - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			d = (unsigned)(c - 'a') + 10;
		else if (base == 16 && c >= 'A' && c <= 'F')
			d = (unsigned)(c - 'A') + 10;
		else
			break;
		if (d > max || v > (max - d) / base)
			return false;
		v = v * base + d;
	}
	if (i == 0)
		return false;
	s->p += i;
	s->n -= i;
	*ret = v;
	return true;
}

static bool
whole(struct slice s, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t v;

	if (!digits(&s, base, max, &v) || s.n > 0)
		return false;
	*ret = v;
	return true;
}

bool
num_uint(struct slice s, uint64_t max, uint64_t *ret)
{
	return whole(s, 10, max, ret);
}

bool
num_hex(struct slice s, uint64_t max, uint64_t *ret)
{
	return whole(s, 16, max, ret);
}

bool
num_int(struct slice s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t size;
	int64_t v;

	if (negative) {
		s.p++;
		s.n--;
	}
	if (!whole(s, 10, (uint64_t)INT64_MAX + negative, &size))
		return false;
	if (!negative)
		v = (int64_t)size;
	else if (size == 0)
		v = 0;
	else
		v = -(int64_t)(size - 1) - 1; /* INT64_MIN, too */
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}

/* ${v} * ${factor} when that is at most ${max}. */
static bool
scale(uint64_t v, uint64_t factor, uint64_t max, uint64_t *ret)
{
	if (v > max / factor)
		return false;
	*ret = v * factor;
	return true;
}

bool
num_size(struct slice s, uint64_t max, uint64_t *ret)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = {
		{ "", 1 },
		{ "K", UINT64_C(1) << 10 },
		{ "M", UINT64_C(1) << 20 },
		{ "G", UINT64_C(1) << 30 },
	};
	uint64_t v;
	size_t i;

	if (!digits(&s, 10, UINT64_MAX, &v))
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (slice_eq_str(s, units[i].suffix))
			return scale(v, units[i].factor, max, ret);
	}
	return false;
}

bool
num_duration(struct slice s, int64_t max_ms, int64_t *ret_ms)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = {
		{ "", 1000 },
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60 * 1000 },
		{ "h", 60 * 60 * 1000 },
		{ "d", 24 * 60 * 60 * 1000 },
	};
	uint64_t v;
	size_t i;

	if (max_ms < 0 || !digits(&s, 10, UINT64_MAX, &v))
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!slice_eq_str(s, units[i].suffix))
			continue;
		if (!scale(v, units[i].ms, (uint64_t)max_ms, &v))
			return false;
		*ret_ms = (int64_t)v;
		return true;
	}
	return false;
}

bool
num_bool(struct slice s, bool *ret)
{
	static const char *const yes[] = { "true", "1", "yes", "on" };
	static const char *const no[] = { "false", "0", "no", "off" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (slice_eq_nocase(s, yes[i])) {
			*ret = true;
			return true;
		}
		if (slice_eq_nocase(s, no[i])) {
			*ret = false;
			return true;
		}
	}
	return false;
}
