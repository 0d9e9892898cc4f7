/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

/* The whole state, after each step. */
static void is_free(sync_mutex *mutex, uint64_t token)
{
    sync_info info;
    POISON(&info);
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(0, info.holder.principal);
    NUMBER(0, info.depth);
    NUMBER(token, info.token);
    NUMBER(0, info.value);
    NUMBER(0, info.owner_died);
    NUMBER(0, info.poisoned);
    NUMBER(0, sync_mutex_is_locked(mutex));
    NUMBER(0, sync_mutex_depth(mutex));
}

static void is_held(sync_mutex *mutex, uint32_t depth, uint64_t token)
{
    sync_info info;
    uint64_t told;
    POISON(&info);
    POISON(&told);
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(sync_mutex_object(mutex)->principal ? SYNC_PRINCIPAL_HANDLE : SYNC_PRINCIPAL_THREAD,
           info.holder.kind);
    NUMBER(getpid(), info.holder.pid);
    NUMBER(SYNC_STATE_ALIVE, info.holder.state);
    CHECK(info.holder.since > 0 && info.holder.since <= sy_now());
    NUMBER(depth, info.depth);
    NUMBER(token, info.token);
    NUMBER(1, info.value);
    NUMBER(0, info.owner_died);
    NUMBER(1, sync_mutex_is_locked(mutex));
    NUMBER(depth, sync_mutex_depth(mutex));
    EXPECT(0, sync_mutex_check(mutex));
    EXPECT(0, sync_mutex_token(mutex, &told));
    NUMBER(token, told);
}

static void is_acquired_and_released(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    is_free(mutex, 0);
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(1)));
    is_held(mutex, 1, 1);
    EXPECT(0, sync_mutex_release(mutex));
    is_free(mutex, 1);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    is_held(mutex, 1, 2);
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_DEFAULT));
    is_held(mutex, 1, 3);
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_FOREVER));
    is_held(mutex, 1, 4);
    EXPECT(0, sync_mutex_release(mutex));
    is_free(mutex, 4);
    NUMBER(0, sy_get(&hot_of("camera")->word));
}

static void nests(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL), *same = a_mutex("camera", NULL);
    for (uint32_t depth = 1; depth <= 5; depth++) {
        EXPECT(0, sync_mutex_acquire(depth % 2 ? mutex : same, 0));
        is_held(mutex, depth, 1);
        is_held(same, depth, 1);
    }
    for (uint32_t depth = 4; depth >= 1; depth--) {
        EXPECT(0, sync_mutex_release(depth % 2 ? mutex : same));
        is_held(mutex, depth, 1);
    }
    EXPECT(0, sync_mutex_release(same));
    is_free(mutex, 1);
}

static void depth_has_an_end(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct sy_hot *hot = hot_of("camera");
    uint64_t me = sy_get(&hot->u.mutex.depth) >> 32;
    sy_put(&hot->u.mutex.depth, me << 32 | SY_DEPTH_MAX);
    EXPECT(SYNC_EDEPTH, sync_mutex_acquire(mutex, 0));
    SAYS("camera");
    NUMBER(SY_DEPTH_MAX, sync_mutex_depth(mutex));
    sy_put(&hot->u.mutex.depth, me << 32 | 1);
    EXPECT(0, sync_mutex_release(mutex));
    is_free(mutex, 1);
}

static void non_recursive_refuses_the_second(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &(sync_mutex_options){.non_recursive = 1});
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    for (int i = 0; i < 2; i++) {
        EXPECT(SYNC_EDEADLK, sync_mutex_acquire(mutex, i ? SYNC_FOREVER : 0));
        SAYS("camera");
        SAYS("not recursive");
        is_held(mutex, 1, 1);
    }
    EXPECT(0, sync_mutex_release(mutex));
    is_free(mutex, 1);
}

static int tries_what_another_holds(struct job *job)
{
    sync_mutex *mutex = job->handle;
    uint64_t token;
    POISON(&token);
    EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
    SAYS("camera");
    SAYS("released by this thread, but tester[");
    EXPECT(SYNC_EPERM, sync_mutex_check(mutex));
    EXPECT(SYNC_EPERM, sync_mutex_token(mutex, &token));
    CHECK(UNTOUCHED(&token));
    EXPECT(SYNC_EPERM, sync_mutex_consistent(mutex));
    NUMBER(0, sync_mutex_depth(mutex));
    NUMBER(1, sync_mutex_is_locked(mutex));
    return sync_mutex_acquire(mutex, 0);
}

