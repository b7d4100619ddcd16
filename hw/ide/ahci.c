/*
 * ich9-ahci: the AHCI function of Intel's ICH9 (I/O Controller Hub 9 data sheet, chapter 15): six
 * ports, MSI, registers in BAR 5 and through the index-data pair of BAR 4. As a 1.0 adapter it has
 * no BIOS handoff, no enclosure management, no coalescing of commands.
 *
 * Requests are answered before a state is saved: queued commands are not in the stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ahci.h"
#include "hw/pci/msi.h"

#define BAR_IDP         4
#define BAR_REGISTERS   5
#define REGISTERS_BYTES 4096
#define IDP_BYTES       32
#define IDP_INDEX       16
#define IDP_DATA        20
#define MSI_AT          0x80
#define SATA_CAP_AT     0xa8
#define SATA_CAP_ID     0x12
#define SATA_CAP_BYTES  8
#define MAP_AT          0x90
#define MAP_AHCI        0x40
/* 64-bit addresses, NCQ, AHCI only, 1.5 Gb/s, 32 slots, six ports */
#define CAP_VALUE       (0xc0141f00 | (AHCI_PORTS - 1))
#define SSTS_PRESENT    0x113
#define TFD_RESET       0x7f
#define PORT_STRIDE     0x80

/* --- interrupts --- */

void ahci_update_irq(Ahci *a)
{
    PciDevice *dev = &a->parent;

    for (unsigned n = 0; n < AHCI_PORTS; n++) {
        if (a->px_is[n] & a->px_ie[n]) {
            a->is |= BIT(n);
        }
    }
    if (msi_is_enabled(dev)) {
        if (a->is && a->ghc & GHC_IE) {
            msi_notify(dev, 0);
        }
        return;
    }
    pci_intx_set(dev, a->is && a->ghc & GHC_IE);
}

void ahci_raise(AhciPort *port, uint32_t bits)
{
    if (bits) {
        port->ahci->px_is[port->n] |= bits;
        ahci_update_irq(port->ahci);
    }
}

static void is_written(Device *dev)
{
    ahci_update_irq(AHCI(dev));
}

static void port_is_written(Device *dev, unsigned n)
{
    ahci_update_irq(AHCI(dev));
}

/* --- resets --- */

/* COMRESET: the drive starts anew and says what it is, once frames are received. */
static void reset_port(AhciPort *port)
{
    Ahci *a = port->ahci;
    unsigned n = port->n;

    ahci_stop(port);
    ide_bus_reset(port->bus);
    a->tfd[n] = TFD_RESET;
    a->sig[n] = UINT32_MAX;
    a->sact[n] = a->ci[n] = a->serr[n] = 0;
    port->has_told_signature = false;
    if (a->cmd[n] & CMD_FRE) {
        ahci_send_signature(port);
    }
}

static void reset_adapter(Ahci *a)
{
    a->ghc = GHC_AE;
    a->is = 0;
    for (unsigned n = 0; n < AHCI_PORTS; n++) {
        a->px_is[n] = a->px_ie[n] = a->sctl[n] = 0;
        a->cmd[n] = CMD_SUD | CMD_POD;
        reset_port(&a->ports[n]);
    }
    ahci_update_irq(a);
}

/* --- registers --- */

static void write_ghc(Device *dev, unsigned n, uint64_t value)
{
    Ahci *a = AHCI(dev);

    if (value & GHC_HR) {
        reset_adapter(a);
        return;
    }
    a->ghc = GHC_AE | (value & GHC_IE);
    ahci_update_irq(a);
}

static void write_cmd(Device *dev, unsigned n, uint64_t value)
{
    Ahci *a = AHCI(dev);
    AhciPort *port = &a->ports[n];
    uint32_t old = a->cmd[n], now = (old & ~CMD_WRITABLE) | (value & CMD_WRITABLE);

    if (value & CMD_CLO) {
        a->tfd[n] &= ~(IDE_ST_BSY | IDE_ST_DRQ);
    }
    now = (now & ~(CMD_FR | CMD_CR)) | (now & CMD_FRE ? CMD_FR : 0) | (now & CMD_ST ? CMD_CR : 0);
    a->cmd[n] = now;
    if (now & CMD_FRE && !port->has_told_signature) {
        ahci_send_signature(port);
    }
    if (old & CMD_ST && !(now & CMD_ST)) {
        ahci_stop(port);
        a->ci[n] = a->sact[n] = 0;
        a->cmd[n] &= ~CMD_CCS;
    }
    ahci_run(port);
}

