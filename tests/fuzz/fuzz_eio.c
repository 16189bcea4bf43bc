/* SPDX-License-Identifier: MIT */

/* Engine.IO: payloads, and the Socket.IO packets in them. */

#include <stdint.h>
#include <stdlib.h>

#include "proto/eio.h"
#include "proto/sio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
message(struct slice in)
{
	struct sio_packet p;
	struct buf b;

	if (sio_parse(in, &p, NULL) < 0)
		return;
	if (p.attachments > SIO_ATTACHMENTS_MAX || p.id > SIO_ID_MAX ||
	    p.json.n > in.n || p.nsp.n == 0 || p.nsp.p[0] != '/')
		abort();
	/* A refusal that names it does not break a payload. */
	buf_init(&b, in.n + 16);
	if (sio_put_connect_error(&b, p.nsp, SLICE_LIT("{}")) < 0)
		abort();
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == EIO_SEPARATOR)
			abort();
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct slice text;
	struct eio_packet p;
	bool at_end = false;
	size_t n = 0;

	while (eio_next(&rest, &at_end, &text)) {
		n += text.n + 1;
		if (eio_parse(text, (size & 1) != 0, &p, NULL) < 0)
			continue;
		if (p.type >= EIO_TYPES || p.data.n + 1 != text.n)
			abort();
		if (p.type == EIO_MESSAGE && !p.is_binary)
			message(p.data);
	}
	/* Nothing is left out, and nothing comes twice. */
	if (n != size + 1)
		abort();
	return 0;
}
