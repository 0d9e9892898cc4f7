/* SPDX-License-Identifier: MIT */
/* A mirror: follows the target by many small tilts. */
#include <stdio.h>

#include "clock.h"
#include "controller.h"

static void tilt(struct controller *mirror)
{
    char why[64];
    int angle = random_between(-50, 50);

    snprintf(why, sizeof why, "tilts to %d mrad", angle);
    controller_command(mirror, "TILT", angle, why, NULL);
    controller_pause(mirror, 1, 20);
}

int main(int argc, char **argv)
{
    static const struct controller_kind kind = {"MIRROR", NULL, tilt};
    return controller_main(argc, argv, &kind);
}
