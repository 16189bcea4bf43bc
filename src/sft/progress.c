/* SPDX-License-Identifier: MIT */
#include "sft/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "sft/rate.h"
#include "sft/term.h"
#include "sft/text.h"

#define BAR_EVERY_MS 100
#define LINES_EVERY_MS 5000
#define LINE_MAX_BYTES 8192u
/* What is smaller tells of the answer's time, not of the line. */
#define RATE_FROM_BYTES (1024u * 1024)

/* "  45%" */
#define PERCENT_COLUMNS 5
/* "  1023.9 KiB" */
#define SIZE_COLUMNS 12
/* "  1023.9 KiB/s" */
#define RATE_COLUMNS 14
/* "  59:59:59 left" */
#define LEFT_COLUMNS 15
#define BAR_MIN 10
#define LABEL_MIN 8

/* To the line's beginning, and all behind it away. */
#define ERASE_LINE "\r\033[K"

struct progress {
	pthread_mutex_t lock; /* over all that changes */
	enum progress_mode mode;
	int fd;
	const struct clock *clock;
	char *label; /* NULL: no file under way */
	uint64_t done;
	uint64_t skipped; /* of done: what was there before */
	uint64_t moved;   /* whether it counted or not */
	uint64_t total;
	int64_t begin_ms;
	int64_t end_ms;
	int64_t drawn_ms;
	bool is_visible;
	struct rate rate;
};

