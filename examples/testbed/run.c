/* SPDX-License-Identifier: MIT */
/* The course of one run. */
#define _GNU_SOURCE
#include "run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define SOON_MS 10000 /* what does not happen until then is given up */

static const struct {
    const char *name, *program;
} cast[] = {
    {"CAM1", "camera"},   {"CAM2", "camera"}, {"CAM3", "camera"},
    {"MIRROR", "mirror"}, {"STAGE", "stage"}, {"SAFETY", "safety"},
};
#define CAST_SIZE (sizeof cast / sizeof cast[0])
#define VICTIM "CAM2"

static void count_up(struct run *run)
{
    size_t started = 0;
    size_t gone = 0;
    int64_t first = INT64_MAX;
    int64_t last = 0;
    for (size_t i = 0; i < run->controller_count; i++) {
        const struct child *child = &run->troupe.children[run->controllers + i];
        started += child->start_index >= 0;
        gone += child->left || child->reaped;
        first = child->started_at < first ? child->started_at : first;
        last = child->started_at > last ? child->started_at : last;
    }
    if (started == CAST_SIZE && !run->all_started) {
        run->all_started = true;
        tell(&run->troupe, "testbed", "all %zu pass the barrier \"start\", within %.2f ms", started,
             (double)(last - first) / 1e6);
    }
    run->all_left = gone == run->controller_count && gone > 0;
}

static void on_line(struct troupe *troupe, struct child *child, const char *line)
{
    struct run *run = troupe->story;
    long long ns;
    long long held;
    int bytes;
    int offset = 0;

    if (sscanf(line, "port %63s", run->line) == 1) {
        run->line_known = true;
    } else if (sscanf(line, "started %d %lld", &child->start_index, &ns) == 2) {
        child->started_at = ns;
        count_up(run);
    } else if (sscanf(line, "half %d %n", &child->sent, &offset) == 1) {
        child->in_half = true;
        tell(troupe, child->name, "stops in the middle of a command: %s", line + offset);
    } else if (strncmp(line, "open " VICTIM " ", 5 + sizeof VICTIM) == 0) {
        run->line_open = true;
        tell(troupe, child->name, "has heard %s and waits for the rest", line + 5 + sizeof VICTIM);
    } else if (sscanf(line, "told %d %n", &run->told_pid, &offset) == 1) {
        run->told = true;
        run->told_at = now_ns();
        run->told_count++;
        tell(troupe, child->name, "has the port and is told that its owner died: pid %s", line + 5);
    } else if (sscanf(line, "drained %d %lld", &bytes, &ns) == 2) {
        run->drained = true;
        run->drained_bytes += bytes;
        tell(troupe, child->name, "has drained %d bytes until %d ms of silence (%.0f ms in all)",
             bytes, LINE_SILENCE_MS, (double)ns / 1e6);
    } else if (sscanf(line, "left %d %d %d %lld %lld", &child->sent, &child->answered,
                      &child->garbled, &ns, &held) == 5) {
        child->longest_wait = ns;
        child->longest_hold = held;
        child->left = true;
        child->left_at = now_ns();
        count_up(run);
    } else if (sscanf(line, "count %u", &run->count) == 1) {
        run->counted = true;
    } else if (strncmp(line, "danger ", 7) == 0) {
        tell(troupe, child->name, "%s", line + 7);
    } else if (strncmp(line, "open ", 5) != 0 && strncmp(line, "half ", 5) != 0) {
        size_t name = strlen(child->name);
        bool named = strncmp(line, child->name, name) == 0 && strncmp(line + name, ": ", 2) == 0;
        tell(troupe, child->name, "%s", named ? line + name + 2 : line);
    }
}

static void on_end(struct troupe *troupe, struct child *child)
{
    (void)child;
    count_up(troupe->story);
}

/* True if it holds; else says so, and the run is over. */
static bool expect(struct run *run, bool holds, const char *what)
{
    if (!holds) {
        tell(&run->troupe, "testbed", "given up: %s", interrupted ? "interrupted" : what);
    }
    return holds;
}

static bool heard(struct run *run, const bool *flag, const char *what)
{
    return expect(run, troupe_listen(&run->troupe, flag, SOON_MS), what);
}

static void show_locks(struct run *run)
{
    const char *const argv[] = {run->tools->managerctl, "locks", NULL};
    char text[8192];
    char pid[16];
    const struct child *managerd = troupe_find(&run->troupe, "managerd");
    printf("\n          $ managerctl locks%s\n",
           managerd == NULL || managerd->reaped ? "    # managerd is dead" : "");
    if (expect(run, show_output(argv, "          ", SOON_MS, text, sizeof text),
               "managerctl failed") &&
        run->victim != NULL) {
        snprintf(pid, sizeof pid, "%d", (int)run->victim->pid);
        run->holder_shown = strstr(text, VICTIM) != NULL && strstr(text, pid) != NULL;
    }
    printf("\n");
}

