/*
 * intel-dsa: its configuration space. Capabilities stand where the real part has them; TPH is left
 * out. A change of what the guest may not change while the device is enabled halts it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "hw/pci/pcie_aer.h"

enum { CAP_EXPRESS = 0x40, CAP_MSIX = 0x80, CAP_PM = 0x90, CAP_AER = 0x100, CAP_LTR = 0x150,
       CAP_VC = 0x170, CAP_ATS = 0x220, CAP_PASID = 0x230, CAP_PRI = 0x240 };
#define EXT_CAP_ID_LTR 0x0018
#define EXT_CAP_ID_VC  0x0002
#define LTR_BYTES 8
#define VC_BYTES  0x28
#define VC0_AT    0x14 /* controls of both channels */
#define VC1_AT    0x20
#define VC_ENABLE BIT(31)
/* Extended tags, 512 bytes of payload; relaxed ordering, extended tags, no snoop, 512 bytes. */
#define DEVCAP_MORE  0x00000022
#define DEVCTL_FIRST 0x2910
#define DEVCTL_WRITABLE 0x7ff0
/* Deferrable writes and 10-bit tags, one prefix, LTR, time-outs can be disabled. */
#define DEVCAP2      0x10730810
#define DEVCTL2_WRITABLE 0x0410
#define ATS_GLOBAL_INVALIDATE 0x0040
#define PAGE_CAPACITY 512
#define MSIX_TABLE_AT 0x2000
#define MSIX_PBA_AT   0x3000

static bool add_express(PciDevice *dev, Error **errp)
{
    bool is_integrated = !pci_device_bus(dev)->bridge;
    PcieCapSpec spec = { .at = CAP_EXPRESS, .has_flr = true, .has_prefixes = true,
                         .type = is_integrated ? PCIE_ROOT_INTEGRATED : PCIE_ENDPOINT,
                         .reports_errors = true };
    uint8_t *cap = dev->config + CAP_EXPRESS, *writable = dev->writable + CAP_EXPRESS;

    if (!pcie_cap_init(dev, &spec, errp)) {
        return false;
    }
    store_le32(cap + PCI_EXP_DEVCAP, load_le32(cap + PCI_EXP_DEVCAP) | DEVCAP_MORE);
    store_le16(cap + PCI_EXP_DEVCTL, DEVCTL_FIRST);
    store_le16(writable + PCI_EXP_DEVCTL, load_le16(writable + PCI_EXP_DEVCTL) | DEVCTL_WRITABLE);
    store_le32(cap + PCI_EXP_DEVCAP2, DEVCAP2);
    store_le16(writable + PCI_EXP_DEVCTL2, DEVCTL2_WRITABLE);
    return true;
}

/* Latencies to report, which nobody here waits for; and a second channel, which is off. */
static bool add_small(PciDevice *dev, Error **errp)
{
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(EXT_CAP_ID_LTR, 1), CAP_LTR, LTR_BYTES, errp) ||
        !pcie_add_capability(dev, PCIE_EXT_CAP(EXT_CAP_ID_VC, 1), CAP_VC, VC_BYTES, errp)) {
        return false;
    }
    store_le32(dev->writable + CAP_LTR + 4, 0x1fff1fff);
    store_le32(dev->fixed + CAP_LTR + 4, 0);
    store_le32(dev->config + CAP_VC + 0x04, 1);          /* one beside VC0 */
    store_le32(dev->config + CAP_VC + VC0_AT, VC_ENABLE | 0xff); /* all classes */
    store_le32(dev->writable + CAP_VC + VC0_AT, 0xfe);
    store_le32(dev->config + CAP_VC + VC1_AT, 0x01000000); /* number 1, off, no class */
    store_le32(dev->writable + CAP_VC + VC1_AT, VC_ENABLE | 0x070000fe);
    store_le32(dev->fixed + CAP_VC + VC0_AT, 0);
    store_le32(dev->fixed + CAP_VC + VC1_AT, 0);
    return true;
}

