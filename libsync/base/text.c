/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Bytes of the character at `p`, 0 if it is none. */
static size_t character(const unsigned char *p, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (size == 1) {
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4 || size > left) {
        return 0;
    }
    uint32_t value = p[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (p[i] & 0x3fu);
    }
    if (value < smallest[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ||
        (value >= 0x80 && value < 0xa0)) {
        return 0;
    }
    return size;
}

/* Eight printable ASCII bytes? Of each byte: the top bit, a borrow from 0x20, equality with 0x7f.
 */
static int plain(const char *text)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t block;
    memcpy(&block, text, sizeof(block));
    return !((block | (block - 0x20 * ones) | (block + ones)) & 0x80 * ones);
}

const char *sy_text_check(const char *text, size_t max, size_t *ret_size)
{
    size_t size = strnlen(text, max + 1);
    if (size == 0) {
        return "is empty";
    }
    if (size > max) {
        return "is too long";
    }
    for (size_t at = 0; at < size;) {
        const unsigned char *p = (const unsigned char *)text + at;
        if (size - at >= 8 && plain(text + at)) {
            at += 8;
            continue;
        }
        size_t step = character(p, size - at);
        if (p[0] < 0x20 || p[0] == 0x7f || (step == 0 && p[0] == 0xc2)) {
            return "holds a control character";
        }
        if (step == 0) {
            return "is not UTF-8";
        }
        at += step;
    }
    *ret_size = size;
    return NULL;
}

void sy_text_copy(char *to, size_t size, const char *shared, size_t from_size)
{
    /* Copied first, as its owner may write between a look and a use. */
    char from[256];
    size_t at = 0, out = 0;
    from_size = from_size < sizeof(from) ? from_size : sizeof(from);
    memcpy(from, shared, from_size);
    while (at < from_size && from[at]) {
        const unsigned char *p = (const unsigned char *)from + at;
        size_t step = character(p, from_size - at);
        int good = step && p[0] >= 0x20 && p[0] != 0x7f;
        size_t need = good ? step : 1;
        if (out + need >= size) {
            break;
        }
        if (good) {
            memcpy(to + out, p, step);
        } else {
            to[out] = '?';
        }
        out += need;
        at += good ? step : 1;
    }
    to[out] = 0;
}

char *sy_text_duration(char *to, size_t size, int64_t ns)
{
    int64_t s = ns / 1000000000;
    if (ns < 0) {
        ns = 0;
        s = 0;
    }
    if (ns < 1000000) {
        snprintf(to, size, "%" PRId64 " us", ns / 1000);
    } else if (s < 1) {
        snprintf(to, size, "%" PRId64 " ms", ns / 1000000);
    } else if (s < 60) {
        snprintf(to, size, "%.1f s", (double)ns / 1e9);
    } else if (s < 3600) {
        snprintf(to, size, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    } else {
        snprintf(to, size, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    }
    return to;
}

static uint64_t fold(uint64_t h, uint64_t block)
{
    h = (h ^ block) * 0xff51afd7ed558ccdu;
    return h ^ h >> 32;
}

/* Eight bytes a step, the last step over some of the bytes before it. Names are chosen by the lab,
 * so no seed is needed. */
uint32_t sy_hash(const char *text, size_t size)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ size, block = 0;
    if (size < sizeof(block)) {
        memcpy(&block, text, size);
        h = fold(h, block);
    }
    for (size_t at = 0; size >= sizeof(block) && at < size; at += sizeof(block)) {
        memcpy(&block, text + (at + sizeof(block) <= size ? at : size - sizeof(block)),
               sizeof(block));
        h = fold(h, block);
    }
    h *= 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(h >> 32) ^ (uint32_t)h;
}