static struct child *start_manager(struct run *run)
{
    const char *const argv[] = {run->tools->managerd, "--name", run->name, NULL};
    struct child *managerd = troupe_start(&run->troupe, "managerd", argv);
    int64_t end = now_ns() + SOON_MS * MS;

    while (managerd != NULL && !managerd->reaped && !interrupted && now_ns() < end) {
        const sync_manager_options look_on = {.label = "testbed", .no_autostart = 1};
        sync_manager_state state;
        if (run->manager == NULL &&
            SYNC_FAILED(sync_manager_connect(NULL, &look_on, &run->manager))) {
            run->manager = NULL;
        } else if (!SYNC_FAILED(sync_manager_info(run->manager, &state)) &&
                   state.state == SYNC_MANAGER_RUNNING && state.manager_pid == managerd->pid &&
                   state.epoch > run->epoch_before) {
            run->epoch_after = state.epoch;
            return managerd;
        }
        troupe_listen(&run->troupe, NULL, 5);
    }
    expect(run, false, run->manager == NULL ? sync_last_error() : "managerd does not serve");
    return NULL;
}

static bool start_instrument(struct run *run)
{
    char program[PATH_SIZE + 16];
    char report[PATH_SIZE + 16];
    snprintf(program, sizeof program, "%s/instrument", run->tools->here);
    snprintf(report, sizeof report, "%s/report", run->folder);
    const char *const argv[] = {program, report, NULL};
    return troupe_start(&run->troupe, "instrument", argv) != NULL &&
           heard(run, &run->line_known, "the instrument does not come up");
}

static bool start_controllers(struct run *run)
{
    run->controllers = run->troupe.count;
    run->controller_count = CAST_SIZE;
    for (size_t i = 0; i < CAST_SIZE; i++) {
        char program[PATH_SIZE + 16];
        char parties[8];
        char lock[32] = "port";
        snprintf(program, sizeof program, "%s/%s", run->tools->here, cast[i].program);
        snprintf(parties, sizeof parties, "%zu", CAST_SIZE);
        if (run->plan->own_locks) {
            snprintf(lock, sizeof lock, "port of %s", cast[i].name);
        }
        const char *const argv[] = {program,
                                    "--name",
                                    cast[i].name,
                                    "--line",
                                    run->line,
                                    "--parties",
                                    parties,
                                    "--lock",
                                    lock,
                                    "--answer-ms",
                                    run->plan->own_locks ? "250" : "5000",
                                    NULL};
        if (troupe_start(&run->troupe, cast[i].name, argv) == NULL) {
            return false;
        }
    }
    run->victim = run->plan->camera_dies ? troupe_find(&run->troupe, VICTIM) : NULL;
    return heard(run, &run->all_started, "not all have passed the barrier \"start\"");
}

static void order(struct run *run, const char *text)
{
    const struct child *instrument = troupe_find(&run->troupe, "instrument");
    if (instrument != NULL && write(instrument->in, text, strlen(text)) < 0) {
        tell(&run->troupe, "testbed", "the instrument takes no orders");
    }
}

static bool count_commands(struct run *run, unsigned *ret_count)
{
    run->counted = false;
    order(run, "COUNT\n");
    if (!heard(run, &run->counted, "the instrument does not count")) {
        return false;
    }
    *ret_count = run->count;
    return true;
}

static bool kill_manager(struct run *run)
{
    struct child *managerd = troupe_find(&run->troupe, "managerd");
    run->epoch_before = run->epoch_after;
    if (!count_commands(run, &run->before_kill)) {
        return false;
    }
    child_signal(managerd, SIGKILL);
    tell(&run->troupe, "testbed", "kill -9 managerd (pid %d), after %u commands",
         (int)managerd->pid, run->before_kill);
    return expect(run, troupe_await_end(&run->troupe, managerd, SOON_MS), "managerd lives on");
}

static bool kill_camera(struct run *run)
{
    struct child *victim = run->victim;
    child_signal(victim, SIGUSR1);
    if (!heard(run, &run->line_open, "no command stays open")) {
        return false;
    }
    show_locks(run);
    run->killed_at = now_ns();
    child_signal(victim, SIGKILL);
    tell(&run->troupe, "testbed", "kill -9 %s (pid %d)", victim->name, (int)victim->pid);
    return heard(run, &run->told, "nobody is told of the death") &&
           heard(run, &run->drained, "nobody drains the line") &&
           expect(run, troupe_await_end(&run->troupe, victim, SOON_MS), "the dead lives on");
}

