/*
 * Where a PC's memory above 4 GiB goes: RAM, memory that may be plugged, BARs; all of it must be
 * within the CPU's addresses. AMD CPUs have a hole for HyperTransport below 1 TiB: what would reach
 * into it begins at 1 TiB instead (AMD IOMMU specification 48882, table 3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "pc_machine.h"

#define HT_START  UINT64_C(0xfd00000000)
#define HT_BYTES  UINT64_C(0x300000000)
#define AFTER_HT  (HT_START + HT_BYTES) /* 1 TiB */
#define HT_LEAST_BITS 40                /* CPUs with fewer do not reach it */

typedef struct CpuFacts {
    unsigned physical_bits;
    bool is_amd, has_long_mode;
} CpuFacts;

static CpuFacts cpu_facts(Device *cpu)
{
    g_autofree char *vendor = object_get_text(cpu, "vendor");

    return (CpuFacts){ object_get_int(cpu, "phys-bits"), !strcmp(vendor, "AuthenticAMD"),
                       object_get_bool(cpu, "lm") };
}

/* The last address in use if what is above 4 GiB begins at `base`. */
static uint64_t last_address(const PcMachine *pc, const CpuFacts *cpu, uint64_t base)
{
    const MemorySizes *memory = &pc->parent.parent.memory;
    uint64_t split = pc_machine_ops(pc)->split_ram(pc);
    uint64_t end = base + (memory->size_bytes > split ? memory->size_bytes - split : 0);

    if (memory->slots && memory->max_bytes > memory->size_bytes) {
        end = ROUND_UP(end, GiB) + memory->max_bytes - memory->size_bytes + memory->slots * GiB;
    }
    /* Without long mode nobody maps BARs there. */
    return cpu->has_long_mode ? ROUND_UP(end, GiB) + pc->host->hole64_bytes - 1 : end - 1;
}

bool pc_place_memory(PcMachine *pc, Error **errp)
{
    X86Machine *x86 = &pc->parent;
    Device *boot_cpu = x86_boot_cpu(&x86->parent);
    CpuFacts cpu;
    uint64_t last, limit;

    if (!boot_cpu) {
        return true;
    }
    cpu = cpu_facts(boot_cpu);
    if (cpu.is_amd && last_address(pc, &cpu, x86->above_4g_base) >= HT_START) {
        x86->above_4g_base = AFTER_HT;
    }
    last = last_address(pc, &cpu, x86->above_4g_base);
    limit = BIT64(cpu.physical_bits) - 1;
    if (last > limit) {
        return error_set(errp, "Address space limit 0x%" PRIx64 " < 0x%" PRIx64
                         " phys-bits too low (%u)", limit, last, cpu.physical_bits);
    }
    if (cpu.is_amd && cpu.physical_bits >= HT_LEAST_BITS) {
        e820_add(x86->e820, HT_START, HT_BYTES, E820_RESERVED);
    }
    return true;
}
