/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_priv.h"

static _Atomic int log_level = LOG_INFO;
static _Atomic int log_format = LOG_TEXT;
static _Thread_local const char *log_request;

void
log_setup(enum log_level level, enum log_format format)
{
	atomic_store(&log_level, (int)level);
	atomic_store(&log_format, (int)format);
}

bool
log_is_on(enum log_level level)
{
	return (int)level >= atomic_load(&log_level);
}

void
log_set_request(const char *id)
{
	log_request = id;
}

/* One write() but for interruptions.  A log that cannot be written (closed,
 * full, not blocking) must not stop the server: the line is lost. */
static void
write_line(struct slice s)
{
	ssize_t n;

	while (s.n > 0) {
		n = write(STDERR_FILENO, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s.p += n;
		s.n -= (size_t)n;
	}
}

void
log_event(
    enum log_level level, const char *message, const struct log_field *fields)
{
	struct log_line line = {
		.wall_ms = clock_wall_ms(clock_system()),
		.level = level,
		.message = message,
		.fields = fields,
		.request = log_request,
	};
	int saved = errno;
	struct buf b;

	if (!log_is_on(level))
		return;
	buf_init(&b, LOG_LINE_MAX);
	if (log_line_write(
	        &line, (enum log_format)atomic_load(&log_format), &b) == 0)
		write_line(buf_slice(&b));
	buf_fini(&b);
	errno = saved;
}
