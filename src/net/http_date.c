/* SPDX-License-Identifier: MIT */
#include "net/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* What a four-digit year can say: 0000-01-01 to 9999-12-31. */
#define EARLIEST (-62167219200)
#define LATEST 253402300799

static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday",
	"Thursday", "Friday", "Saturday" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void
http_date(int64_t unix_s, char ret[HTTP_DATE_SIZE])
{
	struct tm tm;
	time_t t;

	if (unix_s < EARLIEST)
		unix_s = EARLIEST;
	if (unix_s > LATEST)
		unix_s = LATEST;
	t = (time_t)unix_s;
	gmtime_r(&t, &tm);
	/* Not strftime(): names must not follow the locale.  The masks say to
	 * the compiler how long the numbers are. */
	snprintf(ret, HTTP_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
	    days[tm.tm_wday], (unsigned)tm.tm_mday % 100u, months[tm.tm_mon],
	    (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
	    (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}

/* What a format has found; the weekday is checked against the rest. */
struct date {
	struct tm tm;
	int weekday;
	bool has_century;
};

static bool
take_digits(struct slice *s, size_t n, int *ret)
{
	int value = 0;
	size_t i;

	if (s->n < n)
		return false;
	for (i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		value = value * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= n;
	*ret = value;
	return true;
}

static bool
take_text(struct slice *s, const char *text)
{
	size_t n = strlen(text);

	if (!slice_starts(*s, text))
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

/* A weekday's first three letters, or all of them when ${whole}. */
static bool
take_weekday(struct slice *s, bool whole, int *ret)
{
	char name[4];
	int i;

	for (i = 0; i < 7; i++) {
		snprintf(name, sizeof(name), "%.3s", days[i]);
		if (take_text(s, whole ? days[i] : name)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool
take_month(struct slice *s, int *ret)
{
	int i;

	for (i = 0; i < 12; i++) {
		if (take_text(s, months[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* asctime() pads the day with a space. */
static bool
take_asctime_day(struct slice *s, int *ret)
{
	return take_text(s, " ") ? take_digits(s, 1, ret)
	                         : take_digits(s, 2, ret);
}

static bool
take_time(struct slice *s, struct tm *tm)
{
	return take_digits(s, 2, &tm->tm_hour) && take_text(s, ":") &&
	       take_digits(s, 2, &tm->tm_min) && take_text(s, ":") &&
	       take_digits(s, 2, &tm->tm_sec);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool
imf_fixdate(struct slice s, struct date *d)
{
	d->has_century = true;
	return take_weekday(&s, false, &d->weekday) && take_text(&s, ", ") &&
	       take_digits(&s, 2, &d->tm.tm_mday) && take_text(&s, " ") &&
	       take_month(&s, &d->tm.tm_mon) && take_text(&s, " ") &&
	       take_digits(&s, 4, &d->tm.tm_year) && take_text(&s, " ") &&
	       take_time(&s, &d->tm) && slice_eq_str(s, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool
rfc850_date(struct slice s, struct date *d)
{
	d->has_century = false;
	return take_weekday(&s, true, &d->weekday) && take_text(&s, ", ") &&
	       take_digits(&s, 2, &d->tm.tm_mday) && take_text(&s, "-") &&
	       take_month(&s, &d->tm.tm_mon) && take_text(&s, "-") &&
	       take_digits(&s, 2, &d->tm.tm_year) && take_text(&s, " ") &&
	       take_time(&s, &d->tm) && slice_eq_str(s, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static bool
asctime_date(struct slice s, struct date *d)
{
	d->has_century = true;
	return take_weekday(&s, false, &d->weekday) && take_text(&s, " ") &&
	       take_month(&s, &d->tm.tm_mon) && take_text(&s, " ") &&
	       take_asctime_day(&s, &d->tm.tm_mday) && take_text(&s, " ") &&
	       take_time(&s, &d->tm) && take_text(&s, " ") &&
	       take_digits(&s, 4, &d->tm.tm_year) && s.n == 0;
}

/* The moment, when it is a date of the calendar on its weekday in ${year}. */
static bool
date_in_year(const struct date *d, int year, int64_t *ret_unix_s)
{
	struct tm tm = d->tm;
	time_t t;

	/* A minute may have a leap second. */
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	t = timegm(&tm);
	/* timegm() makes 3 March of 31 February. */
	if (tm.tm_mday != d->tm.tm_mday || tm.tm_mon != d->tm.tm_mon ||
	    tm.tm_wday != d->weekday)
		return false;
	*ret_unix_s = (int64_t)t + (int64_t)d->tm.tm_hour * 3600 +
	              (int64_t)d->tm.tm_min * 60 + d->tm.tm_sec;
	return true;
}

bool
http_date_parse(struct slice text, int64_t *ret_unix_s)
{
	static bool (*const formats[])(struct slice, struct date *) = {
		imf_fixdate,
		rfc850_date,
		asctime_date,
	};
	struct date d;
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		memset(&d, 0, sizeof(d));
		if (!formats[i](text, &d))
			continue;
		if (d.has_century)
			return date_in_year(&d, d.tm.tm_year, ret_unix_s);
		return date_in_year(&d, 2000 + d.tm.tm_year, ret_unix_s) ||
		       date_in_year(&d, 1900 + d.tm.tm_year, ret_unix_s);
	}
	return false;
}
