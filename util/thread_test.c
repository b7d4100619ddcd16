/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/thread.h"

#include <pthread.h>
#include <signal.h>

typedef struct Seen {
    char name[32];
    sigset_t blocked;
} Seen;

static gpointer look(gpointer opaque)
{
    Seen *seen = opaque;

    pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
    pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
    return opaque;
}

static void run_named(const char *name, Seen *seen)
{
    char *why;
    GThread *thread = thread_new(name, look, seen, &why);

    g_assert_nonnull(thread);
    g_assert_true(g_thread_join(thread) == seen);
}

static void test_names(void)
{
    char own[32];
    Seen seen;

    pthread_getname_np(pthread_self(), own, sizeof(own));
    run_named("worker", &seen);
    g_assert_cmpstr(seen.name, ==, own);
    thread_show_names(true);
    run_named("worker", &seen);
    g_assert_cmpstr(seen.name, ==, "worker");
    run_named("worker-with-a-long-name", &seen);
    g_assert_cmpstr(seen.name, ==, "worker-with-a-l");
    thread_show_names(false);
    run_named("worker", &seen);
    g_assert_cmpstr(seen.name, ==, own);
}

static void test_signals(void)
{
    sigset_t mine;
    Seen seen;

    run_named("worker", &seen);
    g_assert_true(sigismember(&seen.blocked, SIGTERM));
    g_assert_true(sigismember(&seen.blocked, SIGCHLD));
    g_assert_false(sigismember(&seen.blocked, SIGSEGV));
    g_assert_false(sigismember(&seen.blocked, SIGBUS));
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    g_assert_false(sigismember(&mine, SIGTERM));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/thread/names", test_names);
    g_test_add_func("/thread/signals", test_signals);
    return g_test_run();
}
