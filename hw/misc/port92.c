/*
 * port92: system control port A of the PS/2: bit 0 set resets the machine, bit 1 is the A20 gate.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"
#include "system/run_state.h"

#define PORT92_ADDRESS 0x92
#define PORT92_INIT    BIT(0)
#define PORT92_A20     BIT(1)

typedef struct Port92 {
    IsaDevice parent;
    IrqLine a20;
    uint8_t outport;
} Port92;
DECLARE_CAST(Port92, PORT92)

static void port92_write(Device *dev, unsigned n, uint64_t value)
{
    Port92 *s = PORT92(dev);
    bool is_init = value & ~s->outport & PORT92_INIT;

    s->outport = value;
    irq_set(&s->a20, (value & PORT92_A20) != 0);
    if (is_init) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static void port92_reset_line(Device *dev)
{
    irq_set(&PORT92(dev)->a20, 0);
}

static bool port92_post_load(void *opaque, int version, Error **errp)
{
    Port92 *s = opaque;

    irq_set(&s->a20, (s->outport & PORT92_A20) != 0);
    return true;
}

static bool port92_realize(Device *dev, Error **errp)
{
    return isa_device_map_registers(ISA_DEVICE(dev), PORT92_ADDRESS, errp);
}

static const RegDef port92_regs[] = {
    REG(0, "OUTPORT", Port92, outport, .write = port92_write),
};
static const VMField port92_fields[] = { VM_REGISTERS };

static const DeviceType port92_type = {
    .name = "port92",
    .doc = "System control port A",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Port92),
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .registers = REG_MAP(port92_regs, .size = 1, .width = 1),
    .irqs = IRQS(((const IrqDef[]){ IRQ_ROW_OUT("a20", Port92, a20) })),
    .vmstate = VMSTATE(port92_fields, .version = 1, .post_load = port92_post_load),
    .realize = port92_realize,
    .reset_exit = port92_reset_line,
};
DEVICE_TYPE(port92_type)
