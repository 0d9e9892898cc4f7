/* SPDX-License-Identifier: MIT */
/* The safety monitor: sets "stop" when the instrument gets too warm, and when the session is over
 * (SIGTERM). Setting an event is one of the few things a signal handler may do. */
#include <signal.h>
#include <stddef.h>

#include "controller.h"
#include "protocol.h"

static sync_event *stop;

static void on_sigterm(int signal)
{
    (void)signal;
    sync_event_set(stop);
}

static void prepare(struct controller *safety)
{
    struct sigaction action = {.sa_handler = on_sigterm, .sa_flags = SA_RESTART};
    stop = safety->stop;
    sigaction(SIGTERM, &action, NULL);
}

static void watch(struct controller *safety)
{
    int temperature; /* in 1/1000 °C */

    if (controller_command(safety, "TEMPERATURE", 0, "watches the temperature", &temperature) &&
        temperature > TOO_WARM) {
        say("danger %d.%d °C: sets \"stop\"", temperature / 1000, temperature / 100 % 10);
        must(sync_event_set(stop), "setting \"stop\"");
    }
    controller_pause(safety, 40, 60);
}

int main(int argc, char **argv)
{
    static const struct controller_kind kind = {"SAFETY", prepare, watch};
    return controller_main(argc, argv, &kind);
}
