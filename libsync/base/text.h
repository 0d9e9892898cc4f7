/* SPDX-License-Identifier: MIT */
/* Names and texts: checked on the way in, cleaned on the way out. */
#ifndef SY_TEXT_H
#define SY_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* NULL when `text` is 1 … max bytes of UTF-8 without control characters, else the rule it breaks.
 * Sets *ret_size. Overlong forms, surrogates and bytes above U+10FFFF are not UTF-8. */
const char *sy_text_check(const char *text, size_t max, size_t *ret_size);
/* Copy at most size-1 bytes up to a NUL, cut at a character's end; what is not printable UTF-8
 * becomes '?': the source may be another process's memory. */
void sy_text_copy(char *to, size_t size, const char *from, size_t from_size);
/* "850 ms", "12 min 3 s": for people. Returns `to`. */
char *sy_text_duration(char *to, size_t size, int64_t ns);
/* Hash of a name. */
uint32_t sy_hash(const char *text, size_t size);

#endif