struct progress *
progress_new(enum progress_mode mode, int fd, const struct clock *clock)
{
	struct progress *p = mem_calloc(1, sizeof(*p));

	p->mode = mode;
	p->fd = fd;
	p->clock = clock;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	progress_end(p);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
progress_begin(struct progress *p, const char *label, uint64_t total)
{
	int64_t now = clock_mono_ms(p->clock);

	progress_end(p);
	p->label = mem_strdup(label);
	p->done = 0;
	p->skipped = 0;
	p->moved = 0;
	p->total = total;
	p->begin_ms = now;
	/* A bar shows at once; a line only for what takes its time. */
	p->drawn_ms = p->mode == PROGRESS_BAR ? now - BAR_EVERY_MS : now;
	rate_init(&p->rate, now);
}

void
progress_expect(struct progress *p, uint64_t total)
{
	pthread_mutex_lock(&p->lock);
	p->total = total;
	pthread_mutex_unlock(&p->lock);
}

void
progress_add(struct progress *p, uint64_t n)
{
	pthread_mutex_lock(&p->lock);
	p->done += n;
	p->moved += n;
	rate_note(&p->rate, clock_mono_ms(p->clock), p->moved);
	pthread_mutex_unlock(&p->lock);
}

void
progress_skip(struct progress *p, uint64_t n)
{
	pthread_mutex_lock(&p->lock);
	p->done += n;
	p->skipped += n;
	pthread_mutex_unlock(&p->lock);
}

void
progress_take_back(struct progress *p, uint64_t n)
{
	pthread_mutex_lock(&p->lock);
	p->done -= n < p->done ? n : p->done;
	pthread_mutex_unlock(&p->lock);
}

void
progress_restart(struct progress *p)
{
	pthread_mutex_lock(&p->lock);
	p->done = 0;
	p->skipped = 0;
	p->moved = 0;
	rate_init(&p->rate, clock_mono_ms(p->clock));
	pthread_mutex_unlock(&p->lock);
}

static void
put(struct progress *p, struct buf *b)
{
	/* A terminal that went away stops no transfer. */
	(void)file_write_all(p->fd, b->p, b->len, NULL);
}

static void
draw(struct progress *p, int64_t now)
{
	struct progress_view v = {
		.label = p->label,
		.done = p->done,
		.total = p->total,
		.bps = rate_bps(&p->rate, now, p->moved),
		.elapsed_s = (uint64_t)(now - p->begin_ms) / 1000,
	};
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	if (p->mode == PROGRESS_BAR) {
		buf_append_str(&b, ERASE_LINE);
		/* one column stays free: some terminals wrap at the last */
		progress_bar(&v, term_columns(p->fd) - 1, &b);
		p->is_visible = true;
	} else {
		progress_line(&v, &b);
		buf_append_char(&b, '\n');
	}
	put(p, &b);
	buf_fini(&b);
	p->drawn_ms = now;
}

/* Under the lock, as the next. */
static void
tick(struct progress *p)
{
	int64_t now, every;

	if (p->label == NULL || p->mode == PROGRESS_NONE)
		return;
	now = clock_mono_ms(p->clock);
	every = p->mode == PROGRESS_BAR ? BAR_EVERY_MS : LINES_EVERY_MS;
	rate_note(&p->rate, now, p->moved);
	if (now - p->drawn_ms >= every)
		draw(p, now);
}

void
progress_tick(struct progress *p)
{
	pthread_mutex_lock(&p->lock);
	tick(p);
	pthread_mutex_unlock(&p->lock);
}

static void
hide(struct progress *p)
{
	if (!p->is_visible)
		return;
	(void)file_write_all(p->fd, ERASE_LINE, sizeof(ERASE_LINE) - 1, NULL);
	p->is_visible = false;
}

void
progress_hide(struct progress *p)
{
	pthread_mutex_lock(&p->lock);
	hide(p);
	pthread_mutex_unlock(&p->lock);
}

void
progress_end(struct progress *p)
{
	pthread_mutex_lock(&p->lock);
	if (p->label != NULL) {
		p->end_ms = clock_mono_ms(p->clock);
		hide(p);
		free(p->label);
		p->label = NULL;
	}
	pthread_mutex_unlock(&p->lock);
}

uint64_t
progress_done(const struct progress *p)
{
	return p->done;
}

int64_t
progress_elapsed_ms(const struct progress *p)
{
	return (p->label == NULL ? p->end_ms : clock_mono_ms(p->clock)) -
	       p->begin_ms;
}

void
progress_summary(const struct progress *p, struct buf *b)
{
	int64_t ms = progress_elapsed_ms(p);
	uint64_t moved = p->done > p->skipped ? p->done - p->skipped : 0;
	char size[TEXT_SIZE], rate[TEXT_SIZE];

	text_size(p->done, size);
	if (moved < RATE_FROM_BYTES || ms <= 0) {
		buf_printf(b, " (%s)", size);
		return;
	}
	text_rate((uint64_t)((double)moved * 1000 / (double)ms), rate);
	buf_printf(b, " (%s in %" PRId64 ".%" PRId64 " s, %s)", size, ms / 1000,
	    ms % 1000 / 100, rate);
}

static unsigned
percent(const struct progress_view *v)
{
	if (v->total == 0 || v->done >= v->total)
		return 100;
	return (unsigned)((double)v->done / (double)v->total * 100);
}

/* "0:42 left", or how long it took while that is unknown. */
static void
left(const struct progress_view *v, char *ret, size_t n)
{
	char clock[TEXT_SIZE];

	if (v->total == PROGRESS_UNKNOWN) {
		text_clock(v->elapsed_s, clock);
		(void)snprintf(ret, n, "%s", clock);
		return;
	}
	if (v->bps == 0 && v->done < v->total) {
		(void)snprintf(ret, n, "-:-- left");
		return;
	}
	text_clock(
	    v->done >= v->total ? 0 : (v->total - v->done) / v->bps, clock);
	(void)snprintf(ret, n, "%s left", clock);
}

static void
bar(unsigned percent_done, size_t columns, struct buf *b)
{
	size_t inner = columns - 2;
	size_t full = inner * percent_done / 100;
	size_t i;

	buf_append_str(b, " [");
	for (i = 0; i < inner; i++)
		buf_append_char(b, i < full ? '=' : i == full ? '>' : ' ');
	buf_append_char(b, ']');
}

/* The name, cut to ${columns} and padded to them. */
static void
label(const char *text, size_t columns, struct buf *b)
{
	struct buf clean;
	size_t taken;

	buf_init(&clean, LINE_MAX_BYTES);
	text_clean(&clean, slice_str(text));
	taken = text_fit(b, buf_slice(&clean), columns);
	buf_printf(b, "%*s", (int)(columns - taken), "");
	buf_fini(&clean);
}

/* Which of the figures have room. */
struct layout {
	size_t label;
	size_t bar; /* 0: none */
	bool size, rate, left;
};

/* True, and ${n} columns of ${room} taken, when enough stay for the name. */
static bool
take(size_t *room, size_t n)
{
	if (*room < LABEL_MIN + n)
		return false;
	*room -= n;
	return true;
}

/* What matters least goes first where the window is narrow. */
static struct layout
arrange(const struct progress_view *v, size_t columns)
{
	bool is_known = v->total != PROGRESS_UNKNOWN;
	struct layout l = { 0 };
	size_t room = columns;

	if (is_known)
		(void)take(&room, PERCENT_COLUMNS);
	l.left = take(&room, LEFT_COLUMNS);
	l.rate = take(&room, RATE_COLUMNS);
	l.size = take(&room, SIZE_COLUMNS);
	if (is_known && take(&room, BAR_MIN + 1))
		l.bar = BAR_MIN;
	l.label = text_width(slice_str(v->label));
	if (l.label > room)
		l.label = room;
	if (l.bar > 0)
		l.bar += room - l.label;
	return l;
}

void
progress_bar(const struct progress_view *v, size_t columns, struct buf *b)
{
	struct layout l = arrange(v, columns);
	char size[TEXT_SIZE], rate[TEXT_SIZE], time[TEXT_SIZE + 8];
	struct buf line;

	text_size(v->done, size);
	text_rate(v->bps, rate);
	left(v, time, sizeof(time));
	buf_init(&line, LINE_MAX_BYTES);
	label(v->label, l.label, &line);
	if (v->total != PROGRESS_UNKNOWN)
		buf_printf(&line, " %3u%%", percent(v));
	if (l.bar > 0)
		bar(percent(v), l.bar, &line);
	if (l.size)
		buf_printf(&line, "  %*s", SIZE_COLUMNS - 2, size);
	if (l.rate)
		buf_printf(&line, "  %*s", RATE_COLUMNS - 2, rate);
	if (l.left)
		buf_printf(&line, "  %*s", LEFT_COLUMNS - 2, time);
	/* days left are wider than their column */
	(void)text_fit(b, buf_slice(&line), columns);
	buf_fini(&line);
}

void
progress_line(const struct progress_view *v, struct buf *b)
{
	char done[TEXT_SIZE], total[TEXT_SIZE], rate[TEXT_SIZE];
	char time[TEXT_SIZE + 8];

	text_clean(b, slice_str(v->label));
	text_size(v->done, done);
	text_rate(v->bps, rate);
	left(v, time, sizeof(time));
	if (v->total == PROGRESS_UNKNOWN) {
		buf_printf(b, ": %s, %s, %s", done, rate, time);
		return;
	}
	text_size(v->total, total);
	buf_printf(
	    b, ": %u%%, %s of %s, %s, %s", percent(v), done, total, rate, time);
}
