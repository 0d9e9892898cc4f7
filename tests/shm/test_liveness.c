/* SPDX-License-Identifier: MIT */
/* The table of death: one function, and nothing guessed. */
#include "tests/support.h"

#include <errno.h>

static uint32_t slot, generation;

static void sits_there(void)
{
    lab();
    EXPECT(0, sync_note(lab(), "x"));
    struct sy_segment *segment = lab()->attachment->segment;
    atomic_store(&board->value[0], segment->process);
    atomic_store(&board->value[1], sy_self.id);
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static pid_t somebody(void)
{
    pid_t pid = spawn(sits_there);
    await_flag(0);
    slot = (uint32_t)atomic_load(&board->value[0]);
    generation = sy_tenancy_generation(sy_load(&sy_process_at(look(), slot)->tenancy));
    return pid;
}

static int state(void)
{
    return sy_process_state(look(), slot, generation);
}

/* Its byte let go, as if closed behind its back: from here on only the other witnesses speak. */
static void pretend_the_byte_is_free(void)
{
    /* A slot whose byte nobody holds, with the same facts. */
    uint32_t other = 40;
    struct sy_process *from = sy_process_at(look(), slot), *to = sy_process_at(look(), other);
    memcpy(to, from, sizeof(*to));
    sy_put(&to->tenancy, sy_tenancy(generation, other, SY_SLOT_LIVE));
    slot = other;
}

static void the_living(void)
{
    lab_alone();
    pid_t pid = somebody();
    NUMBER(SYNC_STATE_ALIVE, state());
    stopped(pid);
    NUMBER(SYNC_STATE_ALIVE, state());
    pretend_the_byte_is_free();
    NUMBER(SYNC_STATE_SUSPECT, state()); /* maps show the segment: alive, but not by the byte */
    NUMBER(SY_SLOT_LIVE, sy_tenancy_state(sy_load(&sy_process_at(look(), slot)->tenancy)));
    killed(pid);
    NUMBER(SYNC_STATE_DEAD, state());
    NUMBER(SY_SLOT_EXITED, sy_tenancy_state(sy_load(&sy_process_at(look(), slot)->tenancy)));
    NUMBER(SYNC_STATE_DEAD, state());
}

static void another_generation_is_dead(void)
{
    lab_alone();
    somebody();
    generation++;
    NUMBER(SYNC_STATE_DEAD, state());
    generation -= 2;
    NUMBER(SYNC_STATE_DEAD, state());
    CHECK(sy_process_state(look(), 4000, 1) == SYNC_STATE_DEAD);
    generation++;
    NUMBER(SYNC_STATE_ALIVE, state());
}

static void a_pid_let_again_is_another(void)
{
    lab_alone();
    somebody();
    pretend_the_byte_is_free();
    sy_put(&sy_process_at(look(), slot)->start_time,
           sy_get(&sy_process_at(look(), slot)->start_time) - 1);
    NUMBER(SYNC_STATE_DEAD, state());
}

static void maps_that_may_not_be_read_prove_nothing(void)
{
    lab_alone();
    pid_t pid = somebody();
    pretend_the_byte_is_free();
    sy_fault_set(SY_FAULT_MAPS, 1, 100, EACCES);
    NUMBER(SYNC_STATE_SUSPECT, state());
    sy_fault_set(SY_FAULT_MAPS, 0, 0, 0);
    killed(pid);
    NUMBER(SYNC_STATE_DEAD, state());
}

static void a_claimer_that_died_in_between(void)
{
    lab_alone();
    somebody();
    pretend_the_byte_is_free();
    sy_put(&sy_process_at(look(), slot)->tenancy, sy_tenancy(generation, slot, SY_SLOT_CLAIMED));
    NUMBER(SYNC_STATE_DEAD, state()); /* a claimer holds the byte from before to after */
}

/* From another PID namespace pids are not looked at. */
static void strangers_speak_by_their_life_words(void)
{
    lab_alone();
    pid_t pid = somebody();
    uint32_t thread = sy_owner_index((uint32_t)atomic_load(&board->value[1]));
    pretend_the_byte_is_free();
    struct sy_process *process = sy_process_at(look(), slot);
    sy_put(&process->pid_namespace, 1);
    sy_put(&process->pid, 1);
    NUMBER(SYNC_STATE_SUSPECT, state()); /* no thread of it is known in this slot */
    struct sy_principal *principal = sy_principal_at(look(), thread);
    uint32_t tenant = sy_tenancy_generation(sy_load(&principal->tenancy));
    sy_put(&principal->tenancy, sy_tenancy(tenant, slot, SY_SLOT_LIVE));
    NUMBER(SYNC_STATE_SUSPECT, state());
    killed(pid);
    NUMBER(SYNC_STATE_DEAD, state());
}

static void who_cannot_tell_its_namespace_is_no_neighbour(void)
{
    lab_alone();
    pid_t pid = somebody();
    pretend_the_byte_is_free();
    sy_put(&sy_process_at(look(), slot)->pid_namespace, 0);
    NUMBER(SYNC_STATE_SUSPECT, state());
    killed(pid);
    NUMBER(SYNC_STATE_SUSPECT, state()); /* never proved: never stolen from */
}

static void owners(void)
{
    struct sy_wait_word life;
    lab_alone();
    pid_t pid = somebody();
    uint32_t id = (uint32_t)atomic_load(&board->value[1]);
    CHECK(!sy_owner_dead(look(), id, false) && !sy_owner_dead(look(), id, true));
    POISON(&life);
    CHECK(sy_owner_life(look(), id, &life));
    NUMBER(sy_load(life.word), life.value);
    CHECK(!sy_owner_dead(look(), 0, true));
    CHECK(!sy_owner_dead(look(), SY_BROKEN, true));
    CHECK(!sy_owner_dead(look(), SY_POISONED, true));
    CHECK(!sy_owner_life(look(), SY_BROKEN, &life));
    CHECK(sy_owner_dead(look(), id + (1 << 16), false));      /* another generation of it */
    CHECK(sy_owner_dead(look(), sy_owner_id(900, 1), false)); /* never given out */
    killed(pid);
    CHECK(sy_owner_dead(look(), id, false)); /* by the life word, which the kernel fired */
    POISON(&life);
    CHECK(!sy_owner_life(look(), id, &life));
}

HARNESS_MAIN(CASE(the_living), CASE(another_generation_is_dead), CASE(a_pid_let_again_is_another),
             CASE(maps_that_may_not_be_read_prove_nothing), CASE(a_claimer_that_died_in_between),
             CASE(strangers_speak_by_their_life_words),
             CASE(who_cannot_tell_its_namespace_is_no_neighbour), CASE(owners))
