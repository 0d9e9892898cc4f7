/* SPDX-License-Identifier: MIT */
/* Statistics and the table. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

struct bench_options bench_options;

#define ROUNDS 15
#define ROUNDS_MAX 200

static const char *question = "";
static unsigned met, missed, skipped;

/* ---- samples ---- */

/* Below 64 exactly; above, 64 steps to each doubling. */
static unsigned bucket_of(uint64_t ns)
{
    if (ns < 64) {
        return (unsigned)ns;
    }
    unsigned high = 63u - (unsigned)__builtin_clzll(ns);
    unsigned at = (high - 5) * 64 + (unsigned)(ns >> (high - 6) & 63);
    return at < BENCH_BUCKETS ? at : BENCH_BUCKETS - 1;
}

static double value_of(unsigned bucket)
{
    if (bucket < 64) {
        return bucket;
    }
    return ldexp(64.5 + bucket % 64, (int)(bucket / 64) - 1);
}

void bench_sample(struct bench_samples *samples, int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    samples->count++;
    samples->buckets[bucket_of(value)]++;
    if (value > samples->max) {
        samples->max = value;
    }
}

void bench_samples_add(struct bench_samples *to, const struct bench_samples *from)
{
    to->count += from->count;
    to->max = from->max > to->max ? from->max : to->max;
    for (unsigned i = 0; i < BENCH_BUCKETS; i++) {
        to->buckets[i] += from->buckets[i];
    }
}

double bench_quantile(const struct bench_samples *samples, double q)
{
    double rank = q * (double)samples->count, seen = 0;
    for (unsigned i = 0; i < BENCH_BUCKETS; i++) {
        seen += samples->buckets[i];
        if (samples->buckets[i] && seen >= rank) {
            double value = value_of(i);
            return value < (double)samples->max ? value : (double)samples->max;
        }
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile_of(const double *sorted, size_t count, double q)
{
    double at = q * (double)(count - 1);
    size_t low = (size_t)at, high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (sorted[high] - sorted[low]) * (at - (double)low);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), ascending);
    return quantile_of(values, count, 0.5);
}

/* ---- lines ---- */

void bench_note(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (bench_options.json) {
        for (char *p = text; *p; p++) {
            *p = *p == '"' || *p == '\\' ? '\'' : *p;
        }
        printf("{\"question\":\"%s\",\"note\":\"%s\"}\n", question, text);
    } else {
        printf("# %s\n", text);
    }
    fflush(stdout);
}

void bench_begin(const struct bench_question *q)
{
    question = q->name;
    if (!bench_options.json) {
        printf("\n%s: %s\n%-46s %10s %10s %7s %7s  %-18s %9s %9s\n", q->name, q->asks, "",
               "subject", "peer", "ratio", "bar", "A/A (quartiles)", "p99 ns", "its peer");
    }
}

bool bench_wanted(const char *what)
{
    return !bench_options.filter || strstr(what, bench_options.filter);
}

void bench_skip(const char *what, const char *why)
{
    skipped++;
    if (bench_options.json) {
        printf("{\"question\":\"%s\",\"case\":\"%s\",\"skipped\":\"%s\"}\n", question, what, why);
    } else {
        printf("%-46s skipped: %s\n", what, why);
    }
}

static const char *verdict(bool judged, bool good)
{
    if (!judged) {
        return "";
    }
    if (good) {
        met++;
    } else {
        missed++;
    }
    return good ? "met" : "MISSED";
}

static const char *scaled(double value, char *to)
{
    if (value < 0) {
        snprintf(to, 32, "-");
        return to;
    }
    const char *form = value >= 1e4 ? "%.4g" : value < 10 ? "%.3f" : "%.1f";
    snprintf(to, 32, form, value);
    return to;
}

void bench_judge(const char *what, const char *unit, double value, double bar, bool good)
{
    const char *word = verdict(!bench_options.quick, good);
    char v[32], b[32];
    if (bench_options.json) {
        printf("{\"question\":\"%s\",\"case\":\"%s\",\"unit\":\"%s\",\"subject\":%.6g,"
               "\"bar\":%.6g,\"verdict\":\"%s\"}\n",
               question, what, unit, value, bar, word);
    } else {
        printf("%-46s %10s %10s %7s %7s  %-18s %9s %9s %s [%s]\n", what, scaled(value, v), "", "",
               scaled(bar, b), "", "", "", word, unit);
    }
    fflush(stdout);
}

