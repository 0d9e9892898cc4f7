/* SPDX-License-Identifier: MIT */
/* Settings: file, environment, options, each over the one before; mistakes are named. */
#include "tests/support.h"

#include <sys/stat.h>

#include "managerd/managerd.h"

static char said[8192], file[128];
static struct config config;

static void write_file(const char *text)
{
    snprintf(file, sizeof(file), "/tmp/%s.conf", lab_name());
    FILE *f = fopen(file, "we");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
    setenv("SYNC_MANAGERD_CONFIG", file, 1);
}

static int read_with(const char *a, const char *b)
{
    char *words[] = {(char *)(uintptr_t) "managerd", (char *)(uintptr_t)a, (char *)(uintptr_t)b,
                     NULL};
    POISON(&config);
    optind = 0;
    return config_read(a ? b ? 3 : 2 : 1, words, &config);
}

static void defaults(void)
{
    lab_name();
    NUMBER(0, read_with(NULL, NULL));
    CHECK(strcmp(config.name, "default") == 0);
    CHECK(!config.path[0] && !config.group[0]);
    CHECK(!config.background && !config.help && !config.version && !config.remove);
    NUMBER(60000000000, config.segment.default_timeout);
    NUMBER(0600, config.segment.mode);
    NUMBER(geteuid(), config.segment.uid);
    NUMBER(UINT32_MAX, config.segment.gid);
    CHECK(memcmp(&config.segment.capacities, &sy_default_capacities,
                 sizeof(sy_default_capacities)) == 0);
}

static void each_over_the_one_before(void)
{
    write_file("timeout = 10s\nnames = 100\nmode = 0660\nprocesses=7\n; a comment\n");
    NUMBER(0, read_with(NULL, NULL));
    CHECK(strcmp(config.path, file) == 0);
    NUMBER(10000000000, config.segment.default_timeout);
    NUMBER(100, config.segment.capacities.records);
    NUMBER(7, config.segment.capacities.processes);
    NUMBER(0660, config.segment.mode);
    setenv("SYNC_MANAGERD_TIMEOUT", "20s", 1);
    setenv("SYNC_MANAGERD_NAMES", "200", 1);
    NUMBER(0, read_with(NULL, NULL));
    NUMBER(20000000000, config.segment.default_timeout);
    NUMBER(200, config.segment.capacities.records);
    NUMBER(0, read_with("--timeout=1500ms", NULL));
    NUMBER(1500000000, config.segment.default_timeout);
    NUMBER(200, config.segment.capacities.records);
    NUMBER(0, read_with("--names", "300"));
    NUMBER(300, config.segment.capacities.records);
    NUMBER(0660, config.segment.mode);
    unlink(file);
}

static void durations(void)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"60", 60000000000},    {"60s", 60000000000},  {"1.5s", 1500000000},
                {"2min", 120000000000}, {"1h", 3600000000000}, {"0.001ms", 1000}};
    static const char *const bad[] = {"", "s", "0", "-1s", "5 s", "5m", "nan", "1e30s", "0.0001ms"};
    lab_name();
    for (size_t i = 0; i < SY_COUNT(good); i++) {
        NUMBER(0, read_with("--timeout", good[i].text));
        NUMBER(good[i].ns, config.segment.default_timeout);
    }
    for (size_t i = 0; i < SY_COUNT(bad); i++) {
        NUMBER(EXIT_USAGE, read_with("--timeout", bad[i]));
    }
}

/* By the program itself, as the text is what counts. */
static void refused(const char *option, const char *value, const char *words)
{
    const char *const line[] = {managerd_path(), "--name", lab_name(), option, value, NULL};
    NUMBER(EXIT_USAGE, command_output(said, sizeof(said), line));
    HOLDS(said, words);
    CHECK(access(lab_path(), F_OK) != 0);
}

