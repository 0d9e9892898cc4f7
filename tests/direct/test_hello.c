/* SPDX-License-Identifier: MIT */
/* The test is the manager that clients greet. */
#include "tests/support.h"

#include <poll.h>
#include <sys/socket.h>

#include "shm/hello.h"

static int listener;

static void listen_as_manager(void)
{
    struct sockaddr_un address;
    socklen_t size = sy_manager_address(lab_shm(), &address);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0);
    CHECK(listen(listener, 8) == 0);
}

static bool somebody_comes(void)
{
    struct pollfd fd = {.fd = listener, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

/* The socket of the one who greets, with what it said. */
static int greeted(struct sy_hello *ret_hello)
{
    CHECK(somebody_comes());
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    POISON(ret_hello);
    NUMBER(sizeof(*ret_hello), recv(fd, ret_hello, sizeof(*ret_hello), MSG_DONTWAIT));
    NUMBER(SY_HELLO_MAGIC, ret_hello->magic);
    return fd;
}

static void is_mine(const struct sy_hello *hello)
{
    struct sy_segment *segment = lab()->attachment->segment;
    NUMBER(segment->process, hello->process);
    struct sy_process *process = sy_process_at(segment, segment->process);
    NUMBER(sy_tenancy_generation(sy_load(&process->tenancy)), hello->generation);
}

static void said_at_once(void)
{
    struct sy_hello hello;
    lab_alone();
    listen_as_manager();
    sy_put(&look()->header->epoch, 1);
    lab();
    greeted(&hello);
    is_mine(&hello);
    a_mutex("camera", NULL);
    CHECK(!somebody_comes());
}

/* Before the manager has taken over, but listens already: its epoch is that of nobody yet. */
static void said_before_the_first_epoch(void)
{
    struct sy_hello hello;
    lab_alone();
    listen_as_manager();
    lab();
    greeted(&hello);
    is_mine(&hello);
}

static void said_again_to_the_next_manager(void)
{
    struct sy_hello hello;
    lab_alone();
    listen_as_manager();
    sy_put(&look()->header->epoch, 1);
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    int first = greeted(&hello);
    sy_put(&look()->header->epoch, 2);
    sy_put(&look()->header->heartbeat, (uint64_t)sy_now() + 60000000000); /* beats all the while */
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(an_event("never", false), SYNC_MS(1200)));
    greeted(&hello);
    is_mine(&hello);
    char byte;
    NUMBER(0, recv(first, &byte, 1, MSG_DONTWAIT)); /* the first one hung up */
}

static void forked_it_greets_as_itself(void)
{
    struct sy_hello hello, other;
    lab_alone();
    listen_as_manager();
    sy_put(&look()->header->epoch, 1);
    lab();
    int fd = greeted(&hello);
    pid_t pid = fork();
    if (pid == 0) {
        a_mutex("camera", NULL);
        raise_flag(0);
        await_flag(1);
        _exit(0);
    }
    await_flag(0);
    greeted(&other);
    CHECK(other.process != hello.process);
    NUMBER(pid, sy_get(&sy_process_at(look(), other.process)->pid));
    char byte;
    CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) < 0); /* the parent's line stays */
    raise_flag(1);
    joined(pid);
}

HARNESS_MAIN(CASE(said_at_once), CASE(said_before_the_first_epoch),
             CASE(said_again_to_the_next_manager), CASE(forked_it_greets_as_itself))
