/*
 * MonitorOutput: what a monitor writes. Bytes go to the chardev at once as far as it takes them;
 * the rest waits here and follows when there is room, so that a slow reader blocks nobody.
 *
 * Any thread, but for what says otherwise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_OUTPUT_H
#define MONITOR_OUTPUT_H

#include "chardev/frontend.h"

/* Above this nothing more is read from the client ... */
#define MONITOR_OUTPUT_HIGH_BYTES (256 * KiB)
/* ... and above this (events go on) it is given up. One reply may be larger. */
#define MONITOR_OUTPUT_MAX_BYTES (32 * MiB)

typedef struct MonitorOutput {
    CharFrontend *fe;
    GMutex lock;       /* before any lock of the chardev */
    GString *waiting;  /* from `sent` on */
    size_t sent;
    GSource *watch;    /* NULL: not waiting for room */
    bool is_congested; /* a reader was told to stop */
    bool is_full;      /* given up: everything is dropped till monitor_output_reset() */
    void (*drained)(void *opaque);    /* in the front end's context, after congestion */
    void (*overflowed)(void *opaque); /* any thread, once; must not call back */
    void *opaque;
} MonitorOutput;

void monitor_output_init(MonitorOutput *out, CharFrontend *fe);
/* When the front end is detached. */
void monitor_output_clear(MonitorOutput *out);

/* `is_event`: nobody waits for it, it may be what overflows. */
void monitor_output_put(MonitorOutput *out, const char *bytes, size_t size, bool is_event);
/* True: drained() will tell when it no longer is. */
bool monitor_output_is_congested(MonitorOutput *out);
/* Drops what waits: the client is gone. */
void monitor_output_reset(MonitorOutput *out);
/* The front end's context has changed. */
void monitor_output_move(MonitorOutput *out);
/* Writes what waits as far as the line takes it within `ms`. */
void monitor_output_finish(MonitorOutput *out, unsigned ms);

#endif
