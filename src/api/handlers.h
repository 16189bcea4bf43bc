/* SPDX-License-Identifier: MIT */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

/*
 * The handlers of the route table, each in its h_<noun>.c.  A handler is
 * straight-line code on a worker (h_health, h_tus_options: on the loop); it
 * must reply once.
 */

struct call;

void h_health(struct call *c);
void h_upload_form(struct call *c);
void h_upload_raw(struct call *c);
void h_batch_upload(struct call *c);
void h_upload_chunk(struct call *c);
void h_resume_info(struct call *c);
void h_cancel(struct call *c);
void h_tus_options(struct call *c);
void h_tus_create(struct call *c);
void h_tus_head(struct call *c);
void h_tus_append(struct call *c);
void h_tus_remove(struct call *c);
void h_download(struct call *c);
void h_thumbnail(struct call *c);
void h_metadata(struct call *c);
void h_archive_get(struct call *c);
void h_archive_post(struct call *c);
void h_status_all(struct call *c);
void h_status_one(struct call *c);
void h_status_change(struct call *c);
void h_history(struct call *c);
void h_files_list(struct call *c);
void h_files_remove(struct call *c);
void h_ping(struct call *c);
void h_stats(struct call *c);
void h_clients(struct call *c);
void h_events(struct call *c);
void h_socket(struct call *c);
void h_key_new(struct call *c);
void h_key_list(struct call *c);
void h_key_revoke(struct call *c);

#endif
