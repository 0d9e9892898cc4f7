/* SPDX-License-Identifier: MIT */
/* A camera: exposes when one of the read-out channels is free, then reads out. */
#include <stdio.h>

#include "clock.h"
#include "controller.h"

static sync_semaphore *exposures;
static int frame;

static void prepare(struct controller *camera)
{
    sync_semaphore_options two = {.initial = 2, .maximum = 2};
    must(sync_semaphore_open(camera->manager, "exposures", &two, &exposures),
         "opening \"exposures\"");
}

static void expose(struct controller *camera)
{
    char why[64];
    int ms = random_between(20, 50);

    snprintf(why, sizeof why, "frame %d: waits for a channel", ++frame);
    must(sync_note(camera->manager, why), "saying why");
    must(sync_semaphore_acquire(exposures, PATIENCE), "waiting for a channel");

    snprintf(why, sizeof why, "frame %d: exposes %d ms", frame, ms);
    if (controller_command(camera, "EXPOSE", ms, why, NULL)) {
        nap_ns(ms * MS);
    }
    snprintf(why, sizeof why, "frame %d: reads out", frame);
    controller_command(camera, "READ", 0, why, NULL);

    must(sync_semaphore_release(exposures, 1), "giving the channel back");
    controller_pause(camera, 1, 10);
}

int main(int argc, char **argv)
{
    static const struct controller_kind kind = {"CAMERA", prepare, expose};
    return controller_main(argc, argv, &kind);
}
