/*
 * Bridges (PCI-to-PCI Bridge Architecture 1.2; PCI Express Base, 7.5.1.3): bus numbers, the I/O,
 * memory and prefetchable windows (64 bits), ISA and VGA enable, and reset of the bus behind.
 *
 * As with the peer, transactions from behind pass whatever the bridge's bus master bit says:
 * SeaBIOS boots from disks behind bridges it never made masters. The 10-bit aliases of VGA's ports
 * give way to whoever is there: firmware enables VGA without 16-bit decode and then uses them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_parts.h"

#define STATUS_66MHZ_FAST 0x00a0 /* 66 MHz, fast back-to-back */
#define CONTROL_CONVENTIONAL (PCI_BRIDGE_CONTROL_BITS | 0x0a80)
#define CONTROL_EXPRESS   0x005f
#define WINDOW_IO_MASK    0xf0
#define WINDOW_MEM_MASK   0xfff0
#define WINDOW_IS_64      0x01

typedef struct Window {
    const char *name;
    uint8_t base_at, limit_at, base_upper, limit_upper; /* 0: none */
    bool is_io;
    uint16_t control_bits, control; /* it is open if these bits have this value */
    uint64_t base, limit;           /* VGA's */
    int8_t priority;
    int8_t ports;                   /* PciBridgePorts; -1: all */
} Window;

#define OVER_OTHERS 1
#define VGA   PCI_BRIDGE_CONTROL_VGA
#define ISA   PCI_BRIDGE_CONTROL_ISA
#define VGA16 PCI_BRIDGE_CONTROL_VGA_16

static const Window windows[PCI_WINDOW_COUNT] = {
    [PCI_WINDOW_IO] = { "pci_bridge_io", PCI_IO_BASE, PCI_IO_LIMIT, .is_io = true,
                        .control_bits = ISA, .priority = OVER_OTHERS, .ports = -1 },
    [PCI_WINDOW_IO_ISA] = { "pci_bridge_isa_io", PCI_IO_BASE, PCI_IO_LIMIT, .is_io = true,
                            .control_bits = ISA, .control = ISA, .priority = OVER_OTHERS,
                            .ports = PCI_PORTS_ISA },
    [PCI_WINDOW_MEMORY] = { "pci_bridge_mem", PCI_MEMORY_BASE, PCI_MEMORY_LIMIT,
                            .priority = OVER_OTHERS, .ports = -1 },
    [PCI_WINDOW_PREFETCH] = { "pci_bridge_pref_mem", PCI_PREF_BASE, PCI_PREF_LIMIT,
                              PCI_PREF_BASE_UPPER, PCI_PREF_LIMIT_UPPER,
                              .priority = OVER_OTHERS, .ports = -1 },
    [PCI_WINDOW_VGA_MEMORY] = { "pci_bridge_vga_mem", .control_bits = VGA, .control = VGA,
                                .base = 0xa0000, .limit = 0xbffff, .priority = OVER_OTHERS,
                                .ports = -1 },
    [PCI_WINDOW_VGA_IO_LOW] = { "pci_bridge_vga_io_lo", .is_io = true, .control_bits = VGA,
                                .control = VGA, .base = 0x3b0, .limit = 0x3bb,
                                .priority = OVER_OTHERS, .ports = -1 },
    [PCI_WINDOW_VGA_IO_HIGH] = { "pci_bridge_vga_io_hi", .is_io = true, .control_bits = VGA,
                                 .control = VGA, .base = 0x3c0, .limit = 0x3df,
                                 .priority = OVER_OTHERS, .ports = -1 },
    [PCI_WINDOW_VGA_ALIASES] = { "pci_bridge_vga_aliases", .is_io = true,
                                 .control_bits = VGA | VGA16, .control = VGA, .base = 0x400,
                                 .limit = 0xffff, .priority = -1, .ports = PCI_PORTS_VGA },
};

static uint64_t edge(const PciDevice *dev, unsigned at, unsigned upper, bool is_io)
{
    uint64_t value = is_io ? (uint64_t)(dev->config[at] & WINDOW_IO_MASK) << 8 :
                             (uint64_t)(load_le16(dev->config + at) & WINDOW_MEM_MASK) << 16;

    return upper ? value | (uint64_t)load_le32(dev->config + upper) << 32 : value;
}

uint64_t pci_bridge_base(const PciDevice *dev, PciBridgeWindow w)
{
    return windows[w].limit ? windows[w].base :
           edge(dev, windows[w].base_at, windows[w].base_upper, windows[w].is_io);
}

uint64_t pci_bridge_limit(const PciDevice *dev, PciBridgeWindow w)
{
    return windows[w].limit ? windows[w].limit :
           edge(dev, windows[w].limit_at, windows[w].limit_upper, windows[w].is_io) |
           (windows[w].is_io ? 0xfff : 0xfffff);
}

