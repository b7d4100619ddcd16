/*
 * e1000e: Intel's 82574L (datasheet, revision 3.4), on PCI Express: two queues each way with
 * receive side scaling, MSI-X, split headers, segmentation. Left out: manageability, the packet
 * buffer's memory window, time stamps of frames, and a flash part, which the board does not have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000_registers.h"

#include "hw/pci/msi.h"
#include "hw/pci/pcie_aer.h"

enum { CAP_MSIX = 0xa0, CAP_PM = 0xc8, CAP_MSI = 0xd0, CAP_EXPRESS = 0xe0, CAP_AER = 0x100,
       CAP_SERIAL = 0x140 };
enum { BAR_FLASH = 1, BAR_IO = 2, BAR_MSIX = 3 };
#define FLASH_BYTES   0x20000
#define IO_BYTES      32
#define MSIX_BYTES    0x4000
#define MSIX_PBA      0x2000
#define PM_CAPS       0x0022 /* PM 1.1, needs to be set up after D3 */
#define AER_VERSION   2

/* Set by reading: who finds 0 has the semaphore. */
static uint64_t read_swsm(Device *dev, unsigned n)
{
    E1000Nic *s = E1000(dev);
    uint32_t value = MAC(s, SWSM);

    MAC(s, SWSM) = value | SWSM_SMBI;
    return value;
}

static const RegDef e1000e_regs[] = {
    E1000_HOT_ROWS,
    ROW_Q(RDT, 1, .writable = 0xffff, .written = e1000_rx_ready),
    ROW_Q(TDT, 1, .writable = 0xffff, .written = e1000_transmit),
    ROW(EIAC, .writable = 0x01f00000), ROW(IAM, ALL), ROW(IVAR, .writable = 0x800fffff),
    ROW(EITR, .writable = 0xffff, .count = E1000_VECTORS),
    E1000_QUEUE_ROWS(0), E1000_QUEUE_ROWS(1),
    ROW(CTRL, ALL, .reset = 0x00140241, .written = e1000_ctrl_written),
    ROW(STATUS, .writable = STATUS_PHYRA, .read = e1000_read_status),
    ROW(EECD, .writable = EECD_SK | EECD_CS | EECD_DI | EECD_REQ | 0x30,
        .reset = EECD_PRES | EECD_AUTO_RD, .written = e1000_eecd_written),
    E1000_COMMON_ROWS,
    ROW(EERD, ALL, .reset = EERD_DONE, .written = e1000_eerd_written),
    ROW(LEDCTL, ALL, .reset = 0x00068302), ROW(MANC, ALL, .reset = 0x10000000),
    ROW(FLOL, ALL, .reset = 1), ROW(TSYNCRXCTL), ROW(TSYNCTXCTL),
    ROW(RXMTRL, ALL, .reset = 0x88f7), ROW(RXUDP, .writable = 0xffff, .reset = 0x0319),
    ROW(TCTL_EXT, ALL), ROW(TIPG, .writable = 0x3fffffff, .reset = 0x00602008),
    ROW(EXTCNF_CTRL, ALL, .reset = 0x00000008), ROW(EXTCNF_SIZE, ALL),
    ROW(POEMB, ALL, .reset = 0x0000030d), ROW(PBA, ALL, .reset = 0x00140014),
    ROW(PBS, ALL, .reset = 0x00000028), ROW(EEMNGCTL, ALL, .reset = 0x80000000),
    ROW(FLASHT, .writable = 0xff, .reset = 2),
    ROW(EEWR, ALL, .reset = EERD_DONE, .written = e1000_eewr_written),
    ROW(FLSWCTL, .writable = 0x3fffffff, .reset = 0xc0000000), ROW(FLSWDATA, ALL),
    ROW(FLSWCNT, ALL), ROW(FLOP, ALL), ROW(ERT, .writable = 0x7fff),
    ROW(PSRCTL, .writable = 0x3f3f3f7f, .reset = 0x00040402),
    ROW_Q(RXDCTL, 0, ALL, .reset = 0x00010000), ROW_Q(RXDCTL, 1, ALL, .reset = 0x00010000),
    ROW(RAID, .writable = 0xffff), ROW(CPUVEC, ALL),
    ROW(TDFH, ALL, .reset = 0x600), ROW(TDFT, ALL, .reset = 0x600),
    ROW(TDFHS, ALL, .reset = 0x600), ROW(TDFTS, ALL, .reset = 0x600),
    ROW_Q(TXDCTL, 0, ALL), ROW_Q(TXDCTL, 1, ALL),
    ROW_Q(TARC, 0, ALL, .reset = 0x00000403), ROW_Q(TARC, 1, ALL, .reset = 0x00000403),
    ROW(RXCSUM, .writable = 0x33ff, .reset = 0x00000300), ROW(RFCTL, ALL), ROW(MRQC, ALL),
    ROW(MFVAL, ALL), ROW(MDEF, ALL, .count = 8), ROW(GCR, ALL, .reset = 0x06800200),
    ROW(GSCL_1, ALL, .count = 4),
    ROW(FACTPS, .reset = 0x20000004), ROW(SWSM, .writable = 0xf, .read = read_swsm),
    ROW(FWSM), ROW(GCR2, ALL), ROW(RETA, ALL, .count = E1000_RETA_WORDS),
    ROW(RSSRK, ALL, .count = E1000_RSSRK_WORDS), ROW(HICR),
    ROW(SYSTIML, .read = e1000_read_systim, .write = e1000_write_systim),
    ROW(SYSTIMH, .write = e1000_write_systimh), ROW(TIMINCA, .write = e1000_write_timinca),
    ROW(TIMADJL, ALL), ROW(TIMADJH, ALL),
};

