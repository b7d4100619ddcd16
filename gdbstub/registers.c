/*
 * Registers: numbers in the order of a CPU's sets, and the description gdb learns them from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "stub.h"

#define MAX_REGISTER_BYTES 64

const CpuRegisterSet *gdb_find_register(Cpu *cpu, unsigned *n)
{
    const CpuRegisterSet *set;

    for (unsigned i = 0; (set = cpu_debug(cpu)->register_set(cpu, i)); i++) {
        if (*n < set->count) {
            return set;
        }
        *n -= set->count;
    }
    return NULL;
}

/* gdb asks for the first set at once, for the others one by one. */
void gdb_read_registers(Cpu *cpu, GString *out)
{
    const CpuRegisterSet *set = cpu_debug(cpu)->register_set(cpu, 0);

    for (unsigned n = 0; n < set->count; n++) {
        uint8_t value[MAX_REGISTER_BYTES];

        set->read(cpu, n, value);
        gdb_append_bytes(out, value, set->rows[n].bits / 8);
    }
}

bool gdb_write_registers(Cpu *cpu, const char *text)
{
    const CpuRegisterSet *set = cpu_debug(cpu)->register_set(cpu, 0);
    bool is_ok = true;

    for (unsigned n = 0; n < set->count; n++) {
        unsigned digits = set->rows[n].bits / 4;
        uint8_t value[MAX_REGISTER_BYTES];
        g_autofree char *part = g_strndup(text, digits);

        if (!gdb_read_bytes(part, value, digits / 2)) {
            return false;
        }
        is_ok &= set->write(cpu, n, value);
        text += digits;
    }
    return is_ok;
}

static void describe_set(const CpuRegisterSet *set, GString *out)
{
    g_string_append_printf(out, "<feature name=\"%s\">%s", set->feature,
                           set->types ? set->types : "");
    for (unsigned n = 0; n < set->count; n++) {
        const CpuRegister *row = &set->rows[n];

        g_string_append_printf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", row->name,
                               row->bits, row->type);
        if (row->group) {
            g_string_append_printf(out, " group=\"%s\"", row->group);
        }
        g_string_append(out, "/>");
    }
    g_string_append(out, "</feature>");
}

void gdb_describe_target(Cpu *cpu, GString *out)
{
    const CpuRegisterSet *set;

    g_string_append_printf(out, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
                           "<target version=\"1.0\"><architecture>%s</architecture>",
                           cpu_debug(cpu)->architecture(cpu));
    for (unsigned i = 0; (set = cpu_debug(cpu)->register_set(cpu, i)); i++) {
        describe_set(set, out);
    }
    g_string_append(out, "</target>");
}