static uint64_t read_ssts(Device *dev, unsigned n)
{
    return ide_bus_has_drive(AHCI(dev)->ports[n].bus) ? SSTS_PRESENT : 0;
}

/* COMRESET ends when DET goes back to 0. */
static void write_sctl(Device *dev, unsigned n, uint64_t value)
{
    Ahci *a = AHCI(dev);
    bool was_reset = (a->sctl[n] & SCTL_DET) == 1;

    a->sctl[n] = value;
    if (was_reset && !(value & SCTL_DET)) {
        reset_port(&a->ports[n]);
    }
}

static void ci_written(Device *dev, unsigned n)
{
    Ahci *a = AHCI(dev);

    if (!(a->cmd[n] & CMD_ST)) {
        a->ci[n] = 0;
    } else if (!a->ports[n].is_looping) {
        ahci_run(&a->ports[n]);
    }
}

static void sact_written(Device *dev, unsigned n)
{
    if (!(AHCI(dev)->cmd[n] & CMD_ST)) {
        AHCI(dev)->sact[n] = 0;
    }
}

#define PORT(at, name, f, ...)                                                                     \
    REG_BANK(0x100 + (at), name, Ahci, f, AHCI_PORTS, .stride = PORT_STRIDE, __VA_ARGS__)
static const RegDef ahci_regs[] = {
    REG(0x00, "CAP", Ahci, cap, .reset = CAP_VALUE),
    REG(0x04, "GHC", Ahci, ghc, .reset = GHC_AE, .write = write_ghc),
    REG(0x08, "IS", Ahci, is, .clear_on_1 = UINT32_MAX, .written = is_written),
    REG(0x0c, "PI", Ahci, pi, .reset = BIT(AHCI_PORTS) - 1),
    REG(0x10, "VS", Ahci, vs, .reset = 0x00010000),
    PORT(0x00, "PxCLB", clb, .writable = 0xfffffc00),
    PORT(0x04, "PxCLBU", clbu, .writable = UINT32_MAX),
    PORT(0x08, "PxFB", fb, .writable = 0xffffff00),
    PORT(0x0c, "PxFBU", fbu, .writable = UINT32_MAX),
    PORT(0x10, "PxIS", px_is, .clear_on_1 = IS_CLEARABLE, .written_n = port_is_written),
    PORT(0x14, "PxIE", px_ie, .writable = IE_WRITABLE, .written_n = port_is_written),
    PORT(0x18, "PxCMD", cmd, .reset = CMD_SUD | CMD_POD, .write = write_cmd),
    PORT(0x20, "PxTFD", tfd, .reset = TFD_RESET),
    PORT(0x24, "PxSIG", sig, .reset = UINT32_MAX),
    REG_COMPUTED(0x128, "PxSSTS", .count = AHCI_PORTS, .stride = PORT_STRIDE, .read = read_ssts),
    PORT(0x2c, "PxSCTL", sctl, .write = write_sctl),
    PORT(0x30, "PxSERR", serr, .clear_on_1 = UINT32_MAX),
    PORT(0x34, "PxSACT", sact, .set_on_1 = UINT32_MAX, .written_n = sact_written),
    PORT(0x38, "PxCI", ci, .set_on_1 = UINT32_MAX, .written_n = ci_written),
};
static const RegisterMap ahci_map = REG_MAP(ahci_regs, .size = REGISTERS_BYTES, .width = 4,
                                            .access_min = 1, .access_max = 8,
                                            .endian = ENDIAN_LITTLE);

/* --- the index-data pair --- */

static uint64_t idp_read(void *opaque, uint64_t at, unsigned bytes)
{
    Ahci *a = opaque;

    return at == IDP_INDEX ? a->idp_index :
           at == IDP_DATA ? register_read(&a->parent.parent, &ahci_map, a->idp_index) : 0;
}

static void idp_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Ahci *a = opaque;

    if (at == IDP_INDEX) {
        a->idp_index = value & (REGISTERS_BYTES - 4);
    } else if (at == IDP_DATA) {
        register_write(&a->parent.parent, &ahci_map, a->idp_index, value);
    }
}

static const MemoryOps idp_ops = {
    .read = idp_read, .write = idp_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 4 }, .impl = { 4, 4 },
};

/* --- life --- */

