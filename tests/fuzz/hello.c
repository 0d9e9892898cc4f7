/* SPDX-License-Identifier: MIT */
/* What clients say to managerd: datagrams of any size and content, and hang-ups in any order. */
#include "shm/hello.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fuzz.h"
#include "lab.h"
#include "managerd/managerd.h"

#define CLIENTS 4

static struct sy_segment *segment;
static int epoll, listener;
static struct sockaddr_un address;
static socklen_t address_size;

void fuzz_hello_begin(void)
{
    char shm_name[SY_PATH_MAX], name[64];
    lab_names("hello", shm_name, name);
    segment = lab_create(shm_name);
    lab_furnish(segment);
    int bytes = sy_shm_open(shm_name, O_RDWR, 0);
    for (uint32_t i = 1; i < 5; i++) {
        sy_byte_lock(bytes, SY_BYTE_PROCESS(i)); /* alive, as far as anybody can see */
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address_size = sy_manager_address(shm_name, &address);
    fuzz_want(epoll >= 0 && bind(listener, (struct sockaddr *)&address, address_size) == 0 &&
                  listen(listener, 16) == 0,
              "a listener");
}

static void say(struct fuzz_input *input, int fd)
{
    struct sy_hello hello = {.magic = SY_HELLO_MAGIC};
    uint32_t how = fuzz_byte(input);
    hello.process = how & 1 ? fuzz_byte(input) % 20 : fuzz_word(input);
    hello.generation = how & 2 ? hello.process : fuzz_word(input);
    if (how & 4) {
        char raw[64];
        size_t size = fuzz_byte(input) % sizeof(raw);
        for (size_t i = 0; i < size; i++) {
            raw[i] = (char)fuzz_byte(input);
        }
        send(fd, raw, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
        send(fd, &hello, sizeof(hello), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

static void look(struct reaper *reaper)
{
    struct epoll_event events[16];
    int count = epoll_wait(epoll, events, 16, 0);
    for (int i = 0; i < count; i++) {
        reaper_event(reaper, events[i].data.u64);
    }
}

void fuzz_hello(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    int clients[CLIENTS] = {-1, -1, -1, -1};
    struct reaper *reaper = reaper_new(segment, epoll);
    fuzz_want(reaper != NULL, "a reaper");
    for (int turn = 0; turn < 24 && input.size; turn++) {
        uint32_t what = fuzz_byte(&input);
        int *client = &clients[what >> 4 & 3];
        if (*client < 0) {
            *client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (connect(*client, (struct sockaddr *)&address, address_size) < 0) {
                close(*client);
                *client = -1;
            }
        }
        switch (what & 7) {
        case 0:
        case 1:
        case 2:
            say(&input, *client);
            break;
        case 3:
            if (*client >= 0) {
                close(*client);
            }
            *client = -1;
            break;
        case 5:
            reaper_sweep(reaper);
            break;
        default:
            reaper_accept(reaper, listener);
            break;
        }
        look(reaper);
    }
    reaper_accept(reaper, listener);
    look(reaper);
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i] >= 0) {
            close(clients[i]);
        }
    }
    look(reaper);
    reaper_free(reaper);
}