static bool add_translation(IntelDsa *dsa, Error **errp)
{
    PciDevice *dev = &dsa->parent;

    if (dsa->has_ats) {
        if (!pcie_ats_init(dev, CAP_ATS, true, errp)) {
            return false;
        }
        dev->config[CAP_ATS + PCI_ATS_CAP] |= ATS_GLOBAL_INVALIDATE;
    }
    return (!dsa->pasid_bits ||
            pcie_pasid_init(dev, CAP_PASID, dsa->pasid_bits, PCI_PASID_CAP_PRIV, errp)) &&
           (!dsa->has_pri || pcie_pri_init(dev, CAP_PRI, PAGE_CAPACITY, errp));
}

bool dsa_add_capabilities(IntelDsa *dsa, Error **errp)
{
    PciDevice *dev = &dsa->parent;
    PcieAerSpec aer = { .at = CAP_AER, .version = 2 };
    MsixSpec msix = { .at = CAP_MSIX, .vectors = dsa_vectors(dsa),
                      .table_region = &dsa->registers, .pba_region = &dsa->registers,
                      .table_offset = MSIX_TABLE_AT, .pba_offset = MSIX_PBA_AT };

    store_le16(dev->writable + PCI_COMMAND,
               PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
    return pci_add_pm_capability(dev, CAP_PM, errp) && msix_init(dev, &msix, errp) &&
           add_express(dev, errp) && pcie_aer_init(dev, &aer, errp) && add_small(dev, errp) &&
           add_translation(dsa, errp);
}

/* --- what may not change while work goes on --- */

typedef struct Control {
    uint16_t command, ats, pasid, pri;
    uint32_t credits;
} Control;

static uint16_t get(const PciDevice *dev, bool has, unsigned at, uint16_t mask)
{
    return has ? load_le16(dev->config + at) & mask : 0;
}

static Control control_of(const IntelDsa *dsa)
{
    const PciDevice *dev = &dsa->parent;

    return (Control){
        .command = get(dev, true, PCI_COMMAND, PCI_COMMAND_MASTER),
        .ats = get(dev, dsa->has_ats, CAP_ATS + PCI_ATS_CTRL, UINT16_MAX),
        .pasid = get(dev, dsa->pasid_bits, CAP_PASID + PCI_PASID_CTRL, UINT16_MAX),
        .pri = get(dev, dsa->has_pri, CAP_PRI + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE),
        .credits = dsa->has_pri ? load_le32(dev->config + CAP_PRI + PCI_PRI_ALLOC) : 0,
    };
}

static bool is_same(const Control *a, const Control *b)
{
    return a->command == b->command && a->ats == b->ats && a->pasid == b->pasid &&
           a->pri == b->pri && a->credits == b->credits;
}

void dsa_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    IntelDsa *dsa = INTEL_DSA(dev);
    Control before = control_of(dsa), after;

    pci_config_write_default(dev, at, value, bytes);
    after = control_of(dsa);
    if (is_same(&before, &after)) {
        return;
    }
    dsa_atc_clear(dsa);
    if (dsa->state != DSA_DISABLED && !dsa->is_reset_due) {
        dsa_halt(dsa, DSA_BAD_PCI_CHANGE);
    }
}

/* Transactions are pending while descriptors are at work. */
uint32_t dsa_config_read(PciDevice *dev, unsigned at, unsigned bytes)
{
    uint32_t value = pci_config_read_default(dev, at, bytes);
    unsigned status = CAP_EXPRESS + PCI_EXP_DEVSTA;

    if (dsa_has_work(INTEL_DSA(dev)) && pci_range_touches(at, bytes, status, 1)) {
        value |= PCI_EXP_DEVSTA_TRPND << 8 * (status - at);
    }
    return value;
}

bool dsa_may_be_privileged(const IntelDsa *dsa)
{
    return pcie_pasid_is_enabled(&dsa->parent) &&
           get(&dsa->parent, true, CAP_PASID + PCI_PASID_CTRL, PCI_PASID_CTRL_PRIV);
}

uint8_t dsa_traffic_classes(const IntelDsa *dsa)
{
    const uint8_t *vc = dsa->parent.config + CAP_VC;
    uint32_t second = load_le32(vc + VC1_AT);

    return load_le32(vc + VC0_AT) | (second & VC_ENABLE ? second : 0);
}

uint32_t dsa_page_credits(const IntelDsa *dsa)
{
    uint32_t given = dsa->has_pri ? load_le32(dsa->parent.config + CAP_PRI + PCI_PRI_ALLOC) : 0;

    return MIN(given, PAGE_CAPACITY);
}
