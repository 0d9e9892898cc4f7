/* SPDX-License-Identifier: MIT */
/* What goes over the serial line.
 *
 * A command is  NAME NUMBER VERB ARGUMENT*CHECKSUM\n  such as "CAM1 17 EXPOSE 40*3F\n": the
 * sender's name, its running number, what to do. The instrument echoes every byte as it comes and
 * then answers "OK NAME NUMBER VALUE\n". It can do one thing at a time. LINE_CANCEL makes it forget
 * a command that has begun; nothing is echoed or answered. */
#ifndef TESTBED_PROTOCOL_H
#define TESTBED_PROTOCOL_H

#include <stddef.h>

#define LINE_SIZE 128
#define LINE_CANCEL 0x18   /* CAN */
#define LINE_SILENCE_MS 50 /* quiet for so long: whoever was talking is not any more */
#define NAME_SIZE 16
#define PATIENCE_MS 10000 /* no wait of a controller is longer */
#define TOO_WARM 40000    /* in 1/1000 °C */

/* As NMEA 0183 has it: exclusive or of what stands before the star. */
static inline unsigned line_checksum(const char *text, size_t size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum ^= (unsigned char)text[i];
    }
    return sum;
}

#endif
