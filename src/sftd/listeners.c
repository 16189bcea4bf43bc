/* SPDX-License-Identifier: MIT */
#include "sftd/listeners.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "net/addr.h"

#define AVAILABLE "/proc/sys/net/ipv4/tcp_available_congestion_control"
#define AVAILABLE_MAX 4096

/* The names that the system knows, or what there is to say without. */
static void
read_available(struct buf *b)
{
	if (file_read_all(AT_FDCWD, AVAILABLE, b, NULL) < 0)
		buf_clear(b);
	while (b->len > 0 && b->p[b->len - 1] == '\n')
		b->len--;
}

static int
check_congestion(const struct settings *s, int fd, struct err *err)
{
	const char *name = s->tcp_congestion;
	struct buf names;

	if (strcmp(name, "auto") == 0 || strcmp(name, "system") == 0 ||
	    addr_set_congestion(fd, name) == 0)
		return 0;
	buf_init(&names, AVAILABLE_MAX);
	read_available(&names);
	(void)err_set(err, ERR_SETTING,
	    "TCP_CONGESTION is '%s': it must be 'auto', 'system' or one that "
	    "this system has (%s)",
	    name, buf_str(&names));
	buf_fini(&names);
	return -1;
}

static int
listen_on(const struct settings *s, const char *setting, uint64_t port,
    int *ret_fd, struct err *err)
{
	struct err why = ERR_INIT;

	if (addr_listen(s->server_host, (uint16_t)port, ret_fd, &why) == 0)
		return 0;
	return err_set(err, why.code, "SERVER_HOST is '%s' and %s is %u: %s",
	    s->server_host, setting, (unsigned)port, why.msg);
}

int
listeners_open(const struct settings *s, int *ret_listen_fd,
    int *ret_redirect_fd, struct err *err)
{
	if (listen_on(s, "SERVER_PORT", (uint64_t)s->server_port, ret_listen_fd,
	        err) < 0)
		return -1;
	if (check_congestion(s, *ret_listen_fd, err) < 0)
		return -1;
	if (s->http_redirect_port == 0)
		return 0;
	return listen_on(s, "HTTP_REDIRECT_PORT",
	    (uint64_t)s->http_redirect_port, ret_redirect_fd, err);
}

int
listeners_check(const struct settings *s, struct err *err)
{
	struct err why = ERR_INIT;
	int fd, rc;

	if (addr_listen(s->server_host, 0, &fd, &why) < 0)
		return err_set(err, why.code, "SERVER_HOST is '%s': %s",
		    s->server_host, why.msg);
	rc = check_congestion(s, fd, err);
	file_close(fd);
	return rc;
}
