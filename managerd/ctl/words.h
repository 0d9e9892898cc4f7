/* SPDX-License-Identifier: MIT */
/* How things are called: states, people, times. One vocabulary for tables, forms and JSON. */
#ifndef CTL_WORDS_H
#define CTL_WORDS_H

#include "managerd/ctl/view.h"

/* What is particular to a kind in a view; kinds that are not in the table get the plain row. */
struct ctl_kind {
    uint32_t number;     /* SYNC_KIND_… */
    bool held_by_holder; /* the holder of its info holds it: nobody's permits */
    const char *holder;  /* what the holder of its info is, in the form */
    /* Its state in a word or two. */
    void (*state)(const struct ctl_object *object, char *to, size_t size);
    /* How many there are of what it counts, for the form; NULL: it counts nothing. */
    void (*count)(const struct ctl_object *object, char *to, size_t size);
};
const struct ctl_kind *ctl_kind_of(const struct ctl_object *object);
/* SYNC_KIND_… of a name; 0: no such kind. */
uint32_t ctl_kind_number(const char *name);

const char *ctl_state_word(int32_t state); /* of a process or principal */
const char *ctl_cause_word(int32_t cause); /* of a broken barrier */
/* exposer[4711] */
void ctl_who(const sync_principal *who, char *to, size_t size);
/* exposer[4711] thread "main" (tid 4712), ana@lab3 */
void ctl_who_long(const sync_principal *who, char *to, size_t size);
void ctl_client_name(const struct ctl_client *client, char *to, size_t size);
/* The holder of an object in a word: a name, or "3 processes". */
void ctl_holder(const struct ctl_object *object, char *to, size_t size);
/* What is wrong with it, NULL when nothing is. */
const char *ctl_trouble(const struct ctl_object *object);
/* State and trouble: "held, owner STOPPED". */
void ctl_full_state(const struct ctl_object *object, char *to, size_t size);
/* "recursive, owner thread, …" */
void ctl_options(const struct ctl_object *object, char *to, size_t size);
/* As sy_text_duration; "for ever" for INT64_MAX. */
char *ctl_duration(char *to, size_t size, int64_t ns);

#endif