static bool is_open(const PciDevice *dev, PciBridgeWindow w)
{
    uint16_t command = load_le16(dev->config + PCI_COMMAND);
    uint16_t control = load_le16(dev->config + PCI_BRIDGE_CONTROL);

    return command & (windows[w].is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY) &&
           (control & windows[w].control_bits) == windows[w].control &&
           pci_bridge_base(dev, w) <= pci_bridge_limit(dev, w) && !dev->is_without_power;
}

static void update_windows(PciBridge *bridge)
{
    PciDevice *dev = &bridge->parent;

    memory_transaction_begin();
    for (PciBridgeWindow w = 0; w < PCI_WINDOW_COUNT; w++) {
        MemoryRegion *mr = &bridge->windows[w];
        uint64_t base = pci_bridge_base(dev, w);

        memory_region_set_enabled(mr, is_open(dev, w));
        if (is_open(dev, w)) {
            if (windows[w].ports >= 0) {
                pci_bridge_fill_ports(bridge, windows[w].ports);
            }
            memory_region_set_alias_offset(mr, base);
            memory_region_set_size(mr, pci_bridge_limit(dev, w) - base + 1);
            memory_region_set_address(mr, base);
        }
    }
    memory_transaction_commit();
}

static void place_windows(PciBridge *bridge, bool is_in)
{
    PciBus *front = pci_device_bus(&bridge->parent);

    memory_transaction_begin();
    for (PciBridgeWindow w = 0; w < PCI_WINDOW_COUNT; w++) {
        MemoryRegion *space = windows[w].is_io ? front->io : front->memory;

        if (is_in) {
            memory_region_set_enabled(&bridge->windows[w], false);
            memory_region_add_overlap(space, 0, &bridge->windows[w], windows[w].priority);
        } else {
            memory_region_remove(space, &bridge->windows[w]);
        }
    }
    memory_transaction_commit();
}

/* --- configuration --- */

static void config_written(PciDevice *dev, unsigned at, unsigned bytes)
{
    PciBridge *bridge = PCI_BRIDGE(dev);
    uint16_t control = load_le16(dev->config + PCI_BRIDGE_CONTROL);

    if (pci_range_touches(at, bytes, PCI_PRIMARY_BUS, 3)) {
        pci_bus_forget_numbers(dev);
    }
    if (pci_range_touches(at, bytes, PCI_COMMAND, 2) ||
        pci_range_touches(at, bytes, PCI_IO_BASE, PCI_IO_LIMIT_UPPER + 2 - PCI_IO_BASE) ||
        pci_range_touches(at, bytes, PCI_BRIDGE_CONTROL, 2)) {
        update_windows(bridge);
    }
    if (control & ~bridge->old_control & PCI_BRIDGE_CONTROL_RESET) {
        pci_bus_hot_reset(bridge->bus);
    }
    bridge->old_control = control;
}

void pci_bridge_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    pci_config_write_default(dev, at, value, bytes);
    config_written(dev, at, bytes);
}

static void init_registers(PciDevice *dev)
{
    bool is_port = pci_bridge_ops(PCI_BRIDGE(dev))->is_express_port;

    if (!is_port) {
        store_le16(dev->config + PCI_STATUS,
                   load_le16(dev->config + PCI_STATUS) | STATUS_66MHZ_FAST);
        store_le16(dev->config + PCI_SEC_STATUS, STATUS_66MHZ_FAST);
        store_le16(dev->clear_on_1 + PCI_BRIDGE_CONTROL, PCI_BRIDGE_CONTROL_DISCARD);
    }
    store_le16(dev->clear_on_1 + PCI_SEC_STATUS, PCI_STATUS_ERRORS);
    store_le32(dev->writable + PCI_PRIMARY_BUS, UINT32_MAX);
    store_le16(dev->writable + PCI_IO_BASE, WINDOW_IO_MASK << 8 | WINDOW_IO_MASK);
    store_le32(dev->writable + PCI_MEMORY_BASE, WINDOW_MEM_MASK << 16 | WINDOW_MEM_MASK);
    store_le32(dev->writable + PCI_PREF_BASE, WINDOW_MEM_MASK << 16 | WINDOW_MEM_MASK);
    store_le64(dev->writable + PCI_PREF_BASE_UPPER, UINT64_MAX);
    store_le32(dev->config + PCI_PREF_BASE, WINDOW_IS_64 << 16 | WINDOW_IS_64);
    store_le32(dev->fixed + PCI_PREF_BASE, 0xf << 16 | 0xf);
    store_le16(dev->writable + PCI_BRIDGE_CONTROL,
               is_port ? CONTROL_EXPRESS : CONTROL_CONVENTIONAL);
    if (pci_bridge_ops(PCI_BRIDGE(dev))->closes_on_reset) {
        dev->config[PCI_IO_BASE] = WINDOW_IO_MASK;
        store_le16(dev->config + PCI_MEMORY_BASE, WINDOW_MEM_MASK);
        store_le16(dev->config + PCI_PREF_BASE, WINDOW_MEM_MASK | WINDOW_IS_64);
    }
}

