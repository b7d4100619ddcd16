/*
 * tcg: the software CPU. In this build it has the accelerator's options and its threads; vCPUs
 * are parked in them and execute nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/accel.h"
#include "system/vcpu_thread.h"

typedef enum ThreadMode { THREAD_SINGLE, THREAD_MULTI } ThreadMode;
static const char *const thread_mode_names[] = { "single", "multi" };
static const EnumTable thread_mode_table = { "TcgThreadMode", thread_mode_names, 2 };

typedef struct TcgAccel {
    Accel parent;
    int thread_mode;
    uint32_t tb_size_mib;
    bool is_one_insn_per_tb;
    bool is_split_wx;
} TcgAccel;
DECLARE_CAST(TcgAccel, TCG_ACCEL)

static bool tcg_start_vcpu(Accel *accel, Vcpu *cpu, Error **errp)
{
    bool is_single = TCG_ACCEL(accel)->thread_mode == THREAD_SINGLE;
    g_autofree char *name = g_strdup_printf(is_single ? "ALL CPUs/TCG" : "CPU %u/TCG", cpu->index);

    if (is_single) {
        for (Vcpu *other = vcpu_first(); other; other = vcpu_next(other)) {
            if (other->thread) {
                vcpu_thread_join(cpu, other);
                return true;
            }
        }
    }
    return vcpu_thread_start(cpu, name, NULL, errp);
}

static void tcg_end_vcpu(Accel *accel, Vcpu *cpu)
{
    vcpu_thread_leave(cpu);
}

static const Property tcg_props[] = {
    PROP_ENUM("thread", TcgAccel, thread_mode, thread_mode_table, .initial = THREAD_MULTI,
              .type_text = "string", .doc = "One thread for all vCPUs, or one for each"),
    PROP_U32("tb-size", TcgAccel, tb_size_mib, .max = 16384,
             .doc = "Translation cache, in MiB; 0 is chosen by the size of guest RAM"),
    PROP_BOOL("one-insn-per-tb", TcgAccel, is_one_insn_per_tb,
              .doc = "Put one guest instruction into each translation"),
    PROP_BOOL("split-wx", TcgAccel, is_split_wx,
              .doc = "Map the translation cache twice: writable, and executable"),
};

static const AccelType tcg_accel_type = {
    .name = "tcg" ACCEL_SUFFIX,
    .doc = "Runs guest code by translating it",
    .parent = TYPE_ACCEL,
    .size = sizeof(TcgAccel),
    .properties = PROPERTIES(tcg_props),
    .title = "TCG",
    .start_vcpu = tcg_start_vcpu,
    .end_vcpu = tcg_end_vcpu,
};
OBJECT_TYPE(tcg_accel_type)
