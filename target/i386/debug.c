/*
 * An x86 CPU as debuggers look at it: addresses, instructions, names of registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/debug.h"

#include <Zydis/Zydis.h>

#include "hw/core/local_apic.h"
#include "target/i386/control.h"
#include "target/i386/flags.h"
#include "target/i386/memory.h"
#include "target/i386/page_list.h"

static bool x86_locate(Cpu *base, uint64_t addr, CpuPlace *place)
{
    X86Cpu *cpu = X86_CPU(base);
    X86Page page;

    if (!x86_is_canonical(&cpu->state, addr) || !x86_walk_debug(cpu, addr, &page)) {
        return false;
    }
    place->as = x86_memory_space(cpu);
    place->attrs = x86_mem_attrs(cpu);
    place->physical = page.physical;
    place->bytes = BIT64(page.bits) - (addr & (BIT64(page.bits) - 1));
    return true;
}

static ZydisMachineMode machine_mode(uint32_t mode)
{
    return mode & X86_MODE_CODE64 ? ZYDIS_MACHINE_MODE_LONG_64 :
           mode & X86_MODE_CODE32 ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LEGACY_16;
}

/* AT&T syntax, as the assembler takes it; made once, read only. */
static const ZydisFormatter *formatter(void)
{
    static ZydisFormatter made;
    static gsize is_made;

    if (g_once_init_enter(&is_made)) {
        ZydisFormatterInit(&made, ZYDIS_FORMATTER_STYLE_ATT);
        ZydisFormatterSetProperty(&made, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
        ZydisFormatterSetProperty(&made, ZYDIS_FORMATTER_PROP_IMM_SIGNEDNESS,
                                  ZYDIS_SIGNEDNESS_UNSIGNED);
        ZydisFormatterSetProperty(&made, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
                                  ZYDIS_PADDING_DISABLED);
        g_once_init_leave(&is_made, 1);
    }
    return &made;
}

unsigned x86_format_insn(uint32_t mode, uint64_t addr, const uint8_t *code, unsigned bytes,
                         GString *out)
{
    ZydisDisassembledInstruction in;
    char text[128];

    if (!ZYAN_SUCCESS(ZydisDisassembleATT(machine_mode(mode), addr, code, bytes, &in)) ||
        !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
            formatter(), &in.info, in.operands, in.info.operand_count_visible, text, sizeof(text),
            addr, NULL))) {
        return 0;
    }
    g_string_append(out, text);
    return in.info.length;
}

static unsigned x86_disassemble_one(Cpu *cpu, uint64_t addr, const uint8_t *code, unsigned bytes,
                                    GString *out)
{
    return x86_format_insn(X86_CPU(cpu)->state.mode, addr, code, bytes, out);
}

static uint64_t x86_debug_pc(Cpu *cpu)
{
    return X86_CPU(cpu)->state.pc;
}

static void x86_debug_set_pc(Cpu *cpu, uint64_t pc)
{
    X86_CPU(cpu)->state.pc = pc;
}

/* --- names --- */

typedef struct Name {
    const char *name, *other;
    size_t offset;
} Name;

static const Name names[] = {
    { "rax", "eax", offsetof(X86State, gpr[X86_RAX]) },
    { "rbx", "ebx", offsetof(X86State, gpr[X86_RBX]) },
    { "rcx", "ecx", offsetof(X86State, gpr[X86_RCX]) },
    { "rdx", "edx", offsetof(X86State, gpr[X86_RDX]) },
    { "rsi", "esi", offsetof(X86State, gpr[X86_RSI]) },
    { "rdi", "edi", offsetof(X86State, gpr[X86_RDI]) },
    { "rbp", "ebp", offsetof(X86State, gpr[X86_RBP]) },
    { "rsp", "esp", offsetof(X86State, gpr[X86_RSP]) },
    { "r8", "r8", offsetof(X86State, gpr[8]) },    { "r9", "r9", offsetof(X86State, gpr[9]) },
    { "r10", "r10", offsetof(X86State, gpr[10]) }, { "r11", "r11", offsetof(X86State, gpr[11]) },
    { "r12", "r12", offsetof(X86State, gpr[12]) }, { "r13", "r13", offsetof(X86State, gpr[13]) },
    { "r14", "r14", offsetof(X86State, gpr[14]) }, { "r15", "r15", offsetof(X86State, gpr[15]) },
    { "cr0", "cr0", offsetof(X86State, cr0) },     { "cr2", "cr2", offsetof(X86State, cr2) },
    { "cr3", "cr3", offsetof(X86State, cr3) },     { "cr4", "cr4", offsetof(X86State, cr4) },
    { "efer", "efer", offsetof(X86State, efer) },
};
static const char *const segment_names[] = { "es", "cs", "ss", "ds", "fs", "gs" };

/* "cs", "cs.base", "cs.limit" */
static bool find_segment(const X86State *s, const char *name, uint64_t *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(segment_names); i++) {
        if (strncmp(name, segment_names[i], 2)) {
            continue;
        }
        *value = s->seg[i].selector;
        if (!strcmp(name + 2, ".base")) {
            *value = s->seg[i].base;
        } else if (!strcmp(name + 2, ".limit")) {
            *value = s->seg[i].limit;
        } else if (name[2]) {
            return false;
        }
        return true;
    }
    return false;
}

static bool x86_find_register(Cpu *cpu, const char *name, uint64_t *value)
{
    const X86State *s = &X86_CPU(cpu)->state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i].name) || !strcmp(name, names[i].other)) {
            memcpy(value, (const char *)s + names[i].offset, sizeof(*value));
            return true;
        }
    }
    if (!strcmp(name, "pc")) {
        *value = s->pc;
    } else if (!strcmp(name, "eip") || !strcmp(name, "rip")) {
        *value = x86_rip(s);
    } else if (!strcmp(name, "eflags") || !strcmp(name, "rflags")) {
        *value = x86_eflags(s);
    } else {
        return find_segment(s, name, value);
    }
    return true;
}

static void x86_print_controller(Cpu *cpu, GString *out)
{
    Device *apic = X86_CPU(cpu)->apic;

    if (apic && local_apic_ops(apic)->print) {
        local_apic_ops(apic)->print(apic, out);
    } else {
        g_string_append(out, "No local APIC\n");
    }
}

const CpuDebug x86_cpu_debug = {
    .locate = x86_locate,
    .disassemble = x86_disassemble_one,
    .pc = x86_debug_pc,
    .set_pc = x86_debug_set_pc,
    .find_register = x86_find_register,
    .print_pages = x86_print_pages,
    .print_ranges = x86_print_ranges,
    .each_mapping = x86_each_mapping,
    .print_controller = x86_print_controller,
    .architecture = x86_gdb_architecture,
    .register_set = x86_gdb_register_set,
    .elf_machine = x86_elf_machine,
    .write_notes = x86_write_notes,
};
