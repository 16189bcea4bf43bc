/* SPDX-License-Identifier: MIT */
#ifndef PROTO_LIMITS_H
#define PROTO_LIMITS_H

/* Every maximum that is no setting, with its name.  Sizes are bytes. */

#define LIMIT_HEAD (32u * 1024)
#define LIMIT_REQUEST_LINE (8u * 1024)
#define LIMIT_FIELDS 100u
#define LIMIT_SMALL_BODY (64u * 1024)
#define LIMIT_FORM_OVERHEAD (64u * 1024) /* of a form around one file */
#define LIMIT_FORM_FIELD (8u * 1024)
#define LIMIT_FORM_PARTS 100u
#define LIMIT_PART_HEAD (8u * 1024)
#define LIMIT_LINGER_BYTES (256ull * 1024 * 1024)
#define LIMIT_LINGER_MS 5000
#define LIMIT_TLS_HANDSHAKES 1024u /* at once; then the oldest gives way */
#define LIMIT_CLIENT_ID 128u
#define LIMIT_USER_AGENT 512u
#define LIMIT_KEY_NAME 128u
#define LIMIT_KEY_TEXT 256u
#define LIMIT_STATUS_DEFAULT 1000u
#define LIMIT_STATUS_MAX 1000u
#define LIMIT_HISTORY_DEFAULT 100u
#define LIMIT_HISTORY_MAX 1000u
#define LIMIT_FILES_DEFAULT 100u
#define LIMIT_FILES_MAX 1000u
#define LIMIT_BATCH_NAMES 10000u /* of an archive */
#define LIMIT_BATCH_BODY (16u * 1024 * 1024)
#define LIMIT_BATCH_BODIES (256u * 1024 * 1024) /* of all of them at once */
#define LIMIT_BATCH_FILES 10000u                /* of an upload */
/* Uploads that were begun and not ended, and the chunks that they may have. */
#define LIMIT_SESSIONS 100000u
#define LIMIT_SESSIONS_OF_CLIENT 1000u
#define LIMIT_SESSION_CHUNKS (1u << 30) /* 256 MiB of memory */
#define LIMIT_SESSION_CHUNKS_OF_CLIENT (1u << 28)
#define LIMIT_QUEUE_ENDED 1000u /* ended transfers in the queue view */
#define LIMIT_PRIORITY 10
#define LIMIT_ROOMS 100u                      /* subscriptions of one client */
#define LIMIT_SUBSCRIBER_QUEUE (1024u * 1024) /* of events that wait */
#define LIMIT_SOCKET_OUT (64u * 1024) /* of answers that wait for a socket */
#define LIMIT_FEED 65536u             /* changes that wait to become events */

#endif
