/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_VIEW_JSON_H
#define ENGINE_VIEW_JSON_H

/* Transfers as the JSON objects of the contract. */

#include "base/json.h"
#include "engine/status.h"

/* The object of GET /status/<filename>. A new reference. */
json_t *view_json(const struct transfer_view *v);
/* The array of the queue view: filename, priority, status, id, position. */
json_t *view_json_queue(const struct status_list *queue);

#endif
