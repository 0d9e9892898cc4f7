/* SPDX-License-Identifier: MIT */
/* A stage: goes to and fro between the ends of its range. */
#include <stdio.h>

#include "controller.h"

static void move(struct controller *stage)
{
    static int position;
    char why[64];

    position = position >= 100 ? 0 : position + 5;
    snprintf(why, sizeof why, "moves to %d mm", position);
    controller_command(stage, "MOVE", position, why, NULL);
    controller_pause(stage, 1, 20);
}

int main(int argc, char **argv)
{
    static const struct controller_kind kind = {"STAGE", NULL, move};
    return controller_main(argc, argv, &kind);
}
