/* SPDX-License-Identifier: MIT */
#include "managerd/ctl/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "managerd/ctl/ctl.h"

static void need(const void *memory)
{
    if (!memory) {
        fputs("managerctl: out of memory\n", stderr);
        exit(CTL_FAILED);
    }
}

struct libscols_table *ctl_table(const struct ctl_column *columns)
{
    struct libscols_table *table = scols_new_table();
    need(table);
    for (; columns->name; columns++) {
        int flags = (columns->flags & CTL_TREE ? SCOLS_FL_TREE : 0) |
                    (columns->flags & CTL_RIGHT ? SCOLS_FL_RIGHT : 0) |
                    (columns->flags & CTL_SHRINKS ? SCOLS_FL_TRUNC : 0);
        need(scols_table_new_column(table, columns->name, columns->flags & CTL_SHRINKS ? 0.1 : 0,
                                    flags));
    }
    const char *no_color = getenv("NO_COLOR");
    scols_table_enable_colors(table, isatty(STDOUT_FILENO) && !(no_color && *no_color));
    return table;
}

struct libscols_line *ctl_row(struct libscols_table *table, struct libscols_line *parent,
                              const char *const *cells, bool bad)
{
    struct libscols_line *line = scols_table_new_line(table, parent);
    need(line);
    size_t columns = scols_table_get_ncols(table);
    for (size_t i = 0; i < columns; i++) {
        if (cells[i] && scols_line_set_data(line, i, cells[i]) != 0) {
            need(NULL);
        }
    }
    if (bad) {
        scols_line_set_color(line, "red");
    }
    return line;
}

void ctl_table_end(struct libscols_table *table)
{
    if (!scols_table_is_empty(table)) {
        scols_print_table(table);
    }
    scols_unref_table(table);
}