static void another_thread_may_do_nothing(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
    SAYS("nobody holds it");
    EXPECT(SYNC_EPERM, sync_mutex_check(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job job = {.call = tries_what_another_holds, .handle = mutex};
    job_start(&job);
    EXPECT(SYNC_ETIMEDOUT, job_end(&job));
    is_held(mutex, 1, 1);
    EXPECT(0, sync_mutex_release(mutex));
    is_free(mutex, 1);
}

static void a_timeout_tells_who_and_why(void)
{
    char pid[40];
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_note(lab(), "flat fields"));
    pthread_setname_np(pthread_self(), "exposer");
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job patient = {.call = acquires, .handle = mutex, .timeout = SYNC_FOREVER};
    job_start(&patient);
    await_sleepers("camera", 1);
    struct job job = {.call = acquires, .handle = mutex, .timeout = SYNC_MS(30)};
    job_start(&job);
    EXPECT(SYNC_ETIMEDOUT, job_end(&job));
    NUMBER(SYNC_ETIMEDOUT, job.error.code);
    NUMBER(SYNC_KIND_MUTEX, job.error.kind);
    CHECK(strcmp(job.error.object, "camera") == 0);
    NUMBER(getpid(), job.error.holder.pid);
    NUMBER(sy_gettid(), job.error.holder.tid);
    NUMBER(getuid(), job.error.holder.uid);
    NUMBER(SYNC_PRINCIPAL_THREAD, job.error.holder.kind);
    NUMBER(SYNC_STATE_ALIVE, job.error.holder.state);
    CHECK(strcmp(job.error.holder.label, "tester") == 0);
    CHECK(strcmp(job.error.holder.note, "flat fields") == 0);
    CHECK(job.error.holder.host[0] && job.error.holder.user[0]);
    NUMBER(1, job.error.token);
    NUMBER(2, job.error.depth);
    NUMBER(1, job.error.waiters);
    CHECK(job.error.waited >= 30000000 && job.error.waited < 5000000000);
    CHECK(ZEROED(job.error.reserved));
    snprintf(pid, sizeof(pid), "tester[%d]", (int)getpid());
    HOLDS(job.text, "camera: not acquired in 3");
    HOLDS(job.text, pid);
    HOLDS(job.text, "\"flat fields\"");
    HOLDS(job.text, "alive, 1 waiters before you; token 1.");
    HOLDS(job.text, "managerctl show camera");
    HOLDS(job.text, "managerctl break camera --token 1");
    NUMBER(1, ring_count(SY_EVENT_TIMEDOUT));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, job_end(&patient));
    sync_info info;
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(1, info.timeouts);
}

static void tokens_rise(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    uint64_t last = 0, token;
    for (int i = 0; i < 1000; i++) {
        POISON(&token);
        EXPECT(0, sync_mutex_acquire(mutex, 0));
        EXPECT(0, sync_mutex_token(mutex, &token));
        CHECK(token > last);
        last = token;
        EXPECT(0, sync_mutex_release(mutex));
    }
    NUMBER(1000, last);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(SYNC_EINVAL, sync_mutex_token(mutex, NULL));
    SAYS("ret_token is NULL");
}

