/* SPDX-License-Identifier: MIT */
/* Five exposures, but the read-out can serve two at a time. A permit belongs to the process: one
 * that dies gives it back. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sync/sync.h>

static int failed(const char *doing)
{
    fprintf(stderr, "%s: %s\n", doing, sync_last_error());
    return 1;
}

static int expose(int number, int dies)
{
    const sync_semaphore_options two = {.initial = 2, .maximum = 2};
    sync_manager *manager;
    sync_semaphore *channels;
    uint32_t left;

    if (SYNC_FAILED(sync_manager_connect(NULL, NULL, &manager))) {
        return failed("connect");
    }
    if (SYNC_FAILED(sync_semaphore_open(manager, "read-out channels", &two, &channels))) {
        return failed("open");
    }
    if (SYNC_FAILED(sync_semaphore_acquire(channels, SYNC_S(10)))) {
        return failed("acquire");
    }
    if (SYNC_FAILED(sync_semaphore_value(channels, &left))) {
        return failed("value");
    }
    printf("exposure %d begins, %u of 2 channels left\n", number, (unsigned)left);
    fflush(stdout);
    usleep(60000);
    if (dies) {
        printf("exposure %d is lost\n", number);
        fflush(stdout);
        _exit(0); /* without a release: managerd or the next in need takes the permit back */
    }
    if (SYNC_FAILED(sync_semaphore_release(channels, 1))) {
        return failed("release");
    }
    sync_semaphore_close(channels);
    sync_manager_close(manager);
    return 0;
}

int main(void)
{
    int status;
    int wrong = 0;

    for (int number = 1; number <= 5; number++) {
        if (fork() == 0) {
            return expose(number, number == 2);
        }
    }
    while (wait(&status) > 0) {
        wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return wrong > 0;
}
