/*
 * HMP commands on devices and CPUs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "hw/core/cpu.h"
#include "hw/core/device.h"

void hmp_device_add(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) options = hmp_parse_options(hmp, args, "driver");
    Error *err = NULL;

    if (!options) {
        return;
    }
    if (!hmp_has(options, "help")) {
        if (!device_add(options, PROPERTY_TEXT, &err)) {
            hmp_report(hmp, err);
        }
    } else if (!hmp_has(options, "driver")) {
        device_print_types(hmp->out, false);
    } else if (!device_print_help(hmp->out, hmp_text(options, "driver"), &err)) {
        hmp_report(hmp, err);
    }
}

void complete_device_type(HmpWords *words)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_DEVICE, false);

    for (guint i = 0; i < types->len; i++) {
        const DeviceType *type = type_ops(g_ptr_array_index(types, i));

        if (type->access == DEVICE_ACCESS_USER) {
            hmp_offer(words, type->name);
        }
    }
}

void hmp_qtree(Hmp *hmp, json_object *args)
{
    device_print_tree(hmp->out);
}

void hmp_qdm(Hmp *hmp, json_object *args)
{
    device_print_types(hmp->out, true);
}

/* --- CPUs --- */

void hmp_cpu(Hmp *hmp, json_object *args)
{
    int64_t index = hmp_int(args, "index");

    if (index < 0 || index >= VCPU_NO_INDEX || !vcpu_by_index(index)) {
        hmp_printf(hmp, "invalid CPU index\n");
    } else {
        hmp->session->cpu_index = index;
    }
}

static void print_registers(Hmp *hmp, Vcpu *vcpu)
{
    Cpu *cpu = CPU(vcpu->object);

    hmp_printf(hmp, "\nCPU#%u\n", vcpu->index);
    if (cpu_ops(cpu)->print_registers) {
        cpu_ops(cpu)->print_registers(cpu, hmp->out);
    }
}

void hmp_registers(Hmp *hmp, json_object *args)
{
    int64_t index = hmp_has(args, "vcpu") ? hmp_int(args, "vcpu") : hmp->session->cpu_index;
    Vcpu *chosen = index < 0 ? vcpu_first() : vcpu_by_index(MIN(index, VCPU_NO_INDEX));

    if (hmp_bool(args, "all")) {
        for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
            print_registers(hmp, vcpu);
        }
    } else if (chosen) {
        print_registers(hmp, chosen);
    } else if (hmp_has(args, "vcpu")) {
        hmp_printf(hmp, "CPU#%" PRId64 " not available\n", index);
    } else {
        hmp_printf(hmp, "No CPU available\n");
    }
}
