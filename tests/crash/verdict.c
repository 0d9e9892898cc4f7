/* SPDX-License-Identifier: MIT */
#include "verdict.h"
#include "actors.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>

/* Everybody goes on within this time of the kill, whatever heals it. */
static const uint64_t bound_ns = 1500000000u;

/* Nothing can heal where replay and re-check are off: the same sight so often, so far apart, is
 * final. */
enum { LOOKS = 4 };
static const uint64_t look_ns = 1000000;

static bool is_stuck(struct crash_case *c, unsigned actor)
{
    return actor_is_asleep(c, actor) && c->scenario->world->admits(c, actor);
}

/* Between two operations, and not told to begin the next. */
static bool is_idle(struct crash_case *c, unsigned actor)
{
    uint32_t phase = atomic_load(&c->control->actor[actor].phase);
    return phase % 2 == 0 && atomic_load(&c->control->actor[actor].awaits) == phase / 2 + 1 &&
           atomic_load(&c->control->actor[actor].permits) <= phase / 2;
}

/* True if no actor runs: each has ended, waits to be told, or sleeps in a futex call inside an
 * operation. */
static bool all_asleep(struct crash_case *c, uint64_t *ret_progress)
{
    uint64_t progress = 0;
    for (unsigned i = 0; i < c->actors; i++) {
        progress = progress * 31 + atomic_load(&c->control->actor[i].phase) * 2 + c->actor[i].ended;
        if (!c->actor[i].ended && !actor_is_asleep(c, i) && !is_idle(c, i)) {
            return false;
        }
    }
    *ret_progress = progress;
    return true;
}

static enum verdict stuck(struct crash_case *c)
{
    for (unsigned i = 0; i < c->actors; i++) {
        if (is_stuck(c, i)) {
            case_trouble(c, "actor %u sleeps in its operation %u on an object that would admit it",
                         i, atomic_load(&c->control->actor[i].phase) / 2);
            return STUCK;
        }
    }
    return WENT_ON;
}

/*
 * Nobody moves any more. One who sleeps on an object that admits is stuck at once where nothing can
 * heal it, and else at the bound. If all wait rightly, the scenario gives them what they wait for.
 */
static enum verdict still(struct crash_case *c, bool *ret_relieved)
{
    *ret_relieved = false;
    if (stuck(c) == STUCK) {
        if (c->mode == CRASH_NOTHING) {
            return STUCK;
        }
        c->trouble[0] = '\0';
        return WENT_ON;
    }
    if (c->scenario->relief != NULL && c->scenario->relief(c)) {
        *ret_relieved = true;
        return WENT_ON;
    }
    return c->mode == CRASH_NOTHING ? LATE : WENT_ON;
}

static enum verdict at_bound(struct crash_case *c)
{
    /* Twice, so that one who is just being woken is not taken for one who sleeps on. */
    uint64_t before, progress;
    bool once = all_asleep(c, &before);
    sleep_until_child_or(20 * look_ns);
    if (actor_reap(c) == 0) {
        return LATE;
    }
    if (once && all_asleep(c, &progress) && progress == before && stuck(c) == STUCK) {
        return STUCK;
    }
    return LATE;
}

/* Everybody but a newcomer, who is let in by the end of all others. */
static unsigned first_actors(struct crash_case *c)
{
    return c->actors > 0 && c->scenario->newcomer ? c->actors - 1 : c->actors;
}

/* True when it has just been told to come. */
static bool let_newcomer_in(struct crash_case *c)
{
    for (unsigned i = 0; i < first_actors(c); i++) {
        if (!c->actor[i].ended) {
            return false;
        }
    }
    if (first_actors(c) == c->actors ||
        atomic_load(&c->control->actor[c->actors - 1].permits) > 0) {
        return false;
    }
    actor_permit(c, c->actors - 1, 1);
    return true;
}

static enum verdict watch(struct crash_case *c)
{
    unsigned same = 0;
    uint64_t before = 0;
    uint64_t since = c->killed_at;
    for (;;) {
        if (actor_reap(c) == 0) {
            return now_ns() - since > bound_ns ? LATE : WENT_ON;
        }
        uint64_t progress = 0;
        same = all_asleep(c, &progress) && (same == 0 || progress == before) ? same + 1 : 0;
        before = progress;
        if (same == LOOKS) {
            bool relieved;
            enum verdict verdict = still(c, &relieved);
            if (verdict != WENT_ON) {
                return verdict;
            }
            if (relieved) {
                since = now_ns();
            }
            same = 0;
        }
        if (let_newcomer_in(c)) {
            since = now_ns();
        }
        if (now_ns() - since > bound_ns) {
            return at_bound(c);
        }
        sleep_until_child_or(look_ns);
    }
}

static enum verdict actors_ended_well(struct crash_case *c)
{
    for (unsigned i = 0; i < c->actors; i++) {
        if (!WIFEXITED(c->actor[i].status) || WEXITSTATUS(c->actor[i].status) != 0) {
            case_trouble(c, "actor %u ended with status %#x: %.150s", i,
                         (unsigned)c->actor[i].status, (const char *)&c->control->word[40]);
            return WRONG;
        }
    }
    const char *wrong = c->scenario->check == NULL ? NULL : c->scenario->check(c);
    if (wrong == NULL) {
        return WENT_ON;
    }
    case_trouble(c, "%s", wrong);
    return WRONG;
}

enum verdict verdict_reach(struct crash_case *c)
{
    actor_leave(c);
    if (c->scenario->world->died != NULL) {
        c->scenario->world->died(c);
    }
    if (c->scenario->aftermath != NULL) {
        c->scenario->aftermath(c);
    } else {
        for (unsigned i = 0; i < first_actors(c); i++) {
            actor_permit(c, i, CRASH_RESULTS);
        }
    }
    enum verdict verdict = c->trouble[0] != '\0' ? WRONG : watch(c);
    if (verdict == LATE && c->trouble[0] == '\0') {
        case_trouble(c, "not all have gone on %llu ms after the kill",
                     (unsigned long long)((now_ns() - c->killed_at) / 1000000));
    }
    if (verdict == WENT_ON) {
        verdict = actors_ended_well(c);
    }
    actor_kill_all(c);
    return verdict;
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const name[VERDICTS] = {
        [WENT_ON] = "went on", [STUCK] = "stuck", [LATE] = "late", [WRONG] = "wrong"};
    return name[verdict];
}
