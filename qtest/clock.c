/*
 * qtest: time, which moves when told and with this accelerator only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qtest.h"
#include "system/clock.h"

static bool is_ours(QtestServer *server, const char *name)
{
    if (!clock_qtest_is_enabled()) {
        qtest_reply(server, "FAIL Unknown command '%s'", name);
        return false;
    }
    return true;
}

static void run_step(QtestServer *server, char **words, unsigned count)
{
    uint64_t ns;

    if (!is_ours(server, "clock_step")) {
        return;
    }
    if (!count) {
        qtest_reply(server, "OK %" PRId64, clock_qtest_step_to_next());
        return;
    }
    if (!qtest_number(server, words[0], &ns)) {
        return;
    }
    if (ns > INT64_MAX) {
        qtest_reply(server, "FAIL time only moves forward");
        return;
    }
    qtest_reply(server, "OK %" PRId64, clock_qtest_step(ns));
}

static void run_set(QtestServer *server, char **words, unsigned count)
{
    uint64_t ns;

    if (!is_ours(server, "clock_set") || !qtest_number(server, words[0], &ns)) {
        return;
    }
    qtest_reply(server, "OK %" PRId64, clock_qtest_set(MIN(ns, INT64_MAX)));
}

static const QtestCommand commands[] = {
    { "clock_step", 0, 1, run_step },
    { "clock_set", 1, 1, run_set },
};
const QtestFamily qtest_clock_family = { commands, ARRAY_SIZE(commands) };
