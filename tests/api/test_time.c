/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <math.h>

static void units_saturate(void)
{
    NUMBER(1500000000, SYNC_S(1.5));
    NUMBER(1500000, SYNC_MS(1.5));
    NUMBER(1500, SYNC_US(1.5));
    NUMBER(0, SYNC_S(0));
    NUMBER(0, SYNC_MS(-0.0));
    NUMBER(1000, SYNC_US(0.001));
    NUMBER(1000, SYNC_S(1e-30));
    NUMBER(-1, SYNC_S(-1));
    NUMBER(-1, SYNC_US((double)-INFINITY));
    NUMBER(-1, SYNC_S((double)NAN));
    NUMBER(SYNC_FOREVER, SYNC_S((double)INFINITY));
    NUMBER(SYNC_FOREVER, SYNC_S(1e10));
    NUMBER(9000000000000000000, SYNC_S(9e9));
    NUMBER(SYNC_FOREVER, SYNC_MS(1e300));
}

static void a_deadline_is_now_and_the_timeout(void)
{
    int64_t before = sy_now();
    sync_deadline deadline = sync_deadline_after(SYNC_S(100));
    CHECK(deadline >= before + 100000000000 && deadline <= sy_now() + 100000000000);
    deadline = sync_deadline_after(SYNC_DEFAULT);
    CHECK(deadline >= before + 60000000000 && deadline <= sy_now() + 60000000000);
    NUMBER(SYNC_FOREVER, sync_deadline_after(SYNC_FOREVER));
    NUMBER(SYNC_FOREVER, sync_deadline_after(INT64_MAX - 1));
    CHECK(sync_deadline_after(INT64_MAX - sy_now() - 1000000000000) != SYNC_FOREVER);
    CHECK(sync_deadline_after(0) <= sy_now());
    CHECK(sync_deadline_after(-1) <= sy_now());
}

static void what_remains(void)
{
    NUMBER(SYNC_FOREVER, sync_remaining(SYNC_FOREVER));
    NUMBER(0, sync_remaining(sy_now() - 1));
    NUMBER(0, sync_remaining(0));
    NUMBER(0, sync_remaining(INT64_MIN / 2));
    sync_timeout left = sync_remaining(sy_now() + 1000000000);
    CHECK(left > 900000000 && left <= 1000000000);
    /* Just before its end it is never one of the timeouts that are refused. */
    sync_deadline deadline = sync_deadline_after(SYNC_US(200));
    do {
        left = sync_remaining(deadline);
        CHECK(left == 0 || left >= 1000);
    } while (left);
}

static void one_deadline_for_a_loop(void)
{
    lab_alone();
    sync_event *never = an_event("never", false);
    int64_t began = sy_now();
    int rounds = 0, rc;
    sync_deadline deadline = sync_deadline_after(SYNC_MS(50));
    do {
        sync_timeout left = sync_remaining(deadline);
        rc = sync_event_wait(never, left < SYNC_MS(10) ? left : SYNC_MS(10));
        rounds++;
    } while (rc == SYNC_ETIMEDOUT && sync_remaining(deadline));
    EXPECT(SYNC_ETIMEDOUT, rc);
    CHECK(rounds >= 2 && sy_now() - began >= 50000000);
}

/* ---- which timeout is in force: the call's, the handle's, the object's, the manager's ---- */

static sync_timeout in_force(sync_mutex *mutex, sync_timeout timeout)
{
    struct job job = {.call = acquires, .handle = mutex, .timeout = timeout};
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    job_start(&job);
    await_sleepers("camera", 1);
    int64_t found = -1;
    for (uint32_t i = 0; i < sy_committed(look(), SY_EXECUTORS); i++) {
        struct sy_waiting *waiting = &sy_executor_at(look(), i)->waiting;
        if (sy_load(&waiting->count)) {
            int64_t deadline = (int64_t)sy_get(&waiting->deadline);
            found = deadline == INT64_MAX ? SYNC_FOREVER
                                          : deadline - (int64_t)sy_get(&waiting->ticket);
        }
    }
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, job_end(&job));
    /* It ended holding, so it is passed on. */
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(mutex));
    return found;
}

static void the_nearest_default_counts(void)
{
    lab_alone();
    sync_mutex *plain = a_mutex("camera", NULL);
    NUMBER(SYNC_S(30), in_force(plain, SYNC_DEFAULT)); /* the segment's, as lab_alone makes it */
    NUMBER(SYNC_S(7), in_force(plain, SYNC_S(7)));
    NUMBER(SYNC_FOREVER, in_force(plain, SYNC_FOREVER));
    NUMBER(SYNC_FOREVER, in_force(plain, INT64_MAX - 1));
    sync_mutex *own = a_mutex("camera", &(sync_mutex_options){.timeout = SYNC_S(11)});
    NUMBER(SYNC_S(11), in_force(own, SYNC_DEFAULT));
    NUMBER(SYNC_S(30), in_force(plain, SYNC_DEFAULT)); /* the creator gave the object none */
    sync_mutex *forever = a_mutex("camera", &(sync_mutex_options){.timeout = SYNC_FOREVER});
    NUMBER(SYNC_FOREVER, in_force(forever, SYNC_DEFAULT));
    NUMBER(SYNC_S(3), in_force(forever, SYNC_S(3)));
    sy_put(&look()->header->default_timeout, 0);
    NUMBER(SYNC_S(60), in_force(plain, SYNC_DEFAULT));
}

static void the_creators_is_the_objects(void)
{
    sync_info info;
    lab_alone();
    sync_mutex *first = a_mutex("camera", &(sync_mutex_options){.timeout = SYNC_S(13)});
    sync_mutex *second = a_mutex("camera", NULL);
    EXPECT(0, sync_object_info(sync_mutex_object(second), &info));
    NUMBER(SYNC_S(13), info.timeout);
    sync_mutex_close(first);
    NUMBER(SYNC_S(13), in_force(second, SYNC_DEFAULT));
    sync_mutex *third = a_mutex("camera", &(sync_mutex_options){.timeout = SYNC_S(5)});
    NUMBER(SYNC_S(5), in_force(third, SYNC_DEFAULT));
    NUMBER(SYNC_S(13), in_force(second, SYNC_DEFAULT));
}

static void a_connections_default_is_of_its_handles(void)
{
    sync_manager *manager;
    sync_manager_options options = {.no_autostart = 1, .timeout = SYNC_S(17)};
    sync_mutex *mutex;
    lab_alone();
    a_mutex("camera", NULL);
    EXPECT(0, sync_manager_connect(NULL, &options, &manager));
    EXPECT(0, sync_mutex_open(manager, "camera", NULL, &mutex));
    NUMBER(SYNC_S(17), in_force(mutex, SYNC_DEFAULT));
    sync_manager_close(manager);
}

HARNESS_MAIN(CASE(units_saturate), CASE(a_deadline_is_now_and_the_timeout), CASE(what_remains),
             CASE(one_deadline_for_a_loop), CASE(the_nearest_default_counts),
             CASE(the_creators_is_the_objects), CASE(a_connections_default_is_of_its_handles))
