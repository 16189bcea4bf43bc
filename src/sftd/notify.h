/* SPDX-License-Identifier: MIT */
#ifndef SFTD_NOTIFY_H
#define SFTD_NOTIFY_H

/* sd_notify(3): tells systemd how the service is, when it started us
 * (NOTIFY_SOCKET).  ${state}: "READY=1", "STOPPING=1".  Errors are ignored: the
 * service works without. */
void notify_send(const char *state);

#endif
