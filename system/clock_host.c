/*
 * Jumps of the host's wall clock: the kernel ends a far-off timer when somebody sets it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/clock.h"

#include <sys/timerfd.h>

#include "system/timer_list.h"

static NotifierList jump_notifiers; /* machine lock */
static int64_t ahead_ns;            /* of CLOCK_REAL; main loop */
static int jump_fd;

static int64_t host_ahead_ns(void)
{
    return clock_now_ns(CLOCK_HOST) - clock_now_ns(CLOCK_REAL);
}

static bool rearm(void)
{
    static const struct itimerspec far_off = { .it_value.tv_sec = INT32_MAX };

    return timerfd_settime(jump_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far_off,
                           NULL) == 0;
}

static void clock_was_set(void *opaque, GIOCondition events)
{
    uint64_t expirations;
    ssize_t count = read(jump_fd, &expirations, sizeof(expirations));

    if (count < 0 && errno == ECANCELED && rearm()) {
        clock_check_host_jump(host_ahead_ns());
    }
}

void clock_check_host_jump(int64_t new_ahead_ns)
{
    int64_t jump_ns = new_ahead_ns - ahead_ns;

    ahead_ns = new_ahead_ns;
    timer_lists_wake(CLOCK_HOST);
    notifier_tell(&jump_notifiers, &jump_ns);
}

/* A host without this gives no notice; timers on its clock are then late by as much as it jumps. */
void clock_watch_host(void)
{
    static gsize is_watched;

    if (g_once_init_enter(&is_watched)) {
        ahead_ns = host_ahead_ns();
        jump_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        if (jump_fd >= 0 && rearm()) {
            fd_watch_new(event_loop_main(), jump_fd, G_IO_IN, clock_was_set, NULL);
        }
        g_once_init_leave(&is_watched, 1);
    }
}

void clock_add_host_jump_notifier(Notifier *notifier)
{
    clock_watch_host();
    notifier_add(&jump_notifiers, notifier);
}
