/*
 * e1000: life of the adapters: windows, reset, saved state, the network's side.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "util/event_loop.h"
#include "util/log.h"

#define BAR_MEMORY  0
#define TX_FRAME_BYTES (NET_FRAME_MAX + NET_VLAN_BYTES + NET_CRC_BYTES)

/* --- registers --- */

/* Places where older chips had the same registers (82574L, 10.1.2). */
static const struct {
    uint16_t from, to, bytes;
} aliases[] = {
    { 0x0004, E1000_CTRL, 4 },      { 0x0040, E1000_RAL, 0x80 },
    { 0x0108, E1000_RDTR, 4 },      { 0x0110, E1000_RDBAL, 0xc },
    { 0x0120, E1000_RDH, 4 },       { 0x0128, E1000_RDT, 4 },    { 0x0160, E1000_FCRTH, 4 },
    { 0x0168, E1000_FCRTL, 4 },     { 0x0200, E1000_MTA, 0x200 }, { 0x0420, E1000_TDBAL, 0xc },
    { 0x0430, E1000_TDH, 4 },       { 0x0438, E1000_TDT, 4 },    { 0x0440, E1000_TIDV, 4 },
    { 0x0600, E1000_VFTA, 0x200 },  { 0x8000, E1000_RDFH, 4 },   { 0x8008, E1000_RDFT, 4 },
    { 0x8010, E1000_TDFH, 4 },      { 0x8018, E1000_TDFT, 4 },
};

static uint64_t place_of(uint64_t at)
{
    for (unsigned n = 0; n < ARRAY_SIZE(aliases); n++) {
        if (at >= aliases[n].from && at < (uint64_t)aliases[n].from + aliases[n].bytes) {
            return at - aliases[n].from + aliases[n].to;
        }
    }
    return at;
}

static uint64_t memory_read(void *opaque, uint64_t at, unsigned bytes)
{
    E1000Nic *s = E1000(opaque);

    return register_read(&s->parent.parent, s->model->registers, place_of(at));
}

static void memory_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    E1000Nic *s = E1000(opaque);

    register_write(&s->parent.parent, s->model->registers, place_of(at), value);
}

static const MemoryOps memory_ops = {
    .read = memory_read, .write = memory_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 4 }, .impl = { 4, 4 },
};

/* IOADDR and IODATA: the same registers through ports. */
static uint64_t io_read(void *opaque, uint64_t at, unsigned bytes)
{
    E1000Nic *s = E1000(opaque);

    return at == 0 ? s->io_addr
           : at == 4 && s->io_addr < E1000_BAR_BYTES ? memory_read(s, s->io_addr & ~3u, 4) : 0;
}

static void io_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    E1000Nic *s = E1000(opaque);

    if (at == 0) {
        s->io_addr = value;
    } else if (at == 4 && s->io_addr < E1000_BAR_BYTES) {
        memory_write(s, s->io_addr & ~3u, value, 4);
    }
}

static const MemoryOps io_ops = {
    .read = io_read, .write = io_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 4 }, .impl = { 4, 4 },
};

uint64_t e1000_read_status(Device *dev, unsigned n)
{
    E1000Nic *s = E1000(dev);
    bool is_master = s->model->is_82574 && !(MAC(s, CTRL) & CTRL_GIO_MASTER_DISABLE);

    return s->model->status | MAC(s, STATUS) | (e1000_has_link(s) ? STATUS_LU : 0) |
           (is_master ? STATUS_GIO_MASTER : 0);
}

void e1000_ctrl_written(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint32_t value = MAC(s, CTRL);

    MAC(s, CTRL) &= ~(CTRL_RST | CTRL_PHY_RST);
    if (value & CTRL_RST) {
        e1000_soft_reset(s);
    }
    if (value & CTRL_PHY_RST) {
        e1000_phy_reset(s);
        MAC(s, STATUS) |= STATUS_PHYRA;
        e1000_update_link(s);
    }
}

/* --- the time of IEEE 1588: TIMINCA's value is added every so many 40 ns --- */

