/*
 * isa-pcspk: port 0x61 (NMI status and control, per the 82371 data sheets): gates counter 2 of the
 * interval timer and shows its output. Nothing is heard: there is no audio back end to play it, and
 * so no "audiodev". Parity and channel check are not there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/timer/i8254.h"

#define SPEAKER_COUNTER   2
#define CONTROL_GATE2     BIT(0)
#define CONTROL_SPEAKER   BIT(1)
#define CONTROL_WRITABLE  0x0f
#define STATUS_REFRESH    BIT(4)
#define STATUS_OUT2       BIT(5)
#define REFRESH_NS        15085

typedef struct Pcspk {
    IsaDevice parent;
    Object *pit;
    uint32_t iobase;
    bool is_migrated;
    uint8_t control;
} Pcspk;
DECLARE_CAST(Pcspk, PCSPK)

static void control_written(Device *dev)
{
    Device *pit = DEVICE(PCSPK(dev)->pit);

    pit_ops(pit)->set_gate(pit, SPEAKER_COUNTER, PCSPK(dev)->control & CONTROL_GATE2);
}

static uint64_t control_read(Device *dev, unsigned n)
{
    Device *pit = DEVICE(PCSPK(dev)->pit);
    bool is_refresh = clock_now_ns(CLOCK_VIRTUAL) / REFRESH_NS % 2;

    return PCSPK(dev)->control | (is_refresh ? STATUS_REFRESH : 0) |
           (pit_ops(pit)->out(pit, SPEAKER_COUNTER) ? STATUS_OUT2 : 0);
}

static bool pcspk_realize(Device *dev, Error **errp)
{
    if (!PCSPK(dev)->pit) {
        return error_set(errp, "isa-pcspk: property 'pit' is not set");
    }
    return isa_device_map_registers(ISA_DEVICE(dev), PCSPK(dev)->iobase, errp);
}

static bool pcspk_is_migrated(void *opaque)
{
    return PCSPK(opaque)->is_migrated;
}

static const RegDef pcspk_regs[] = {
    REG(0, "NMI_SC", Pcspk, control, .writable = CONTROL_WRITABLE, .read = control_read,
        .written = control_written),
};
static const Property pcspk_props[] = {
    PROP_U32("iobase", Pcspk, iobase, .initial = 0x61, .doc = "Its port"),
    PROP_LINK("pit", Pcspk, pit, TYPE_PIT_COMMON, .doc = "The timer that makes the tone"),
    PROP_BOOL("migrate", Pcspk, is_migrated, .initial = true, .doc = "Whether its state is saved"),
};
static const VMField pcspk_fields[] = { VM_REGISTERS };

static const DeviceType pcspk_type = {
    .name = TYPE_PCSPK,
    .doc = "PC speaker control port",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Pcspk),
    .category = DEVICE_CATEGORY_SOUND,
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .registers = REG_MAP(pcspk_regs, .size = 1, .width = 1),
    .properties = PROPERTIES(pcspk_props),
    .vmstate = VMSTATE(pcspk_fields, .version = 1, .needed = pcspk_is_migrated),
    .realize = pcspk_realize,
};
DEVICE_TYPE(pcspk_type)
