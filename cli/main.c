/*
 * The process: options, machine, main loop, end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/daemon.h"
#include "cli/help.h"
#include "cli/preconfig.h"
#include "cli/startup.h"
#include "system/machine_lock.h"
#include "system/run_state.h"

static int run(OptionSet *set)
{
    int status = 0;

    if (!startup_prepare(set)) {
        return 1;
    }
    if (option_given(set, "preconfig") && !preconfig_wait(&status)) {
        return status;
    }
    if (!startup_machine(set)) {
        return 1;
    }
    return vm_run_main_loop();
}

int main(int argc, char **argv)
{
    OptionSet *set = option_set_new();
    Error *err = NULL;
    int status;

    error_set_program(argv[0]);
    option_register_groups();
    if (!option_set_parse(set, argc, argv, &err)) {
        error_report_err(err);
        option_set_free(set);
        return 1;
    }
    help_serve(set);
    if (option_given(set, "daemonize")) {
        daemon_fork();
    }
    machine_lock_init_main();
    status = run(set);
    startup_undo();
    option_set_free(set);
    machine_unlock();
    return status;
}