#define TICK_NS 40

static void bring_up_to_date(E1000Nic *s)
{
    int64_t now = clock_now_ns(CLOCK_VIRTUAL);
    uint32_t timinca = MAC(s, TIMINCA), period = timinca >> 24;
    int64_t step_ns = (int64_t)TICK_NS * period;

    if (step_ns) {
        int64_t steps = (now - s->systim_ns) / step_ns;

        s->systim += (uint64_t)steps * (timinca & 0xffffff);
        s->systim_ns += steps * step_ns;
    } else {
        s->systim_ns = now;
    }
}

/* The low half; the high one stays as it was then, to be read next. */
uint64_t e1000_read_systim(Device *dev, unsigned n)
{
    E1000Nic *s = E1000(dev);

    bring_up_to_date(s);
    MAC(s, SYSTIMH) = s->systim >> 32;
    return (uint32_t)s->systim;
}

/* The low half is written first; the high one sets the time. */
void e1000_write_systim(Device *dev, unsigned n, uint64_t value)
{
    E1000Nic *s = E1000(dev);

    bring_up_to_date(s);
    s->systim = (s->systim & ~UINT64_C(0xffffffff)) | value;
}

void e1000_write_systimh(Device *dev, unsigned n, uint64_t value)
{
    E1000Nic *s = E1000(dev);

    bring_up_to_date(s);
    s->systim = (uint32_t)s->systim | value << 32;
}

void e1000_write_timinca(Device *dev, unsigned n, uint64_t value)
{
    bring_up_to_date(E1000(dev));
    MAC(E1000(dev), TIMINCA) = value;
}

/* --- reset --- */

static void load_address(E1000Nic *s)
{
    uint8_t mac[ETH_ADDR_BYTES];

    for (unsigned n = 0; n < 3; n++) {
        store_le16(mac + 2 * n, s->nvm[n]);
    }
    MAC(s, RAL) = load_le32(mac);
    MAC(s, RAH) = load_le16(mac + 4) | RAH_AV;
    net_device_set_mac(&s->end, mac);
}

void e1000_address_written(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint8_t mac[ETH_ADDR_BYTES];

    store_le32(mac, MAC(s, RAL));
    store_le16(mac + 4, MAC(s, RAH));
    if (MAC(s, RAH) & RAH_AV) {
        net_device_set_mac(&s->end, mac);
    }
}

/* What registers' rows do not say. */
static void reset_rest(E1000Nic *s)
{
    e1000_tx_reset(s);
    load_address(s);
    s->is_asserted = false;
    s->systim = 0;
    s->systim_ns = clock_now_ns(CLOCK_VIRTUAL);
    s->io_addr = 0;
    s->serial = (E1000Serial){ 0 };
    s->serial_lines = MAC(s, EECD);
    MAC(s, VET) = s->has_vet ? ETHER_TYPE_VLAN : 0;
    e1000_irq_reset(s);
}

/* Why it was woken outlasts a reset: whoever wakes up looks. */
static const struct {
    uint16_t at, words;
} lasting[] = { { E1000_WUC, 1 }, { E1000_WUS, 1 }, { E1000_WUPL, 1 }, { E1000_WUPM, 32 } };

void e1000_soft_reset(E1000Nic *s)
{
    g_autofree uint32_t *old = g_memdup2(s->mac, sizeof(s->mac));

    register_reset(&s->parent.parent, s->model->registers);
    for (unsigned n = 0; n < ARRAY_SIZE(lasting); n++) {
        memcpy(s->mac + lasting[n].at / 4, old + lasting[n].at / 4, lasting[n].words * 4);
    }
    reset_rest(s);
}

static void e1000_reset(Device *dev)
{
    E1000Nic *s = E1000(dev);

    e1000_nvm_init(s);
    e1000_phy_reset(s);
    reset_rest(s);
    s->had_link = e1000_has_link(s);
    net_drop_waiting(&s->end.ports[0]);
}

/* --- the network's side --- */

