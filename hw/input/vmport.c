/*
 * vmport: the port on which VMware's tools call their hypervisor (open-vm-tools, backdoor_def.h):
 * magic in EAX, command in CX. It answers version, UUID, memory size and time; the pointer's
 * commands are vmmouse's. Frequencies and vCPU information are left to CPUID leaves.
 *
 * Old machine types behave otherwise in four respects, each a property: whether EAX is written as
 * the value that is read, unknown commands give -1, the version tells the product, newer commands
 * exist.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/vmport.h"
#include "hw/core/machine.h"
#include "system/identity.h"
#include "system/vcpu.h"
#include "util/byte_order.h"

#define VMPORT_ADDRESS 0x5658
#define US_PER_SEC     1000000
#define TIME_LAG_US    1000000 /* the most that a tick may be late */

enum {
    CMD_GET_VERSION = 0x0a, CMD_GET_UUID = 0x13, CMD_GET_RAM_BYTES = 0x14, CMD_GET_TIME = 0x17,
    CMD_GET_TIME_FULL = 0x2e,
};

typedef struct Vmport {
    IsaDevice parent;
    MemoryRegion region;
    bool sets_eax, signals_unsupported, reports_type, has_new_commands;
    uint32_t version;
    uint8_t product;
    struct {
        VmportCommand *fn;
        void *opaque;
    } commands[VMPORT_COMMANDS];
} Vmport;
DECLARE_CAST(Vmport, VMPORT)

/* --- its own commands --- */

static uint32_t get_version(void *opaque, PortCallRegs *regs)
{
    regs->ebx = VMPORT_MAGIC;
    if (VMPORT(opaque)->reports_type) {
        regs->ecx = VMPORT(opaque)->product;
    }
    return VMPORT(opaque)->version;
}

static uint32_t get_uuid(void *opaque, PortCallRegs *regs)
{
    const uint8_t *uuid = identity_uuid();

    regs->ebx = load_le32(uuid + 4);
    regs->ecx = load_le32(uuid + 8);
    regs->edx = load_le32(uuid + 12);
    return load_le32(uuid);
}

static uint32_t get_ram_bytes(void *opaque, PortCallRegs *regs)
{
    regs->ebx = 0x1177;
    return machine_current()->memory.size_bytes;
}

/* Seconds past 2106 do not fit and are -1. */
static uint32_t get_time(void *opaque, PortCallRegs *regs)
{
    int64_t now_us = clock_now_us(CLOCK_HOST);
    int64_t seconds = now_us / US_PER_SEC;

    regs->ebx = now_us % US_PER_SEC;
    regs->ecx = TIME_LAG_US;
    return seconds > UINT32_MAX ? UINT32_MAX : seconds;
}

static uint32_t get_time_full(void *opaque, PortCallRegs *regs)
{
    int64_t now_us = clock_now_us(CLOCK_HOST);
    int64_t seconds = now_us / US_PER_SEC;

    regs->ebx = now_us % US_PER_SEC;
    regs->ecx = TIME_LAG_US;
    regs->esi = seconds >> 32;
    regs->edx = seconds;
    return VMPORT_MAGIC;
}

static const struct {
    uint8_t command;
    bool is_new;
    VmportCommand *fn;
} own_commands[] = {
    { CMD_GET_VERSION, false, get_version }, { CMD_GET_RAM_BYTES, false, get_ram_bytes },
    { CMD_GET_UUID, true, get_uuid }, { CMD_GET_TIME, true, get_time },
    { CMD_GET_TIME_FULL, true, get_time_full },
};

/* --- the port --- */

Device *vmport_find(IsaBus *bus)
{
    for (guint i = 0; i < bus->parent.devices->len; i++) {
        if (object_is_a(bus->parent.devices->pdata[i], TYPE_VMPORT)) {
            return bus->parent.devices->pdata[i];
        }
    }
    return NULL;
}

bool vmport_set_command(Device *vmport, unsigned command, VmportCommand *fn, void *opaque)
{
    Vmport *s = VMPORT(vmport);

    assert(command < VMPORT_COMMANDS);
    if (fn && s->commands[command].fn) {
        return false;
    }
    s->commands[command].fn = fn;
    s->commands[command].opaque = opaque;
    return true;
}