static void mistakes_name_key_value_and_rule(void)
{
    refused("--names", "15", "command line: names = \"15\": a number from 16 to 16777216");
    refused("--names", "x", "names = \"x\"");
    refused("--names", "-1", "names = \"-1\"");
    refused("--names", "99999999999999999999", "a number from");
    refused("--processes", "3", "a number from 4 to");
    refused("--threads", "7", "a number from 8 to");
    refused("--mode", "0999", "an octal mode");
    refused("--mode", "0060", "an octal mode with 0600 in it");
    refused("--mode", "01777", "an octal mode");
    refused("--timeout", "soon", "a duration such as 60s");
    refused("--group", "no-such-group", "no such group");
    refused("--principals", "16", "principals = 16 must be at least threads");
    refused("--nonsense", "1", "unrecognized option");
    refused("stray", NULL, "unexpected argument \"stray\"");
}

static void refused_file(const char *text, const char *words)
{
    write_file(text);
    const char *const line[] = {managerd_path(), "--name", lab_name(), NULL};
    NUMBER(EXIT_USAGE, command_output(said, sizeof(said), line));
    HOLDS(said, words);
    HOLDS(said, file);
    CHECK(access(lab_path(), F_OK) != 0);
    unlink(file);
}

static void mistakes_in_the_file(void)
{
    refused_file("name = other\n", "name = \"other\": no such setting");
    refused_file("colour = red\n", "colour = \"red\": no such setting");
    refused_file("names = few\n", "names = \"few\": a number from 16");
    refused_file("names = 100\nnonsense\n", "line 2 is not \"key = value\"");
    refused_file("names = few\ntimeout = 1s\n", "names = \"few\"");
}

static void a_file_that_was_named_must_be_there(void)
{
    lab_name();
    setenv("SYNC_MANAGERD_CONFIG", "/nonexistent.conf", 1);
    refused("--names", "100", "No such file");
}

static void mistakes_in_the_environment(void)
{
    const char *const line[] = {managerd_path(), "--name", lab_name(), NULL};
    setenv("SYNC_MANAGERD_MODE", "rw", 1);
    NUMBER(EXIT_USAGE, command_output(said, sizeof(said), line));
    HOLDS(said, "SYNC_MANAGERD_MODE: mode = \"rw\"");
}

static void help_and_version(void)
{
    const char *const help[] = {managerd_path(), "--help", NULL};
    const char *const version[] = {managerd_path(), "--version", NULL};
    NUMBER(0, command_output(said, sizeof(said), help));
    HOLDS(said, "usage: managerd");
    HOLDS(said, "--timeout");
    HOLDS(said, "--background");
    NUMBER(0, command_output(said, sizeof(said), version));
    HOLDS(said, "managerd ");
    HOLDS(said, "layout 1");
}

static void the_segment_is_as_configured(void)
{
    sync_manager_state state;
    struct stat status;
    const char *const options[] = {
        "--names", "100",      "--processes", "9",        "--threads", "33",     "--principals",
        "44",      "--chunks", "8",           "--events", "20",        "--mode", "0640",
        "--group", "nogroup",  "--timeout",   "3s",       NULL};
    pid_t manager = manager_start(options);
    AWAIT(access(lab_path(), F_OK) == 0 && sy_get(&look()->header->epoch));
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(100, state.names_max);
    NUMBER(9, state.processes_max);
    NUMBER(33, state.threads_max);
    NUMBER(3000000000, state.default_timeout);
    CHECK(stat(lab_path(), &status) == 0);
    NUMBER(0640, status.st_mode & 0777);
    NUMBER(65534, status.st_gid);
    NUMBER(44, look()->header->regions[SY_PRINCIPALS].capacity);
    NUMBER(8, look()->header->regions[SY_CHUNKS].capacity);
    NUMBER(20, look()->header->regions[SY_RING].capacity);
    /* The next manager brings its timeout; what was fixed at creation stays. */
    killed(manager);
    manager_start((const char *const[]){"--names", "50", "--timeout", "4s", NULL});
    AWAIT(sy_get(&look()->header->epoch) == 2);
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(100, state.names_max);
    NUMBER(4000000000, state.default_timeout);
}

HARNESS_MAIN(CASE(defaults), CASE(each_over_the_one_before), CASE(durations),
             CASE(mistakes_name_key_value_and_rule), CASE(mistakes_in_the_file),
             CASE(a_file_that_was_named_must_be_there), CASE(mistakes_in_the_environment),
             CASE(help_and_version), CASE(the_segment_is_as_configured))