static void e1000_link_changed(NetEnd *end)
{
    e1000_update_link(end->owner);
}

static const NetOps e1000_net_ops = {
    .receive = e1000_receive, .go_on = e1000_go_on, .link_changed = e1000_link_changed,
    .rx_filter = e1000_show_filter,
};

/* --- saved state --- */

static bool is_too_much(const E1000Nic *s)
{
    for (unsigned q = 0; q < E1000_MAX_QUEUES; q++) {
        if (s->tx[q].used > NET_FRAME_MAX) {
            return true;
        }
    }
    return s->serial.out_bits > 32 || s->systim_ns > clock_now_ns(CLOCK_VIRTUAL);
}

static bool e1000_post_load(void *opaque, int version, Error **errp)
{
    E1000Nic *s = opaque;

    if (is_too_much(s)) {
        return error_set(errp, "%s: there is no such state", device_label(&s->parent.parent));
    }
    e1000_address_written(&s->parent.parent);
    e1000_update_link(s);
    deferred_schedule(s->more);
    return true;
}

static const VMField context_fields[] = {
    VM_U8(E1000Context, ipcss), VM_U8(E1000Context, ipcso), VM_U8(E1000Context, tucss),
    VM_U8(E1000Context, tucso), VM_U8(E1000Context, hdrlen), VM_U16(E1000Context, ipcse),
    VM_U16(E1000Context, tucse), VM_U16(E1000Context, mss), VM_U32(E1000Context, paylen),
    VM_BOOL(E1000Context, is_tcp), VM_BOOL(E1000Context, is_ipv4),
};
static const VMState context_state = VMSTATE_INIT(context_fields, .name = "e1000-context",
                                                  .version = 1);
static const VMField queue_fields[] = {
    VM_STRUCT_ARRAY(E1000TxQueue, contexts, context_state), VM_U32(E1000TxQueue, options),
    VM_BOOL(E1000TxQueue, has_begun), VM_BOOL(E1000TxQueue, is_too_long),
    VM_BYTES(E1000TxQueue, frame, used, NET_FRAME_MAX),
};

static bool queue_loaded(void *opaque, int version, Error **errp)
{
    E1000TxQueue *queue = opaque;

    queue->frame = g_realloc(queue->frame, TX_FRAME_BYTES);
    return true;
}

static const VMState queue_state = VMSTATE_INIT(queue_fields, .name = "e1000-queue", .version = 1,
                                                .post_load = queue_loaded);
static const VMField serial_fields[] = {
    VM_U32(E1000Serial, in), VM_U32(E1000Serial, out), VM_U8(E1000Serial, in_bits),
    VM_U8(E1000Serial, out_bits), VM_U8(E1000Serial, command), VM_U16(E1000Serial, addr),
    VM_BOOL(E1000Serial, has_command), VM_BOOL(E1000Serial, has_addr),
    VM_BOOL(E1000Serial, is_write_enabled),
};
static const VMState serial_state = VMSTATE_INIT(serial_fields, .name = "e1000-serial",
                                                 .version = 1);
static const VMField e1000_fields[] = {
    VM_REGISTERS,
    VM_ARRAY(E1000Nic, phy), VM_ARRAY_2D(E1000Nic, phy_pages), VM_ARRAY(E1000Nic, nvm),
    VM_STRUCT(E1000Nic, serial, serial_state), VM_U32(E1000Nic, serial_lines),
    VM_STRUCT_ARRAY(E1000Nic, tx, queue_state), VM_U32(E1000Nic, io_addr),
    VM_U32(E1000Nic, rx_causes), VM_U32(E1000Nic, tx_causes), VM_U32(E1000Nic, fired),
    VM_BOOL(E1000Nic, is_asserted), VM_BOOL(E1000Nic, is_negotiating),
    VM_BOOL(E1000Nic, had_link), VM_U64(E1000Nic, systim), VM_I64(E1000Nic, systim_ns),
    VM_TIMER(E1000Nic, itr), VM_TIMER_ARRAY(E1000Nic, eitr), VM_TIMER(E1000Nic, rdtr),
    VM_TIMER(E1000Nic, radv), VM_TIMER(E1000Nic, tidv), VM_TIMER(E1000Nic, tadv),
    VM_TIMER(E1000Nic, autoneg),
};
const VMState e1000_state = VMSTATE_INIT(e1000_fields, .version = 1,
                                         .post_load = e1000_post_load);