#define E1000E_MAP                                                                                 \
    REG_MAP(e1000e_regs, .size = E1000_BAR_BYTES, .width = 4, .endian = ENDIAN_LITTLE)
static const RegisterMap e1000e_map = E1000E_MAP;

static const E1000Model model_82574 = {
    .registers = &e1000e_map, .queues = 2, .is_82574 = true, .status = 0x00000281,
    .phy_id_2 = 0x0cb1, .nvm_compat = 0x0420, .nvm_init_2 = 0x8058,
    .io_bar = BAR_IO, .io_bytes = IO_BYTES, .eerd_shift = 2, .eerd_done = EERD_DONE,
};

static uint64_t serial_of(const E1000Nic *s)
{
    const uint8_t *mac = s->conf.mac;

    return (uint64_t)mac[0] << 56 | (uint64_t)mac[1] << 48 | (uint64_t)mac[2] << 40 |
           UINT64_C(0xffff) << 24 | mac[3] << 16 | mac[4] << 8 | mac[5];
}

static bool add_msix(E1000Nic *s, Error **errp)
{
    MsixSpec msix = { .at = CAP_MSIX, .vectors = E1000_VECTORS, .table_region = &s->msix,
                      .pba_region = &s->msix, .table_bar = BAR_MSIX, .pba_bar = BAR_MSIX,
                      .pba_offset = MSIX_PBA };

    return msix_init(&s->parent, &msix, errp);
}

static bool add_express(E1000Nic *s, Error **errp)
{
    PciDevice *dev = &s->parent;
    PcieAerSpec aer = { .at = CAP_AER, .version = AER_VERSION };
    PcieCapSpec cap = { .at = CAP_EXPRESS, .type = PCIE_ENDPOINT, .is_version_1 = true,
                        .reports_errors = true };

    if (!pci_device_is_express(dev)) {
        return true;
    }
    if (!pci_device_bus(dev)->bridge) {
        cap.type = PCIE_ROOT_INTEGRATED;
    }
    return pcie_cap_init(dev, &cap, errp) && pcie_aer_init(dev, &aer, errp) &&
           pcie_dsn_init(dev, CAP_SERIAL, serial_of(s), errp);
}

static bool add_pm(PciDevice *dev, Error **errp)
{
    if (!pci_add_pm_capability(dev, CAP_PM, errp)) {
        return false;
    }
    store_le16(dev->config + CAP_PM + PCI_PM_PMC, PM_CAPS);
    store_le16(dev->config + CAP_PM + PCI_PM_CTRL, 0);
    store_le16(dev->writable + CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE | PCI_PM_CTRL_PME_ENABLE);
    store_le16(dev->clear_on_1 + CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_PME_STATUS);
    return true;
}

/* Back from D3 it is as after a reset. */
static void e1000e_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    bool was_powered = pci_device_is_powered(dev);

    pci_config_write_default(dev, at, value, bytes);
    if (!was_powered && pci_device_is_powered(dev)) {
        e1000_soft_reset(E1000(dev));
    }
}

static bool e1000e_realize(Device *device, Error **errp)
{
    static const MsiSpec msi = { .at = CAP_MSI, .vectors = 1, .is_64 = true };
    E1000Nic *s = E1000(device);
    PciDevice *dev = &s->parent;

    memory_region_init(&s->flash, &device->parent, "e1000e-flash", FLASH_BYTES);
    memory_region_init(&s->msix, &device->parent, "e1000e-msix", MSIX_BYTES);
    pci_add_bar(dev, BAR_FLASH, 0, &s->flash);
    pci_add_bar(dev, BAR_MSIX, 0, &s->msix);
    store_le16(dev->config + PCI_SUBSYSTEM_VENDOR_ID, s->subsystem_vendor);
    store_le16(dev->config + PCI_SUBSYSTEM_ID, s->subsystem);
    if (!add_msix(s, errp) || !add_express(s, errp) || !msi_init(dev, &msi, errp) ||
        !add_pm(dev, errp)) {
        return false;
    }
    return true;
}

static const Property e1000e_props[] = {
    PROP_U8("disable_vnet_hdr", E1000Nic, has_no_offload,
            .doc = "Cuts large segments itself, whatever the back end can do"),
    PROP_U16("subsys_ven", E1000Nic, subsystem_vendor, .initial = PCI_VENDOR_INTEL,
             .doc = "PCI device Subsystem Vendor ID"),
    PROP_U16("subsys", E1000Nic, subsystem, .doc = "PCI device Subsystem ID"),
};

static void e1000e_init(Object *obj)
{
    E1000(obj)->uses_mitigation = E1000(obj)->negotiates = true;
}

static const E1000Type e1000e_type = {
    .name = "e1000e",
    .doc = "Intel 82574L GbE Controller",
    .parent = TYPE_E1000_BASE,
    .size = sizeof(E1000Nic),
    .device_id = 0x10d3,
    .romfile = "efi-e1000e.rom",
    .model = &model_82574,
    .registers = E1000E_MAP,
    .properties = PROPERTIES(e1000e_props),
    .vmstate = &e1000_state,
    .config_write = e1000e_config_write,
    .init = e1000e_init,
    .realize = e1000e_realize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(e1000e_type)
