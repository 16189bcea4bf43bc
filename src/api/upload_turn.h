/* SPDX-License-Identifier: MIT */
#ifndef API_UPLOAD_TURN_H
#define API_UPLOAD_TURN_H

/* An upload of a whole file, and its turn: see api/turn.h. */

#include "api/call.h"
#include "engine/upload.h"

/* 0: upload_turn_begin() may follow; 1: it waits for its turn, return; -1: what
 * upload_check() refuses, or it was interrupted. */
int upload_turn(struct call *c, struct upload_request *req, struct err *err);
/* upload_begin() with what upload_turn() brought. */
int upload_turn_begin(struct call *c, struct upload_request *req,
    struct upload **ret_up, struct err *err);

#endif
