/* SPDX-License-Identifier: MIT */
/* Three instruments wait until the dome is open. The dome controller sets the event in a signal
 * handler: sync_event_set may be called there. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sync/sync.h>

static sync_event *dome_open;

static int failed(const char *doing)
{
    fprintf(stderr, "%s: %s\n", doing, sync_last_error());
    return 1;
}

static int join(sync_manager **ret_manager)
{
    if (SYNC_FAILED(sync_manager_connect(NULL, NULL, ret_manager))) {
        return failed("connect");
    }
    if (SYNC_FAILED(sync_event_open(*ret_manager, "dome is open", NULL, &dome_open))) {
        return failed("open");
    }
    return 0;
}

static int instrument(const char *name)
{
    sync_manager *manager;

    if (join(&manager) != 0) {
        return 1;
    }
    int rc = sync_event_wait(dome_open, SYNC_MS(20));
    if (rc == SYNC_ETIMEDOUT) {
        printf("%s: still closed, waits on\n", name);
        fflush(stdout);
        rc = sync_event_wait(dome_open, SYNC_S(10));
    }
    if (SYNC_FAILED(rc)) {
        return failed("wait");
    }
    printf("%s: sees the sky\n", name);
    sync_event_close(dome_open);
    sync_manager_close(manager);
    return 0;
}

static void on_alarm(int signal)
{
    (void)signal;
    sync_event_set(dome_open);
}

int main(void)
{
    const char *const names[] = {"camera", "guider", "spectrograph"};
    struct sigaction alarm_action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sync_manager *manager;
    int status;
    int wrong = 0;

    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            return instrument(names[i]);
        }
    }
    if (join(&manager) != 0) {
        return 1;
    }
    sigaction(SIGALRM, &alarm_action, NULL);
    ualarm(150000, 0); /* the shutter needs its time */

    while (wait(&status) > 0) {
        wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    if (SYNC_FAILED(sync_event_clear(dome_open))) { /* closed again for the next night */
        return failed("clear");
    }
    sync_event_close(dome_open);
    sync_manager_close(manager);
    return wrong > 0;
}