uint32_t vmport_call(Device *vmport, PortCallRegs *regs)
{
    Vmport *s = VMPORT(vmport);
    uint16_t command = regs->ecx;
    uint32_t eax = s->signals_unsupported ? UINT32_MAX : regs->eax;

    if (regs->eax == VMPORT_MAGIC && command < VMPORT_COMMANDS && s->commands[command].fn) {
        eax = s->commands[command].fn(s->commands[command].opaque, regs);
    }
    if (s->sets_eax) {
        regs->eax = eax;
    }
    return eax;
}

static uint64_t port_read(void *opaque, uint64_t offset, unsigned bytes)
{
    Vcpu *vcpu = vcpu_current();
    const PortCallCpu *ops;
    PortCallRegs regs;
    uint32_t value;

    if (!vcpu || !object_is_a(vcpu->object, TYPE_PORT_CALL_CPU)) {
        return UINT32_MAX;
    }
    ops = object_interface(vcpu->object, TYPE_PORT_CALL_CPU);
    ops->get(vcpu->object, &regs);
    value = vmport_call(opaque, &regs);
    ops->set(vcpu->object, &regs);
    return value;
}

/* The same call; what would be read is left in EAX. */
static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    Vcpu *vcpu = vcpu_current();
    const PortCallCpu *ops;
    PortCallRegs regs;

    if (!vcpu || !object_is_a(vcpu->object, TYPE_PORT_CALL_CPU)) {
        return;
    }
    ops = object_interface(vcpu->object, TYPE_PORT_CALL_CPU);
    ops->get(vcpu->object, &regs);
    regs.eax = vmport_call(opaque, &regs);
    ops->set(vcpu->object, &regs);
}

static const MemoryOps port_ops = {
    .read = port_read, .write = port_write, .endian = ENDIAN_LITTLE, .impl = { 4, 4 },
};

static void vmport_init(Object *obj)
{
    memory_region_init_io(&VMPORT(obj)->region, obj, &port_ops, TYPE_VMPORT, 4);
}

static void vmport_finalize(Object *obj)
{
    memory_region_clear(&VMPORT(obj)->region);
}

static bool vmport_realize(Device *dev, Error **errp)
{
    Vmport *s = VMPORT(dev);
    Device *other = vmport_find(isa_device_bus(&s->parent));

    if (other && other != dev) {
        return error_set(errp, "there is a vmport already");
    }
    for (size_t i = 0; i < ARRAY_SIZE(own_commands); i++) {
        if (s->has_new_commands || !own_commands[i].is_new) {
            vmport_set_command(dev, own_commands[i].command, own_commands[i].fn, s);
        }
    }
    return isa_device_map(&s->parent, &s->region, VMPORT_ADDRESS, errp);
}

static void vmport_unrealize(Device *dev)
{
    memset(VMPORT(dev)->commands, 0, sizeof(VMPORT(dev)->commands));
}

static const Property vmport_props[] = {
    PROP_BOOL("x-read-set-eax", Vmport, sets_eax, .initial = true,
              .doc = "A command's answer is written to EAX"),
    PROP_BOOL("x-signal-unsupported-cmd", Vmport, signals_unsupported, .initial = true,
              .doc = "Unknown commands answer -1"),
    PROP_BOOL("x-report-vmx-type", Vmport, reports_type, .initial = true,
              .doc = "The version command tells the product"),
    PROP_BOOL("x-cmds-v2", Vmport, has_new_commands, .initial = true,
              .doc = "Commands for UUID and time exist"),
    PROP_U32("vmware-vmx-version", Vmport, version, .initial = 6, .doc = "The version it tells"),
    PROP_U8("vmware-vmx-type", Vmport, product, .initial = 2,
            .doc = "The product it tells: 1 Express, 2 ESX Server, 3 VMware Server, "
                   "4 Workstation, 5 ACE"),
};

static const DeviceType vmport_type = {
    .name = TYPE_VMPORT,
    .doc = "VMware's call port",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Vmport),
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(vmport_props),
    .init = vmport_init,
    .finalize = vmport_finalize,
    .realize = vmport_realize,
    .unrealize = vmport_unrealize,
};
DEVICE_TYPE(vmport_type)
