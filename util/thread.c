/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/thread.h"

#include <signal.h>

#include "util/rcu.h"

static bool names_are_shown;

void thread_show_names(bool are_shown)
{
    __atomic_store_n(&names_are_shown, are_shown, __ATOMIC_RELAXED);
}

static void block_signals(sigset_t *old)
{
    static const int own_faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGABRT };
    sigset_t set;

    sigfillset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(own_faults); i++) {
        sigdelset(&set, own_faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &set, old);
}

typedef struct Start {
    GThreadFunc run;
    void *opaque;
} Start;

static void *run_registered(void *opaque)
{
    Start *start = opaque;
    GThreadFunc run = start->run;
    void *run_opaque = start->opaque, *result;

    g_free(start);
    rcu_register();
    result = run(run_opaque);
    rcu_unregister();
    return result;
}

GThread *thread_new(const char *name, GThreadFunc run, void *opaque, char **why)
{
    g_autofree char *shown = NULL;
    GError *err = NULL;
    Start *start = g_new(Start, 1);
    GThread *thread;
    sigset_t old;

    *start = (Start){ run, opaque };
    if (__atomic_load_n(&names_are_shown, __ATOMIC_RELAXED)) {
        shown = g_strndup(name, THREAD_NAME_BYTES);
    }
    block_signals(&old);
    thread = g_thread_try_new(shown, run_registered, start, &err);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!thread) {
        *why = g_strdup_printf("cannot start thread '%s': %s", name, err->message);
        g_error_free(err);
        g_free(start);
    }
    return thread;
}

int thread_id(void)
{
    return gettid();
}
