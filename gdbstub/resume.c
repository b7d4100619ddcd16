/*
 * Letting vCPUs go on or make a step, and telling the client that they stopped. All stop together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "stub.h"

#include "system/clock.h"
#include "system/run_state.h"

enum { SIGNAL_INT = 2, SIGNAL_QUIT = 3, SIGNAL_TRAP = 5, SIGNAL_ABRT = 6, SIGNAL_ALRM = 14,
       SIGNAL_IO = 23, SIGNAL_XCPU = 24 };

/* --- going on --- */

static bool all_continue(const char *actions, unsigned count)
{
    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        if (vcpu->index >= count || actions[vcpu->index] != 'c') {
            return false;
        }
    }
    return true;
}

static void resume_one(GdbStub *s, Vcpu *vcpu, char action)
{
    if (action) {
        vcpu->step = action == 's' ? VCPU_STEP | s->step_flags : 0;
        vcpu_resume(vcpu);
    }
}

void gdb_resume(GdbStub *s, const char *actions, unsigned count)
{
    DebugStop old;

    if (run_state_needs_reset() || !vcpu_first()) {
        gdb_send_stop(s, SIGNAL_TRAP, NULL);
        return;
    }
    debug_take_stop(&old);
    s->is_waiting = true;
    if (all_continue(actions, count)) {
        vm_start();
        return;
    }
    vm_prepare_start();
    if (s->step_flags & VCPU_STEP_NO_TIMER) {
        clock_stop_virtual();
    }
    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        resume_one(s, vcpu, vcpu->index < count ? actions[vcpu->index] : 0);
    }
}

static unsigned action_count(void)
{
    unsigned count = 0;

    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        count = MAX(count, vcpu->index + 1);
    }
    return count;
}

void gdb_resume_all(GdbStub *s, char action)
{
    unsigned count = action_count();
    g_autofree char *actions = g_malloc0(count + 1);

    memset(actions, 'c', count);
    if (s->continue_cpu < count) {
        actions[s->continue_cpu] = action;
    }
    gdb_resume(s, actions, count);
}

/* The first that fits a thread stands. */
static bool take_action(GdbStub *s, const char **text, char *actions, unsigned count)
{
    char action = g_ascii_tolower(**text);
    uint32_t index = GDB_ALL_CPUS;
    uint64_t signal;

    if (action != 'c' && action != 's') {
        return false;
    }
    /* C and S bring a signal, which means nothing here. */
    if (g_ascii_isupper(*(*text)++) && !gdb_read_number(text, &signal)) {
        return false;
    }
    if (**text == ':') {
        (*text)++;
        if (!gdb_read_thread(text, s->general_cpu, &index)) {
            return false;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (!actions[i] && (index == GDB_ALL_CPUS || index == i)) {
            actions[i] = action;
        }
    }
    return true;
}

void gdb_run_vcont(GdbStub *s, const char *text)
{
    unsigned count = action_count();
    g_autofree char *actions = g_malloc0(count + 1);

    if (!strcmp(text, "?")) {
        gdb_send_text(s, "vCont;c;C;s;S");
        return;
    }
    while (*text == ';') {
        text++;
        if (!take_action(s, &text, actions, count)) {
            gdb_send_error(s, 22);
            return;
        }
    }
    if (*text || (!memchr(actions, 'c', count) && !memchr(actions, 's', count))) {
        gdb_send_error(s, 22);
        return;
    }
    gdb_resume(s, actions, count);
}

/* --- stopping --- */

void gdb_forget_points(void)
{
    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        vcpu->step = 0;
    }
    debug_point_remove_all();
}

static void describe_stop(const GdbStub *s, const DebugStop *stop, GString *out)
{
    static const char *const watch_names[DEBUG_POINT_KINDS] = {
        [DEBUG_WATCH_WRITE] = "watch", [DEBUG_WATCH_READ] = "rwatch",
        [DEBUG_WATCH_ACCESS] = "awatch",
    };

    if (stop->reason == DEBUG_STOP_WATCH) {
        g_string_append_printf(out, "%s:%" PRIx64 ";", watch_names[stop->point.kind],
                               stop->point.addr);
    } else if (stop->reason == DEBUG_STOP_BREAK && s->tells_break_kind) {
        g_string_append(out, stop->point.kind == DEBUG_BREAK_SOFTWARE ? "swbreak:;" : "hwbreak:;");
    }
}

void gdb_send_stop(GdbStub *s, unsigned signal, const DebugStop *stop)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, "T%02xthread:%02x;", signal, s->general_cpu + 1);
    if (stop) {
        describe_stop(s, stop, text);
    }
    gdb_send(s, text->str, text->len);
}

static unsigned signal_of(int run_state)
{
    switch (run_state) {
    case RUN_STATE_DEBUG:
        return SIGNAL_TRAP;
    case RUN_STATE_SHUTDOWN:
        return SIGNAL_QUIT;
    case RUN_STATE_IO_ERROR:
        return SIGNAL_IO;
    case RUN_STATE_WATCHDOG:
        return SIGNAL_ALRM;
    case RUN_STATE_INTERNAL_ERROR:
    case RUN_STATE_GUEST_PANICKED:
        return SIGNAL_ABRT;
    case RUN_STATE_FINISH_MIGRATE:
        return SIGNAL_XCPU;
    default:
        return SIGNAL_INT;
    }
}

void gdb_stopped(GdbStub *s, int run_state)
{
    DebugStop stop;
    bool has_stop;

    /* It goes on by itself. */
    if (run_state == RUN_STATE_SAVE_VM || run_state == RUN_STATE_RESTORE_VM) {
        return;
    }
    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        vcpu->step = 0;
    }
    has_stop = debug_take_stop(&stop) && run_state == RUN_STATE_DEBUG;
    if (!s->is_waiting) {
        return;
    }
    s->is_waiting = false;
    if (has_stop) {
        s->general_cpu = s->continue_cpu = stop.vcpu_index;
    }
    gdb_send_stop(s, signal_of(run_state), has_stop ? &stop : NULL);
}