static bool restart_manager(struct run *run)
{
    if (!count_commands(run, &run->while_dead)) {
        return false;
    }
    tell(&run->troupe, "testbed", "%u commands so far; starts managerd again", run->while_dead);
    struct child *managerd = start_manager(run);
    if (managerd == NULL) {
        return false;
    }
    run->adopted = true;
    tell(&run->troupe, "testbed", "managerd (pid %d) serves again, epoch %u", (int)managerd->pid,
         run->epoch_after);
    return true;
}

/* The session ends by the clock, or when the instrument gets too warm. Either way SAFETY sets
 * "stop" and all leave. */
static bool end_session(struct run *run)
{
    run->stop_at = now_ns();
    if (run->plan->manager_dies) {
        tell(&run->troupe, "testbed", "heats the instrument up");
        order(run, "HEAT\n");
    } else {
        tell(&run->troupe, "testbed", "tells SAFETY that the session is over");
        child_signal(troupe_find(&run->troupe, "SAFETY"), SIGTERM);
    }
    if (!heard(run, &run->all_left, "not all leave")) {
        for (size_t i = 0; i < run->controller_count; i++) {
            const struct child *child = &run->troupe.children[run->controllers + i];
            if (!child->left && !child->reaped) {
                tell(&run->troupe, child->name, "is still there (pid %d)", (int)child->pid);
            }
        }
        return false;
    }
    tell(&run->troupe, "testbed", "all have left, after %.0f ms",
         (double)(now_ns() - run->stop_at) / 1e6);
    for (size_t i = 0; i < run->controller_count; i++) {
        struct child *child = &run->troupe.children[run->controllers + i];
        if (!expect(run, troupe_await_end(&run->troupe, child, SOON_MS), "somebody hangs")) {
            return false;
        }
    }
    return true;
}

/* The permit of the killed camera must have come back. */
static bool permits_back(struct run *run)
{
    const sync_semaphore_options existing = {
        .open = SYNC_OPEN_EXISTING, .initial = 2, .maximum = 2};
    sync_semaphore *exposures;
    uint32_t value = 0;
    if (SYNC_FAILED(sync_semaphore_open(run->manager, "exposures", &existing, &exposures))) {
        return expect(run, false, sync_last_error());
    }
    for (int tries = 0; tries < 300 && value != 2; tries++) {
        sync_semaphore_value(exposures, &value);
        troupe_listen(&run->troupe, NULL, 5);
    }
    sync_semaphore_close(exposures);
    return value == 2;
}

static bool play(struct run *run)
{
    struct child *managerd = start_manager(run);
    if (managerd == NULL || !start_instrument(run)) {
        return false;
    }
    tell(&run->troupe, "testbed", "managerd (pid %d) serves shm:%s, the instrument is at %s",
         (int)managerd->pid, run->name, run->line);
    if (!start_controllers(run) || !troupe_listen(&run->troupe, NULL, 1500)) {
        return false;
    }
    if (run->plan->manager_dies && !(kill_manager(run) && troupe_listen(&run->troupe, NULL, 700))) {
        return false;
    }
    if (run->plan->camera_dies && !(kill_camera(run) && troupe_listen(&run->troupe, NULL, 1500))) {
        return false;
    }
    if (run->plan->manager_dies &&
        !(restart_manager(run) && troupe_listen(&run->troupe, NULL, 1500))) {
        return false;
    }
    return end_session(run);
}

static void wind_up(struct run *run)
{
    struct child *instrument = troupe_find(&run->troupe, "instrument");
    struct child *managerd = troupe_find(&run->troupe, "managerd");

    if (!run->ended_well && run->manager != NULL) {
        show_locks(run);
    }
    for (size_t i = 0; i < run->controller_count; i++) {
        child_signal(&run->troupe.children[run->controllers + i], SIGKILL); /* who hangs */
    }
    if (instrument != NULL) {
        order(run, "STOP\n");
        troupe_await_end(&run->troupe, instrument, SOON_MS);
    }
    if (run->victim != NULL && run->ended_well) {
        run->permits_back = permits_back(run);
    }
    sync_manager_close(run->manager);
    if (managerd != NULL) {
        child_signal(managerd, SIGTERM);
        run->manager_ended_well = troupe_await_end(&run->troupe, managerd, SOON_MS) &&
                                  WIFEXITED(managerd->status) && WEXITSTATUS(managerd->status) == 0;
    }
}

int run_play(const struct plan *plan, const struct tools *tools, const char *folder,
             const char *name)
{
    static struct run run;
    char address[48];

    run = (struct run){.plan = plan, .tools = tools, .folder = folder, .name = name};
    run.troupe = (struct troupe){
        .began = now_ns(), .on_line = on_line, .on_end = on_end, .story = &run};
    snprintf(address, sizeof address, "shm:%s", name);
    setenv("SYNC_MANAGER", address, 1);

    run.ended_well = play(&run);
    wind_up(&run);
    int failures = run_verdict(&run);
    troupe_clear(&run.troupe);
    return failures;
}
