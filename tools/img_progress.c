/*
 * How far qemu-img is: with -p, or once for each SIGUSR1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include <signal.h>

#define STEP 0.01 /* less is not worth a line */

static struct {
    GMutex lock;
    bool is_on;
    double last, current;
} progress;
static volatile sig_atomic_t was_asked;

static void ask(int signal)
{
    was_asked = 1;
}

static void print(FILE *to, char end)
{
    fprintf(to, "    (%3.2f/100%%)%c", progress.current, end);
    fflush(to);
    progress.last = progress.current;
}

void img_progress_begin(bool is_on)
{
    progress.is_on = is_on;
    progress.last = progress.current = 0;
    signal(SIGUSR1, ask);
    if (is_on) {
        print(stdout, '\r');
    }
}

void img_progress(uint64_t done, uint64_t all)
{
    g_mutex_lock(&progress.lock);
    progress.current = all ? MAX(progress.current, 100.0 * done / all) : 100;
    if (progress.is_on && progress.current - progress.last >= STEP) {
        print(stdout, '\r');
    } else if (!progress.is_on && was_asked) {
        was_asked = 0;
        print(stderr, '\n');
    }
    g_mutex_unlock(&progress.lock);
}

void img_progress_end(void)
{
    if (progress.is_on) {
        if (progress.last < 100) {
            progress.current = 100;
            print(stdout, '\r');
        }
        putchar('\n');
        progress.is_on = false;
    }
}
