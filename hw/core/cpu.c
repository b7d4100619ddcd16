/*
 * The base of all CPUs: a device whose vCPU joins the machine's when it is realized.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/cpu_models.h"
#include "hw/core/machine.h"

/* Of this binary: one, like its target. */
static const CpuModels *the_models;

void cpu_models_set(const CpuModels *models)
{
    assert(!the_models);
    the_models = models;
}

const CpuModels *cpu_models(void)
{
    return the_models;
}

static void cpu_init(Object *obj)
{
    Cpu *cpu = CPU(obj);

    vcpu_init(&cpu->vcpu, obj, cpu_ops(cpu)->vcpu_ops);
    for (size_t i = 0; i < ARRAY_SIZE(cpu->ids); i++) {
        cpu->ids[i] = -1;
    }
    cpu->node_id = -1;
}

static void cpu_finalize(Object *obj)
{
    vcpu_clear(&CPU(obj)->vcpu);
}

static bool cpu_realize(Device *dev, Error **errp)
{
    Cpu *cpu = CPU(dev);

    cpu->vcpu.is_halted = cpu->start_powered_off;
    return vcpu_add(&cpu->vcpu, errp);
}

static void cpu_unrealize(Device *dev)
{
    Cpu *cpu = CPU(dev);

    vcpu_remove(&cpu->vcpu);
    if (cpu->slot) {
        cpu->slot->cpu = NULL;
        cpu->slot = NULL;
    }
}

static void cpu_reset_hold(Device *dev)
{
    CPU(dev)->vcpu.is_halted = CPU(dev)->start_powered_off;
}

static const Property cpu_props[] = {
    PROP_BOOL("start-powered-off", Cpu, start_powered_off,
              .doc = "Waits to be powered on by another CPU"),
};

static const VMField cpu_fields[] = { VM_BOOL(Cpu, vcpu.is_halted) };

static const CpuType cpu_type = {
    .name = TYPE_CPU,
    .doc = "A virtual CPU",
    .parent = TYPE_DEVICE,
    .size = sizeof(Cpu),
    .is_abstract = true,
    .init = cpu_init,
    .finalize = cpu_finalize,
    .properties = PROPERTIES(cpu_props),
    .category = DEVICE_CATEGORY_CPU,
    .access = DEVICE_ACCESS_BOARD,
    .vmstate = VMSTATE(cpu_fields, .version = 1),
    .realize = cpu_realize,
    .unrealize = cpu_unrealize,
    .reset_hold = cpu_reset_hold,
};
CPU_TYPE(cpu_type)

bool cpu_create_in_slot(Machine *machine, CpuSlot *slot, Error **errp)
{
    g_autoptr(Device) dev = device_new(slot->type_name);
    Cpu *cpu = CPU(dev);

    for (size_t i = 0; i < ARRAY_SIZE(cpu->ids); i++) {
        cpu->ids[i] = cpu->ids[i] == -1 ? slot->ids[i] : cpu->ids[i];
    }
    if (cpu->node_id == -1) {
        cpu->node_id = slot->node_id;
    }
    cpu->slot = slot;
    slot->cpu = dev;
    if (!device_realize(dev, NULL, errp)) {
        slot->cpu = NULL;
        cpu->slot = NULL;
        return false;
    }
    return true;
}
