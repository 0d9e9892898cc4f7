/* SPDX-License-Identifier: MIT */
/* Three telescopes take each frame at the same moment. When one of them is lost the others are told
 * why, instead of waiting for it for ever. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sync/sync.h>

#define TELESCOPES 3

static int failed(const char *doing)
{
    fprintf(stderr, "%s: %s\n", doing, sync_last_error());
    return 1;
}

static int observe(int telescope)
{
    /* members: whoever has it open is a party; its death breaks the barrier for the others */
    const sync_barrier_options options = {.parties = TELESCOPES, .members = 1};
    sync_manager *manager;
    sync_barrier *frame;
    int rc = 0;

    if (SYNC_FAILED(sync_manager_connect(NULL, NULL, &manager))) {
        return failed("connect");
    }
    if (SYNC_FAILED(sync_barrier_open(manager, "frame", &options, &frame))) {
        return failed("open");
    }
    for (int number = 1; number <= 3; number++) {
        usleep(10000 * (useconds_t)telescope); /* pointing takes each its time */
        if (telescope == 3 && number == 3) {
            printf("telescope 3: struck by lightning\n");
            fflush(stdout);
            _exit(0);
        }
        rc = sync_barrier_wait(frame, SYNC_S(10));
        if (SYNC_FAILED(rc)) {
            break;
        }
        printf("telescope %d: frame %d, was number %d to be ready\n", telescope, number, rc + 1);
        fflush(stdout);
    }
    if (rc != SYNC_EBROKEN) {
        return failed("wait");
    }
    printf("telescope %d: %s\n", telescope, sync_last_error());
    sync_barrier_close(frame);
    sync_manager_close(manager);
    return 0;
}

/* A broken barrier stays broken until sync_barrier_reset, or until its name is taken away. */
static int tidy_up(void)
{
    sync_manager *manager;

    if (SYNC_FAILED(sync_manager_connect(NULL, NULL, &manager))) {
        return failed("connect");
    }
    if (SYNC_FAILED(sync_unlink(manager, "frame"))) {
        return failed("unlink");
    }
    sync_manager_close(manager);
    return 0;
}

int main(void)
{
    int status;
    int wrong = 0;

    for (int telescope = 1; telescope <= TELESCOPES; telescope++) {
        if (fork() == 0) {
            return observe(telescope);
        }
    }
    while (wait(&status) > 0) {
        wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return tidy_up() != 0 || wrong > 0;
}
