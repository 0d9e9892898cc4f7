/* SPDX-License-Identifier: MIT */
/* Settings: one row each makes file key, environment variable, option and help. */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "managerd.h"

#define SYSTEM_FILE "/etc/libsync/managerd.conf"

enum type { TYPE_NUMBER, TYPE_DURATION, TYPE_MODE, TYPE_TEXT, TYPE_FLAG };

struct setting {
    const char *key; /* of file and option; the variable is SYNC_MANAGERD_ and this in capitals */
    enum type type;
    size_t offset;
    uint32_t least, most; /* numbers; texts: size of the field */
    bool in_file;
    const char *help;
};

#define AT(field) offsetof(struct config, field)
static const struct setting settings[] = {
    {"name", TYPE_TEXT, AT(name), 0, 64, false, "NAME  of the segment; default \"default\""},
    {"background", TYPE_FLAG, AT(background), 0, 0, false,
     "detach, return when the segment is there"},
    {"remove", TYPE_FLAG, AT(remove), 0, 0, false,
     "remove the segment if nobody uses it, and exit"},
    {"timeout", TYPE_DURATION, AT(segment.default_timeout), 0, 0, true,
     "D  default of all waits: 60s, 1500ms, 2min"},
    {"names", TYPE_NUMBER, AT(segment.capacities.records), 16, 1u << 24, true,
     "N  objects there can be; at creation"},
    {"processes", TYPE_NUMBER, AT(segment.capacities.processes), 4, 60000, true,
     "N  processes at a time; at creation"},
    {"threads", TYPE_NUMBER, AT(segment.capacities.threads), 8, 60000, true,
     "N  threads at a time; at creation"},
    {"principals", TYPE_NUMBER, AT(segment.capacities.principals), 16, SY_PRINCIPALS_MAX, true,
     "N  threads and owning handles together; at creation"},
    {"chunks", TYPE_NUMBER, AT(segment.capacities.chunks), 4, 1u << 24, true,
     "N  blocks of 31 open objects; at creation"},
    {"events", TYPE_NUMBER, AT(segment.capacities.ring), 16, 1u << 20, true,
     "N  entries of the event ring; at creation"},
    {"mode", TYPE_MODE, AT(segment.mode), 0, 0777, true,
     "MODE  of the segment, octal; at creation"},
    {"group", TYPE_TEXT, AT(group), 0, 32, true, "GROUP  of the segment; at creation"},
    {"help", TYPE_FLAG, AT(help), 0, 0, false, "show this"},
    {"version", TYPE_FLAG, AT(version), 0, 0, false, "show the version"},
};

static int refuse(const char *where, const char *key, const char *value, const char *rule)
{
    fprintf(stderr, "managerd: %s: %s = \"%s\": %s\n", where, key, value, rule);
    return EXIT_USAGE;
}

static bool parse_duration(const char *value, int64_t *ret_ns)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ms", 1e6}, {"s", 1e9}, {"min", 60e9}, {"h", 3600e9}, {"", 1e9}};
    char *end;
    double number = strtod(value, &end);
    for (size_t i = 0; end != value && i < SY_COUNT(units); i++) {
        if (strcmp(end, units[i].unit) == 0 && number > 0 && number * units[i].ns < 9e18) {
            *ret_ns = (int64_t)(number * units[i].ns);
            return *ret_ns >= 1000;
        }
    }
    return false;
}

static int set(struct config *config, const struct setting *setting, const char *value,
               const char *where)
{
    char *field = (char *)config + setting->offset, *end, rule[80];
    size_t length;
    unsigned long number;
    errno = 0;
    switch (setting->type) {
    case TYPE_FLAG:
        *(bool *)(void *)field = true;
        return 0;
    case TYPE_NUMBER:
        number = strtoul(value, &end, 10);
        if (errno || end == value || *end || *value == '-' || number < setting->least ||
            number > setting->most) {
            snprintf(rule, sizeof(rule), "a number from %u to %u", setting->least, setting->most);
            return refuse(where, setting->key, value, rule);
        }
        *(uint32_t *)(void *)field = (uint32_t)number;
        return 0;
    case TYPE_MODE:
        number = strtoul(value, &end, 8);
        if (errno || end == value || *end || *value == '-' || number > 0777 ||
            (number & 0600) != 0600) {
            return refuse(where, setting->key, value, "an octal mode with 0600 in it, as in 0660");
        }
        *(uint32_t *)(void *)field = (uint32_t)number;
        return 0;
    case TYPE_DURATION:
        return parse_duration(value, (int64_t *)(void *)field)
                   ? 0
                   : refuse(where, setting->key, value, "a duration such as 60s, 1500ms or 2min");
    default:
        if (sy_text_check(value, setting->most - 1, &length)) {
            snprintf(rule, sizeof(rule), "1-%u bytes of UTF-8", setting->most - 1);
            return refuse(where, setting->key, value, rule);
        }
        memcpy(field, value, length + 1);
        return 0;
    }
}

struct reading {
    struct config *config;
    int rc;
};