void pci_bridge_show_in_slot(PciDevice *bridge, const PciDevice *dev, bool is_there)
{
    const PciBridgeType *ops = pci_bridge_ops(PCI_BRIDGE(bridge));

    if (ops->show_in_slot) {
        ops->show_in_slot(bridge, dev, is_there);
    }
}

/* --- life --- */

/* Its id, else the first free "pci.N" or "pcie.N". */
static char *secondary_name(const Device *dev, const char *type)
{
    const char *stem = !strcmp(type, TYPE_PCIE_BUS) ? "pcie" : "pci";

    if (dev->id) {
        return g_strdup(dev->id);
    }
    for (unsigned n = 0;; n++) {
        g_autofree char *name = g_strdup_printf("%s.%u", stem, n);

        if (!bus_find(name, NULL)) {
            return g_steal_pointer(&name);
        }
    }
}

static bool pci_bridge_realize(Device *device, Error **errp)
{
    PciBridge *bridge = PCI_BRIDGE(device);
    const PciBridgeType *ops = pci_bridge_ops(bridge);
    const char *type = ops->secondary_type ? ops->secondary_type : TYPE_PCI_BUS;
    g_autofree char *name = secondary_name(device, type);

    init_registers(&bridge->parent);
    bridge->bus = pci_bus_new(type, device, name, (PciBusSpaces){ &bridge->memory, &bridge->io });
    bridge->old_control = 0;
    place_windows(bridge, true);
    return true;
}

static void pci_bridge_unrealize(Device *device)
{
    PciBridge *bridge = PCI_BRIDGE(device);

    pci_bus_forget_numbers(&bridge->parent);
    place_windows(bridge, false);
    while (device->buses->len) {
        object_unparent(device->buses->pdata[device->buses->len - 1]);
    }
    bridge->bus = NULL;
}

static void pci_bridge_init(Object *obj)
{
    PciBridge *bridge = PCI_BRIDGE(obj);

    memory_region_init(&bridge->memory, obj, "pci_bridge_pci", MEMORY_SIZE_WHOLE);
    memory_region_init(&bridge->io, obj, "pci_bridge_io", 64 * KiB);
    pci_bridge_init_ports(bridge);
    for (PciBridgeWindow w = 0; w < PCI_WINDOW_COUNT; w++) {
        MemoryRegion *behind = windows[w].ports >= 0 ? &bridge->ports[windows[w].ports] :
                               windows[w].is_io ? &bridge->io : &bridge->memory;

        memory_region_init_alias(&bridge->windows[w], obj, windows[w].name, behind,
                                 (MemoryWindow){ 0, 1 });
    }
}

static void pci_bridge_finalize(Object *obj)
{
    PciBridge *bridge = PCI_BRIDGE(obj);

    for (PciBridgeWindow w = 0; w < PCI_WINDOW_COUNT; w++) {
        memory_region_clear(&bridge->windows[w]);
    }
    pci_bridge_clear_ports(bridge);
    memory_region_clear(&bridge->memory);
    memory_region_clear(&bridge->io);
}

static void reload(PciBridge *bridge)
{
    bridge->old_control = load_le16(bridge->parent.config + PCI_BRIDGE_CONTROL);
    pci_bus_forget_numbers(&bridge->parent);
    update_windows(bridge);
}

static void pci_bridge_reset_hold(Device *device)
{
    reload(PCI_BRIDGE(device));
}

static bool post_load(void *opaque, int version, Error **errp)
{
    reload(opaque);
    return true;
}

/* The configuration is the base's: this level only looks at it again. */
static const VMState pci_bridge_state = { .version = 1, .post_load = post_load };

static const PciBridgeType pci_bridge_type = {
    .name = TYPE_PCI_BRIDGE,
    .parent = TYPE_PCI_DEVICE,
    .doc = "A bridge to another PCI bus",
    .size = sizeof(PciBridge),
    .is_abstract = true,
    .is_bridge = true,
    .class_id = PCI_CLASS_BRIDGE_PCI,
    .category = DEVICE_CATEGORY_BRIDGE,
    .config_write = pci_bridge_config_write,
    .init = pci_bridge_init,
    .finalize = pci_bridge_finalize,
    .realize = pci_bridge_realize,
    .unrealize = pci_bridge_unrealize,
    .reset_hold = pci_bridge_reset_hold,
    .vmstate = &pci_bridge_state,
};
PCI_BRIDGE_TYPE(pci_bridge_type)
