/*
 * tcg: the software CPU as an accelerator: its options, threads, and what it hears of the machine.
 * What it runs is in exec.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"
#include "accel/tcg/icount.h"
#include "system/accel.h"
#include "system/clock.h"
#include "system/memory_listener.h"
#include "system/timer.h"
#include "system/vcpu_thread.h"

#define SLICE_NS (10 * NS_PER_MS) /* of a thread that vCPUs share */

typedef enum ThreadMode { THREAD_SINGLE, THREAD_MULTI } ThreadMode;
static const char *const thread_mode_names[] = { "single", "multi" };
static const EnumTable thread_mode_table = { "TcgThreadMode", thread_mode_names, 2 };

typedef struct TcgAccel {
    Accel parent;
    int thread_mode;
    uint32_t tb_size_mib;
    bool is_one_insn_per_tb;
    bool is_split_wx;
    bool is_jit;
    MemoryListener listener;
    bool is_listening;
    Timer slice;
    bool has_slices;
} TcgAccel;
DECLARE_CAST(TcgAccel, TCG_ACCEL)

/* --- the memory map: what TLBs hold may be wrong after a change --- */

static void map_changed(MemoryListener *listener)
{
    tcg_tlb_flush_all_cpus();
}

static void log_changed(MemoryListener *listener, const MemorySection *section)
{
    tcg_tlb_flush_all_cpus();
}

static const MemoryListenerOps listener_ops = {
    .name = "tcg",
    .commit = map_changed,
    .log_clear = log_changed,
};

static bool tcg_init_machine(Accel *accel, Object *machine, Error **errp)
{
    TcgAccel *tcg = TCG_ACCEL(accel);

    tcg_options.is_jit = tcg->is_jit;
    tcg_options.is_one_insn = tcg->is_one_insn_per_tb;
    tcg_options.is_single_thread = tcg->thread_mode == THREAD_SINGLE;
    tcg_options.cache_bytes = tcg->tb_size_mib ? tcg->tb_size_mib * MiB : tcg_options.cache_bytes;
    region_init();
    if (tcg->is_jit && !host_init(tcg_options.cache_bytes, NULL)) {
        tcg_options.is_jit = false;
    }
    memory_listener_register(&tcg->listener, &listener_ops, address_space_system());
    tcg->is_listening = true;
    return true;
}

static void tcg_finalize(Object *object)
{
    TcgAccel *tcg = TCG_ACCEL(object);

    if (tcg->is_listening) {
        memory_listener_unregister(&tcg->listener);
    }
    if (tcg->has_slices) {
        timer_clear(&tcg->slice);
    }
}

/* --- threads --- */

static void end_slice(void *opaque)
{
    TcgAccel *tcg = opaque;

    for (Vcpu *cpu = vcpu_first(); cpu; cpu = vcpu_next(cpu)) {
        vcpu_kick(cpu);
    }
    timer_arm_after_ns(&tcg->slice, SLICE_NS);
}

static void begin_slices(TcgAccel *tcg)
{
    if (!tcg->has_slices) {
        tcg->has_slices = true;
        timer_init(&tcg->slice, CLOCK_REAL, end_slice, tcg);
        timer_arm_after_ns(&tcg->slice, SLICE_NS);
    }
}

static bool tcg_start_vcpu(Accel *accel, Vcpu *cpu, Error **errp)
{
    bool is_single = tcg_options.is_single_thread;
    g_autofree char *name = g_strdup_printf(is_single ? "ALL CPUs/TCG" : "CPU %u/TCG", cpu->index);

    if (is_single) {
        for (Vcpu *other = vcpu_first(); other; other = vcpu_next(other)) {
            if (other->thread) {
                vcpu_thread_join(cpu, other);
                if (!tcg_options.is_counting) {
                    begin_slices(TCG_ACCEL(accel));
                }
                return true;
            }
        }
    }
    return vcpu_thread_start(cpu, name, tcg_cpu_of(cpu) ? exec_run : NULL, errp);
}

static void tcg_end_vcpu(Accel *accel, Vcpu *cpu)
{
    vcpu_thread_leave(cpu);
}

static void tcg_kick(Vcpu *cpu)
{
    if (tcg_cpu_of(cpu)) {
        __atomic_store_n(&tcg_cpu_of(cpu)->exit_wanted, 1, __ATOMIC_SEQ_CST);
    }
    if (tcg_options.is_counting) {
        icount_kicked();
    }
}

static bool tcg_count_time(Accel *accel, const AccelCounting *how, Error **errp)
{
    tcg_options.is_single_thread = true;
    return icount_start(how, errp);
}

static void tcg_print_translated(Accel *accel, GString *out)
{
    g_string_append_printf(out, "host code            %s\n", tcg_options.is_jit ? "on" : "off");
    region_info(out);
    host_info(out);
}

static void tcg_set_one_insn(Accel *accel, bool is_on)
{
    TCG_ACCEL(accel)->is_one_insn_per_tb = tcg_options.is_one_insn = is_on;
    region_flush_all();
}

static void tcg_debug_points_changed(Accel *accel)
{
    debug_points_apply();
}

static const Property tcg_props[] = {
    PROP_ENUM("thread", TcgAccel, thread_mode, thread_mode_table, .initial = THREAD_MULTI,
              .type_text = "string", .doc = "One thread for all vCPUs, or one for each"),
    PROP_U32("tb-size", TcgAccel, tb_size_mib, .max = 16384,
             .doc = "Translation cache, in MiB; 0 is chosen by the program"),
    PROP_BOOL("one-insn-per-tb", TcgAccel, is_one_insn_per_tb,
              .doc = "Put one guest instruction into each translation"),
    PROP_BOOL("split-wx", TcgAccel, is_split_wx,
              .doc = "Map the translation cache twice: writable, and executable (always so)"),
    PROP_BOOL("jit", TcgAccel, is_jit, .initial = true,
              .doc = "Translate to host code where there is a back end; else interpret"),
};

static const AccelType tcg_accel_type = {
    .name = "tcg" ACCEL_SUFFIX,
    .doc = "Runs guest code by translating it",
    .parent = TYPE_ACCEL,
    .size = sizeof(TcgAccel),
    .properties = PROPERTIES(tcg_props),
    .finalize = tcg_finalize,
    .title = "TCG",
    .init_machine = tcg_init_machine,
    .start_vcpu = tcg_start_vcpu,
    .end_vcpu = tcg_end_vcpu,
    .kick = tcg_kick,
    .print_translated = tcg_print_translated,
    .set_one_insn = tcg_set_one_insn,
    .count_time = tcg_count_time,
    .debug_points_changed = tcg_debug_points_changed,
};
OBJECT_TYPE(tcg_accel_type)
