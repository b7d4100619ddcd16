/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/run_state_section.h"
#include "system/clock.h"
#include "system/migratable.h"

typedef struct RunStateSection {
    char state[32]; /* as QMP names it */
    int64_t virtual_ns;
    RunState loaded;
} RunStateSection;

static RunStateSection section = { .loaded = RUN_STATE_COUNT };

static bool clock_before_save(void *opaque, Error **errp)
{
    section.virtual_ns = clock_now_ns(CLOCK_VIRTUAL);
    return true;
}

/* First of all devices: their timers are armed against this time. */
static bool clock_loaded(void *opaque, int version, Error **errp)
{
    if (section.virtual_ns < 0) {
        return error_set(errp, "virtual_ns: %" PRId64 " is negative", section.virtual_ns);
    }
    clock_set_virtual_ns(section.virtual_ns);
    return true;
}

static const VMField clock_rows[] = { VM_I64(RunStateSection, virtual_ns) };
static const VMState clock_vm = VMSTATE_INIT(clock_rows, .version = 1, .priority = INT_MAX,
                                             .pre_save = clock_before_save,
                                             .post_load = clock_loaded);

static bool state_loaded(void *opaque, int version, Error **errp)
{
    int state = enum_table_find(&run_state_names, section.state);

    if (state < 0) {
        g_autofree char *shown = g_strescape(section.state, NULL);

        return error_set(errp, "state: there is no run state '%s'", shown);
    }
    section.loaded = state;
    return true;
}

static const VMField state_rows[] = { VM_CHARS(RunStateSection, state) };
static const VMState state_vm = VMSTATE_INIT(state_rows, .version = 1, .post_load = state_loaded);

void run_state_section_register(void)
{
    migratable_register("clock", 0, "clock", &clock_vm, &section, NULL);
    migratable_register("run-state", 0, "run-state", &state_vm, &section, NULL);
}

void run_state_section_note(RunState state)
{
    g_strlcpy(section.state, enum_table_name(&run_state_names, state), sizeof(section.state));
}

RunState run_state_section_loaded(void)
{
    return section.loaded;
}
