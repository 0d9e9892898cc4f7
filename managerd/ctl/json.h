/* SPDX-License-Identifier: MIT */
/* JSON for programs: one document, {"schema": 1, …}. Fields are only ever added; times are numbers
 * of nanoseconds, named …_ns; what is not known is null. */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <jansson.h>

#include "managerd/ctl/view.h"

/* {"schema", "verb", "now_ns", "wall_ns", "manager"} */
json_t *ctl_json_begin(const struct ctl_request *request, const struct ctl_look *look);
/* Print on stdout and free. */
void ctl_json_end(json_t *document);
/* For a failure: {"schema", "verb", "error": {"code", "name", "text"}}. */
void ctl_json_error(const struct ctl_request *request, int code, const char *text);

/* All of these take over the value they are given, and end the program when memory is out. */
void ctl_json_set(json_t *object, const char *key, json_t *value);
void ctl_json_add(json_t *array, json_t *value);
json_t *ctl_json_string(const char *text); /* null when empty */
json_t *ctl_json_time(int64_t ns);         /* null for ever */
json_t *ctl_json_count(uint64_t count);
json_t *ctl_json_principal(const sync_principal *who); /* null when nobody */
json_t *ctl_json_wait(const struct ctl_wait *wait);
json_t *ctl_json_object(const struct ctl_object *object, bool waiters);

#endif