/* --- life --- */

static bool e1000_realize(Device *dev, Error **errp)
{
    E1000Nic *s = E1000(dev);
    NicUse use = { &e1000_net_ops, 1 };

    s->model = ((const E1000Type *)object_ops(dev))->model;
    memory_region_init_io(&s->memory, &dev->parent, &memory_ops, "e1000-mmio", E1000_BAR_BYTES);
    memory_region_init_io(&s->io, &dev->parent, &io_ops, "e1000-io", s->model->io_bytes);
    pci_add_bar(&s->parent, BAR_MEMORY, 0, &s->memory);
    pci_add_bar(&s->parent, s->model->io_bar, PCI_BAR_IO, &s->io);
    s->parent.config[PCI_INTERRUPT_PIN] = 1;
    if (!nic_conf_attach(&s->conf, dev, &use, &s->end, errp)) {
        return false;
    }
    s->end.owner = s;
    s->had_link = e1000_has_link(s);
    s->rx_frame = g_malloc(E1000_RX_MAX);
    for (unsigned q = 0; q < E1000_MAX_QUEUES; q++) {
        s->tx[q].frame = g_malloc(TX_FRAME_BYTES);
    }
    s->more = deferred_new(event_loop_main(), e1000_transmit_more, s);
    return true;
}

static void e1000_unrealize(Device *dev)
{
    E1000Nic *s = E1000(dev);

    net_device_detach(&s->end);
    g_clear_pointer(&s->more, deferred_free);
    g_clear_pointer(&s->rx_frame, g_free);
    for (unsigned q = 0; q < E1000_MAX_QUEUES; q++) {
        g_clear_pointer(&s->tx[q].frame, g_free);
    }
}

static void e1000_finalize(Object *obj)
{
    E1000Nic *s = E1000(obj);
    MemoryRegion *regions[] = { &s->memory, &s->io, &s->flash, &s->msix };

    for (unsigned n = 0; n < ARRAY_SIZE(regions); n++) {
        if (regions[n]->name) {
            memory_region_clear(regions[n]);
        }
    }
}

static const Property e1000_props[] = {
    PROP_NIC_CONF(E1000Nic, conf),
    PROP_BOOL("init-vet", E1000Nic, has_vet, .initial = true,
              .doc = "VET says 0x8100 after a reset, as the chip's manual has it"),
};

static const TimerDef e1000_timers[] = {
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, itr, e1000_update_irq),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, eitr[0], e1000_update_irq),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, eitr[1], e1000_update_irq),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, eitr[2], e1000_update_irq),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, eitr[3], e1000_update_irq),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, eitr[4], e1000_update_irq),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, rdtr, e1000_rx_timer),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, radv, e1000_rx_timer),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, tidv, e1000_tx_timer),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, tadv, e1000_tx_timer),
    TIMER_ROW(CLOCK_VIRTUAL, E1000Nic, autoneg, e1000_autoneg_done),
};

static const E1000Type e1000_base_type = {
    .name = TYPE_E1000_BASE,
    .parent = TYPE_PCI_DEVICE,
    .is_abstract = true,
    .size = sizeof(E1000Nic),
    .vendor_id = PCI_VENDOR_INTEL,
    .class_id = PCI_CLASS_NETWORK_ETHERNET,
    .category = DEVICE_CATEGORY_NETWORK,
    .properties = PROPERTIES(e1000_props),
    .timers = TIMERS(e1000_timers),
    .realize = e1000_realize,
    .unrealize = e1000_unrealize,
    .finalize = e1000_finalize,
    .reset_hold = e1000_reset,
};
PCI_DEVICE_TYPE(e1000_base_type)