static int ini_line(void *argument, const char *section, const char *key, const char *value)
{
    struct reading *reading = argument;
    (void)section;
    for (size_t i = 0; i < SY_COUNT(settings); i++) {
        if (settings[i].in_file && strcmp(settings[i].key, key) == 0) {
            reading->rc = set(reading->config, &settings[i], value, reading->config->path);
            return reading->rc == 0;
        }
    }
    reading->rc = refuse(reading->config->path, key, value, "no such setting; see managerd --help");
    return 0;
}

/* The system's file when it is installed, else the user's own. */
static int read_file(struct config *config)
{
    const char *home = getenv("XDG_CONFIG_HOME");
    const char *given = getenv("SYNC_MANAGERD_CONFIG");
    if (given) {
        snprintf(config->path, sizeof(config->path), "%s", given);
    } else if (access(SYSTEM_FILE, F_OK) == 0) {
        snprintf(config->path, sizeof(config->path), "%s", SYSTEM_FILE);
    } else if (home && *home) {
        snprintf(config->path, sizeof(config->path), "%s/libsync/managerd.conf", home);
    } else {
        home = getenv("HOME");
        snprintf(config->path, sizeof(config->path), "%s/.config/libsync/managerd.conf",
                 home ? home : "");
    }
    if (access(config->path, R_OK) < 0) {
        if (given || errno == EACCES) {
            return refuse("configuration", "file", config->path, strerror(errno));
        }
        config->path[0] = 0;
        return 0;
    }
    struct reading reading = {.config = config};
    int line = ini_parse(config->path, ini_line, &reading);
    if (line > 0 && !reading.rc) {
        fprintf(stderr, "managerd: %s: line %d is not \"key = value\"\n", config->path, line);
        return EXIT_USAGE;
    }
    return reading.rc;
}

static int read_environment(struct config *config)
{
    for (size_t i = 0; i < SY_COUNT(settings); i++) {
        char variable[64] = "SYNC_MANAGERD_";
        size_t used = strlen(variable);
        for (const char *p = settings[i].key; *p; p++) {
            variable[used++] = (char)(*p - 'a' + 'A');
        }
        variable[used] = 0;
        const char *value = settings[i].type != TYPE_FLAG ? getenv(variable) : NULL;
        int rc = value ? set(config, &settings[i], value, variable) : 0;
        if (rc) {
            return rc;
        }
    }
    return 0;
}

static int read_options(int argc, char **argv, struct config *config)
{
    struct option options[SY_COUNT(settings) + 1];
    memset(options, 0, sizeof(options));
    for (size_t i = 0; i < SY_COUNT(settings); i++) {
        options[i].name = settings[i].key;
        options[i].has_arg = settings[i].type == TYPE_FLAG ? no_argument : required_argument;
        options[i].val = (int)i + 256;
    }
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c < 256) {
            fprintf(stderr, "managerd: see managerd --help\n");
            return EXIT_USAGE;
        }
        int rc = set(config, &settings[c - 256], optarg ? optarg : "", "command line");
        if (rc) {
            return rc;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "managerd: unexpected argument \"%s\"; see managerd --help\n",
                argv[optind]);
        return EXIT_USAGE;
    }
    return 0;
}

static int settle(struct config *config)
{
    struct sy_capacities *c = &config->segment.capacities;
    if (config->group[0]) {
        struct group *group = getgrnam(config->group);
        if (!group) {
            return refuse("configuration", "group", config->group, "no such group on this host");
        }
        config->segment.gid = (uint32_t)group->gr_gid;
    }
    if (c->principals < c->threads) {
        fprintf(stderr, "managerd: principals = %u must be at least threads = %u\n", c->principals,
                c->threads);
        return EXIT_USAGE;
    }
    return 0;
}

int config_read(int argc, char **argv, struct config *ret_config)
{
    struct config *config = ret_config;
    memset(config, 0, sizeof(*config));
    snprintf(config->name, sizeof(config->name), "default");
    config->segment.capacities = sy_default_capacities;
    config->segment.default_timeout = 60000000000;
    config->segment.uid = (uint32_t)geteuid();
    config->segment.gid = (uint32_t)-1;
    config->segment.mode = access(SYSTEM_FILE, F_OK) == 0 ? 0660 : 0600;
    int rc = read_file(config);
    if (!rc) {
        rc = read_environment(config);
    }
    if (!rc) {
        rc = read_options(argc, argv, config);
    }
    return rc ? rc : settle(config);
}

void config_help(FILE *to)
{
    fputs("usage: managerd [options]\n"
          "Owns the segment of one laboratory: creates or adopts it, beats, reaps the dead.\n"
          "Each setting also as SYNC_MANAGERD_<KEY>, and those marked * in managerd.conf.\n\n",
          to);
    for (size_t i = 0; i < SY_COUNT(settings); i++) {
        fprintf(to, "  --%-12s %c %s\n", settings[i].key, settings[i].in_file ? '*' : ' ',
                settings[i].help);
    }
}
