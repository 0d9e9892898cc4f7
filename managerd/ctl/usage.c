/* SPDX-License-Identifier: MIT */
/* The table of verbs as text: for --help, and for the man page. */
#include <stdio.h>
#include <string.h>

#include "managerd/ctl/ctl.h"

static void option_words(const struct ctl_option *option, char *to, size_t size)
{
    char letter[8] = "    ";
    if (option->letter) {
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    snprintf(to, size, "%s--%s%s%s", letter, option->name, option->argument ? "=" : "",
             option->argument ? option->argument : "");
}

static void print_options(const struct ctl_option *option)
{
    for (; option->name; option++) {
        char words[60];
        option_words(option, words, sizeof(words));
        printf("  %-24s %s\n", words, option->help);
    }
}

void ctl_help(const struct ctl_verb *verb)
{
    if (verb) {
        printf("managerctl [OPTION...] %s %s\n  %s\n\n", verb->name, verb->usage, verb->help);
        print_options(verb->options);
    } else {
        puts("managerctl [OPTION...] VERB [NAME...]\n"
             "  Named locks of this machine: who holds what, why, since when, and who waits.\n\n"
             "Verbs (names may be globs; managerctl VERB --help says more):");
        for (verb = ctl_verbs; verb->name; verb++) {
            printf("  %-24s %s\n", verb->name, verb->help);
        }
        puts("\nOptions of every verb:");
    }
    print_options(ctl_common_options);
    puts(
        "  -h, --help               this text\n"
        "  -V, --version            the version\n\n"
        "Exit status: 0 done, 1 found something or not found (see the verb), 2 usage, 125 failed.");
}

void ctl_version(void)
{
    puts("managerctl " PACKAGE_VERSION);
}

/* Lines of at most 100 bytes, broken at spaces; scdoc joins them again. */
static void print_folded(const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " \n");
        if (column && column + 1 + word > 100) {
            putchar('\n');
            column = 0;
        } else if (column) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)word, text);
        column += word;
        text += word;
        for (; *text == '\n'; text++) {
            putchar('\n');
            column = 0;
        }
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void scdoc_options(const struct ctl_option *option)
{
    for (; option->name; option++) {
        putchar('\n');
        if (option->letter) {
            printf("*-%c*, ", option->letter);
        }
        printf("*--%s*", option->name);
        if (option->argument) {
            printf("=_%s_", option->argument);
        }
        printf("\n\t%s\n", option->help);
    }
}

void ctl_scdoc(void)
{
    puts("# VERBS");
    for (const struct ctl_verb *verb = ctl_verbs; verb->name; verb++) {
        printf("\n## %s%s%s\n\n%c%s.\n\n", verb->name, *verb->usage ? " " : "", verb->usage,
               verb->help[0] - 'a' + 'A', verb->help + 1);
        print_folded(verb->manual);
        scdoc_options(verb->options);
    }
    puts("\n# OPTIONS");
    scdoc_options(ctl_common_options);
    puts(
        "\n*-h*, *--help*\n\tthe verbs; after a verb, its options\n\n*-V*, *--version*\n\tthe version");
}
