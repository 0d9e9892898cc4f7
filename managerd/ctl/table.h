/* SPDX-License-Identifier: MIT */
/* Tables and trees for people, by libsmartcols. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct libscols_line;
struct libscols_table;

enum {
    CTL_TREE = 1, /* children hang below */
    CTL_RIGHT = 2,
    CTL_SHRINKS = 4 /* cut first when the terminal is narrow */
};
struct ctl_column {
    const char *name; /* NULL ends the list */
    int flags;
};

struct libscols_table *ctl_table(const struct ctl_column *columns);
/* `cells` in the order of the columns, NULL: empty; copied. `bad` colours the row. */
struct libscols_line *ctl_row(struct libscols_table *table, struct libscols_line *parent,
                              const char *const *cells, bool bad);
/* Print and free. Nothing at all when there are no rows. */
void ctl_table_end(struct libscols_table *table);

#endif
