/* SPDX-License-Identifier: MIT */

/* In a file of its own: the kernel's header knows more of struct tcp_info than
 * libc's, and does not go together with it. */

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net/conn.h"

bool
conn_tcp_path(const struct conn *c, struct conn_path *ret)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0 ||
	    info.tcpi_rtt == 0)
		return false;
	ret->rtt_us = info.tcpi_rtt;
	ret->rttvar_us = info.tcpi_rttvar;
	ret->retransmits = info.tcpi_total_retrans;
	ret->segments = info.tcpi_segs_out;
	return true;
}
