/* SPDX-License-Identifier: MIT */
/* Three programs want one camera. One of them dies while it has it: the next is told, and goes on.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sync/sync.h>

static int failed(const char *doing)
{
    fprintf(stderr, "%s: %s\n", doing, sync_last_error());
    return 1;
}

static void reset_camera(sync_mutex *camera)
{
    sync_error last;
    if (sync_previous_owner(camera, &last) == 1) {
        printf("%s (pid %d) died during \"%s\": the camera is reset first\n", last.holder.label,
               (int)last.holder.pid, last.holder.note);
    }
}

static int observe(const char *name, int dies)
{
    sync_manager_options me = {.label = name};
    sync_manager *manager;
    sync_mutex *camera;

    if (SYNC_FAILED(sync_manager_connect(NULL, &me, &manager))) {
        return failed("connect");
    }
    if (SYNC_FAILED(sync_mutex_open(manager, "camera", NULL, &camera))) {
        return failed("open");
    }
    sync_note(manager, "flat field, 60 ms"); /* whoever waits, or asks managerctl, reads this */

    int rc = sync_mutex_acquire(camera, SYNC_S(10));
    if (SYNC_FAILED(rc)) {
        return failed("acquire"); /* the text says who has it, why and since when */
    }
    if (rc == SYNC_OWNER_DIED) { /* ours, but what it protects may be half done */
        reset_camera(camera);
    }
    printf("%s has the camera\n", name);
    fflush(stdout);
    usleep(60000);
    if (dies) {
        kill(getpid(), SIGKILL);
    }
    if (SYNC_FAILED(sync_mutex_check(camera))) { /* before each command to the instrument */
        return failed("check");
    }
    if (SYNC_FAILED(sync_mutex_release(camera))) {
        return failed("release");
    }
    sync_mutex_close(camera);
    sync_manager_close(manager);
    return 0;
}

int main(void)
{
    const char *const names[] = {"guider", "focuser", "survey"};
    int status;
    int wrong = 0;

    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            return observe(names[i], i == 1);
        }
    }
    while (wait(&status) > 0) {
        wrong += WIFEXITED(status) && WEXITSTATUS(status) != 0;
    }
    return observe("night assistant", 0) != 0 || wrong > 0;
}