static void a_waiter_gets_it_at_the_release(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    sy_switches.recheck_off = true; /* a wake that is lost is seen to be lost */
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job jobs[3];
    for (int i = 0; i < 3; i++) {
        jobs[i] = (struct job){
            .call = acquires_and_releases, .handle = mutex, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
    }
    await_sleepers("camera", 3);
    sync_info info;
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(3, info.waiters);
    CHECK(info.longest_wait > 0);
    CHECK(sy_get(&hot_of("camera")->word) & SY_W);
    EXPECT(0, sync_mutex_release(mutex));
    for (int i = 0; i < 3; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    is_free(mutex, 4);
    NUMBER(0, sleepers_on("camera"));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
static void with_runs_its_block_held(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    int runs = 0;
    SYNC_WITH (mutex, SYNC_S(1)) {
        is_held(mutex, 1, 1);
        SYNC_WITH (mutex, 0) {
            is_held(mutex, 2, 1);
            runs++;
        }
        runs++;
    }
    NUMBER(2, runs);
    is_free(mutex, 1);
    for (int i = 0; i < 2; i++) {
        SYNC_WITH (mutex, SYNC_S(1)) {
            runs++;
            break;
        }
        is_free(mutex, (uint64_t)i + 2);
    }
    NUMBER(4, runs);
}
#pragma GCC diagnostic pop

static void with_skips_its_block_when_it_fails(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &(sync_mutex_options){.non_recursive = 1});
    int runs = 0;
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    SYNC_WITH (mutex, SYNC_S(1)) {
        runs++;
    }
    NUMBER(0, runs);
    SAYS("not recursive");
    is_held(mutex, 1, 1);
}

static _Atomic int taken;
static int takes_its_turn(struct job *job)
{
    int rc = sync_mutex_acquire(job->handle, job->timeout);
    int turn = atomic_fetch_add(&taken, 1);
    await_flag(turn);
    EXPECT(0, sync_mutex_release(job->handle));
    return rc;
}

static uint32_t oldest_waiter(const char *name)
{
    uint32_t record = record_of(name), oldest = 0;
    uint64_t smallest = UINT64_MAX;
    for (uint32_t i = 0; i < sy_committed(look(), SY_EXECUTORS); i++) {
        struct sy_waiting *waiting = &sy_executor_at(look(), i)->waiting;
        if (sy_load(&waiting->count) && sy_get(&waiting->records[0]) == record + 1 &&
            sy_get(&waiting->ticket) < smallest) {
            smallest = sy_get(&waiting->ticket);
            oldest = sy_principal_id(look(), i);
        }
    }
    return oldest;
}

/* Whoever is passed over all the same, as it did not run for 5 ms, keeps its place. */
static void fifo_reserves_for_the_oldest(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &(sync_mutex_options){.fifo = 1});
    struct job jobs[6];
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    for (uint32_t i = 0; i < 6; i++) {
        jobs[i] = (struct job){.call = takes_its_turn, .handle = mutex, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
        await_sleepers("camera", i + 1);
    }
    for (int turn = 0; turn < 6; turn++) {
        uint32_t oldest = oldest_waiter("camera");
        if (turn == 0) {
            EXPECT(0, sync_mutex_release(mutex));
        } else {
            raise_flag(turn - 1);
        }
        AWAIT(atomic_load(&taken) == turn + 1);
        NUMBER(oldest, sy_get(&hot_of("camera")->u.mutex.reserved_for));
        await_sleepers("camera", 5 - (uint32_t)turn);
    }
    raise_flag(5);
    for (int i = 0; i < 6; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    is_free(mutex, 7);
}

static void a_stopped_waiter_stops_nobody(void)
{
    static sync_mutex_options fifo = {.fifo = 1};
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &fifo);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    pid_t waiter = fork();
    if (waiter == 0) {
        int rc = sync_mutex_acquire(mutex, SYNC_FOREVER);
        _exit(rc == 0 ? 0 : 1);
    }
    await_sleepers("camera", 1);
    stopped(waiter);
    struct job job = {.call = acquires_and_releases, .handle = mutex, .timeout = SYNC_FOREVER};
    job_start(&job);
    await_sleepers("camera", 2);
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, job_end(&job));
    for (int i = 0; i < 20; i++) {
        EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10)));
        EXPECT(0, sync_mutex_release(mutex));
    }
    CHECK(kill(waiter, SIGCONT) == 0);
    joined(waiter);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(10)));
}

static int once(struct job *job)
{
    sync_mutex *mutex = job->handle;
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(mutex));
    return 0;
}

static void max_hold_is_shown(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", &(sync_mutex_options){.max_hold = SYNC_S(5)});
    sync_info info;
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(5000000000, info.max_hold);
    struct job job = {.call = once, .handle = mutex};
    job_start(&job);
    EXPECT(0, job_end(&job));
    is_free(mutex, 1);
}

HARNESS_MAIN(CASE(is_acquired_and_released), CASE(nests), CASE(depth_has_an_end),
             CASE(non_recursive_refuses_the_second), CASE(another_thread_may_do_nothing),
             CASE(a_timeout_tells_who_and_why), CASE(tokens_rise),
             CASE(a_waiter_gets_it_at_the_release), CASE(with_runs_its_block_held),
             CASE(with_skips_its_block_when_it_fails), CASE(fifo_reserves_for_the_oldest),
             CASE(a_stopped_waiter_stops_nobody), CASE(max_hold_is_shown))