struct rounds {
    double subject[ROUNDS_MAX], peer[2 * ROUNDS_MAX], ratio[ROUNDS_MAX], same[ROUNDS_MAX];
    struct bench_samples of_subject, of_peer;
};

static void print_case(const struct bench_case *c, struct rounds *r, size_t n)
{
    double subject = bench_median(r->subject, n), peer = bench_median(r->peer, 2 * n);
    double ratio = bench_median(r->ratio, n), same = bench_median(r->same, n);
    double low = quantile_of(r->same, n, 0.25), high = quantile_of(r->same, n, 0.75);
    double p99 = r->of_subject.count ? bench_quantile(&r->of_subject, 0.99) : -1;
    double other = r->of_peer.count ? bench_quantile(&r->of_peer, 0.99) : -1;
    bool judged = c->bar > 0 || c->limit > 0 || c->max > 0;
    bool good = true;
    if (c->bar > 0) {
        good = c->rate ? ratio >= c->bar : ratio <= c->bar;
    }
    if (c->limit > 0 && subject > c->limit) {
        good = false;
    }
    if (c->max > 0 && (double)r->of_subject.max > c->max) {
        good = false;
    }
    const char *word = verdict(judged && !bench_options.quick, good);
    if (bench_options.json) {
        printf("{\"question\":\"%s\",\"case\":\"%s\",\"unit\":\"%s\",\"rounds\":%zu,"
               "\"subject\":%.6g,\"peer\":%.6g,\"ratio\":%.4f,\"bar\":%.3g,\"limit\":%.6g,"
               "\"same\":%.4f,\"same_quartiles\":[%.4f,%.4f],\"p99\":[%.6g,%.6g],"
               "\"max\":[%" PRIu64 ",%" PRIu64 "],\"verdict\":\"%s\"}\n",
               question, c->what, c->unit, n, subject, peer, ratio, c->bar, c->limit, same, low,
               high, p99, other, r->of_subject.max, r->of_peer.max, word);
    } else {
        char a[5][32], quartiles[48], bar[32] = "";
        snprintf(quartiles, sizeof(quartiles), "%.2f (%.2f-%.2f)", same, low, high);
        if (c->bar > 0) {
            snprintf(bar, sizeof(bar), "%s%.2f", c->rate ? ">=" : "<=", c->bar);
        } else if (c->limit > 0) {
            snprintf(bar, sizeof(bar), "<=%.4g", c->limit);
        }
        printf("%-46s %10s %10s %7.3f %7s  %-18s %9s %9s %s [%s]", c->what, scaled(subject, a[0]),
               scaled(peer, a[1]), ratio, bar, quartiles, scaled(p99, a[2]), scaled(other, a[3]),
               word, c->unit);
        if (c->max > 0) {
            printf(" max %s ns, bar %.4g", scaled((double)r->of_subject.max, a[4]), c->max);
        }
        printf("\n");
    }
    fflush(stdout);
}

/* The subject stands between two runs of the peer, so that a drift of the machine cancels. */
void bench_compare(const struct bench_case *c)
{
    struct rounds *r;
    struct bench_figure *f;
    int rounds = bench_options.quick    ? 3
                 : bench_options.rounds ? bench_options.rounds
                 : c->rounds            ? c->rounds
                                        : ROUNDS;
    if (!bench_wanted(c->what)) {
        return;
    }
    r = calloc(1, sizeof(*r));
    f = calloc(3, sizeof(*f));
    if (!r || !f) {
        bench_die("out of memory");
    }
    rounds = rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    for (int i = 0; i < rounds; i++) {
        memset(f, 0, 3 * sizeof(*f));
        c->run(c->context, BENCH_PEER, &f[0]);
        c->run(c->context, BENCH_SUBJECT, &f[1]);
        c->run(c->context, BENCH_PEER, &f[2]);
        r->subject[i] = f[1].value;
        r->peer[2 * i] = f[0].value;
        r->peer[2 * i + 1] = f[2].value;
        r->ratio[i] = f[1].value / ((f[0].value + f[2].value) / 2);
        r->same[i] = i % 2 ? f[0].value / f[2].value : f[2].value / f[0].value;
        bench_samples_add(&r->of_peer, &f[0].samples);
        bench_samples_add(&r->of_subject, &f[1].samples);
        bench_samples_add(&r->of_peer, &f[2].samples);
    }
    print_case(c, r, (size_t)rounds);
    free(r);
    free(f);
}

int bench_end(void)
{
    question = "";
    bench_note("bars met %u, missed %u; skipped %u", met, missed, skipped);
    return missed != 0;
}