static bool add_capabilities(Ahci *a, Error **errp)
{
    PciDevice *dev = &a->parent;
    unsigned at = pci_add_capability(dev, SATA_CAP_ID, SATA_CAP_AT, SATA_CAP_BYTES, errp);

    if (!at) {
        return false;
    }
    store_le16(dev->config + at + 2, 0x0010);                    /* revision 1.0 */
    store_le32(dev->config + at + 4, (BAR_IDP + 4) | (IDP_INDEX / 4) << 4);
    dev->config[MAP_AT] = MAP_AHCI;
    return msi_init(dev, &(MsiSpec){ .at = MSI_AT, .vectors = 1, .is_64 = true }, errp);
}

static void stop_buses(Ahci *a)
{
    for (unsigned n = 0; n < AHCI_PORTS; n++) {
        if (a->ports[n].bus) {
            ahci_stop(&a->ports[n]);
            object_unparent(a->ports[n].bus);
            a->ports[n].bus = NULL;
        }
    }
}

static bool ahci_realize(Device *dev, Error **errp)
{
    Ahci *a = AHCI(dev);

    a->parent.config[PCI_CACHE_LINE] = 0;
    a->parent.config[PCI_INTERRUPT_PIN] = 1;
    register_bank_init(&a->bank, dev, &ahci_map, "ahci");
    memory_region_init_io(&a->idp, &dev->parent, &idp_ops, "ahci-idp", IDP_BYTES);
    pci_add_bar(&a->parent, BAR_IDP, PCI_BAR_IO, &a->idp);
    pci_add_bar(&a->parent, BAR_REGISTERS, 0, &a->bank.region);
    for (unsigned n = 0; n < AHCI_PORTS; n++) {
        a->ports[n].ahci = a;
        a->ports[n].n = n;
        a->ports[n].bus = ide_bus_new(dev, 1, &ahci_transport, &a->ports[n]);
    }
    if (!add_capabilities(a, errp)) {
        stop_buses(a);
        return false;
    }
    return true;
}

static void ahci_unrealize(Device *dev)
{
    stop_buses(AHCI(dev));
}

static void ahci_finalize(Object *obj)
{
    if (AHCI(obj)->bank.dev) {
        register_bank_clear(&AHCI(obj)->bank);
        memory_region_clear(&AHCI(obj)->idp);
    }
}

static void ahci_reset(Device *dev)
{
    AHCI(dev)->idp_index = 0;
    reset_adapter(AHCI(dev));
}

static bool ahci_post_load(void *opaque, int version, Error **errp)
{
    Ahci *a = opaque;

    a->idp_index &= REGISTERS_BYTES - 4;
    for (unsigned n = 0; n < AHCI_PORTS; n++) {
        ahci_run(&a->ports[n]);
    }
    return true;
}

static const VMField port_fields[] = {
    VM_BOOL(AhciPort, is_halted), VM_BOOL(AhciPort, has_told_signature),
    VM_STRUCT_POINTER(AhciPort, bus, ide_bus_state),
};
static bool port_pre_save(void *opaque, Error **errp)
{
    const AhciPort *port = opaque;
    unsigned waiting = 0;

    for (size_t i = 0; i < ARRAY_SIZE(port->ncq); i++) {
        waiting += port->ncq[i].is_used;
    }
    return !waiting || error_set(errp, "ahci: %u requests wait after an error", waiting);
}

static const VMState port_state =
    VMSTATE_INIT(port_fields, .name = "ahci_port", .version = 1, .pre_save = port_pre_save);
static const VMField ahci_fields[] = {
    VM_REGISTERS, VM_U32(Ahci, idp_index), VM_STRUCT_ARRAY(Ahci, ports, port_state),
};

static const PciDeviceType ahci_type = {
    .name = "ich9-ahci",
    .doc = "ICH9's AHCI adapter with six SATA ports",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(Ahci),
    .vendor_id = 0x8086, .device_id = 0x2922, .revision = 2,
    .class_id = 0x0106, .prog_if = 0x01,
    .category = DEVICE_CATEGORY_STORAGE,
    .registers = REG_MAP(ahci_regs, .size = REGISTERS_BYTES, .width = 4, .endian = ENDIAN_LITTLE),
    .vmstate = VMSTATE(ahci_fields, .version = 1, .post_load = ahci_post_load),
    .realize = ahci_realize,
    .unrealize = ahci_unrealize,
    .finalize = ahci_finalize,
    .reset_hold = ahci_reset,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PCI_DEVICE_TYPE(ahci_type)

static void CONSTRUCTOR register_alias(void)
{
    type_register_alias("ahci", "ich9-ahci");
}
