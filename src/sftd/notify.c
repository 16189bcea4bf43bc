/* SPDX-License-Identifier: MIT */
#include "sftd/notify.h"

#include <stdlib.h>
#include <string.h>

#include "net/datagram.h"

void
notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (path != NULL)
		(void)datagram_send(path, state, strlen(state), NULL);
}
