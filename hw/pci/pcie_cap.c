/*
 * The PCI Express capability (PCI Express Base 5.0, 7.5.3) and what it does: function level reset.
 * Links are always up where something is on the other side, at what both sides can do. They support
 * L0s, which software turns on as it likes: what it would save here takes no power. Left out: power
 * budgets, link retraining and bandwidth notification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie_parts.h"
#include "hw/pci/pcie_sriov.h"

PcieState *pcie_state(PciDevice *dev)
{
    if (!dev->pcie) {
        dev->pcie = g_new0(PcieState, 1);
        dev->pcie->dev = dev;
    }
    return dev->pcie;
}

PcieType pcie_type(const PciDevice *dev)
{
    return pcie_get16(dev, PCI_EXP_FLAGS) >> PCI_EXP_FLAGS_TYPE_SHIFT & 0xf;
}

bool pcie_is_downstream_port(const PciDevice *dev)
{
    return dev->express_cap &&
           (pcie_type(dev) == PCIE_ROOT_PORT || pcie_type(dev) == PCIE_DOWNSTREAM_PORT);
}

void pcie_set_event_vector(PciDevice *dev, uint8_t vector)
{
    pcie_state(dev)->slot.vector = vector;
}

static void init_link(PciDevice *dev, const PcieCapSpec *spec)
{
    uint8_t speed = spec->speed ? spec->speed : 1, width = spec->width ? spec->width : 1;
    bool is_below = pcie_is_downstream_port(dev);
    uint32_t caps = speed | width << PCI_EXP_LNKCAP_WIDTH_SHIFT | PCI_EXP_LNKCAP_ASPM_L0S |
                    (uint32_t)spec->port << PCI_EXP_LNKCAP_PORT_SHIFT;

    if (is_below && dev->has_dllla) {
        caps |= PCI_EXP_LNKCAP_DLLLARC;
    }
    if (is_below && speed > 1) {
        caps |= PCI_EXP_LNKCAP_LBNC;
    }
    store_le32(dev->config + pcie_at(dev, PCI_EXP_LNKCAP), caps);
    pcie_put16(dev, PCI_EXP_LNKSTA, speed | width << PCI_EXP_LNKCAP_WIDTH_SHIFT);
    if (speed > 1) {
        store_le32(dev->config + pcie_at(dev, PCI_EXP_LNKCAP2), ((1u << speed) - 1) << 1);
        pcie_put16(dev, PCI_EXP_LNKCTL2, speed);
    }
    if (!spec->is_link_fixed) {
        store_le16(dev->writable + pcie_at(dev, PCI_EXP_LNKCTL),
                   PCI_EXP_LNKCTL_L0S | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
        store_le16(dev->fixed + pcie_at(dev, PCI_EXP_LNKCTL), 0);
    }
    /* Negotiated with whoever is on the other side: not the same everywhere. */
    store_le16(dev->fixed + pcie_at(dev, PCI_EXP_LNKSTA), 0);
}

static void init_control(PciDevice *dev, const PcieCapSpec *spec)
{
    uint16_t control = spec->has_flr ? PCI_EXP_DEVCTL_FLR : 0;
    uint16_t control_2 = (spec->forwards_ari ? PCI_EXP_DEVCTL2_ARI : 0) |
                         (spec->has_prefixes ? PCI_EXP_DEVCTL2_EETLPPB : 0);

    if (spec->reports_errors) {
        control |= PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
                   PCI_EXP_DEVCTL_URRE;
        store_le16(dev->clear_on_1 + pcie_at(dev, PCI_EXP_DEVSTA),
                   PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_FED |
                       PCI_EXP_DEVSTA_URD);
    }
    store_le16(dev->writable + pcie_at(dev, PCI_EXP_DEVCTL), control);
    store_le32(dev->fixed + pcie_at(dev, PCI_EXP_DEVCTL), 0);
    if (!spec->is_version_1) {
        store_le16(dev->writable + pcie_at(dev, PCI_EXP_DEVCTL2), control_2);
        store_le16(dev->fixed + pcie_at(dev, PCI_EXP_DEVCTL2), 0);
    }
    if (spec->type == PCIE_ROOT_PORT) {
        store_le16(dev->writable + pcie_at(dev, PCI_EXP_RTCTL), PCI_EXP_RTCTL_ERRORS);
        store_le16(dev->fixed + pcie_at(dev, PCI_EXP_RTCTL), 0);
    }
}

bool pcie_cap_init(PciDevice *dev, const PcieCapSpec *spec, Error **errp)
{
    unsigned at = pci_add_capability(dev, PCI_CAP_ID_EXPRESS, spec->at,
                                     spec->is_version_1 ? PCI_EXP_BYTES_V1 : PCI_EXP_BYTES, errp);
    uint32_t caps_2 = (spec->forwards_ari ? PCI_EXP_DEVCAP2_ARI : 0) |
                      (spec->has_prefixes ? PCI_EXP_DEVCAP2_EFF | PCI_EXP_DEVCAP2_EETLPP : 0);

    if (!at) {
        return false;
    }
    dev->express_cap = at;
    pcie_state(dev);
    if (dev->has_extended_caps && dev->config_size > PCI_CONFIG_SIZE) {
        store_le32(dev->writable + PCI_CONFIG_SIZE, 0); /* an empty list, if none comes */
    }
    pcie_put16(dev, PCI_EXP_FLAGS, (spec->is_version_1 ? 1 : 2) | spec->type << PCI_EXP_FLAGS_TYPE_SHIFT);
    store_le32(dev->config + pcie_at(dev, PCI_EXP_DEVCAP),
               PCI_EXP_DEVCAP_RBER | (spec->has_flr ? PCI_EXP_DEVCAP_FLR : 0));
    if (!spec->is_version_1) {
        store_le32(dev->config + pcie_at(dev, PCI_EXP_DEVCAP2), caps_2);
    }
    if (spec->type != PCIE_ROOT_INTEGRATED || spec->is_version_1) {
        init_link(dev, spec);
    }
    init_control(dev, spec);
    return true;
}

bool pcie_endpoint_cap_init(PciDevice *dev, unsigned at, Error **errp)
{
    PcieCapSpec spec = { .at = at, .type = PCIE_ENDPOINT, .has_prefixes = true,
                         .reports_errors = true };

    if (!pci_device_is_express(dev)) {
        return true;
    }
    if (!pci_device_bus(dev)->bridge) {
        spec.type = PCIE_ROOT_INTEGRATED;
    }
    return pcie_cap_init(dev, &spec, errp);
}

/* --- for the core --- */

/* Both sources share the pin; messages are sent where their causes arise. */
void pcie_port_update_intx(PciDevice *dev)
{
    if (dev->config[PCI_INTERRUPT_PIN]) {
        pci_intx_set(dev, dev->pcie->slot.is_event_up || pcie_aer_wants_irq(dev));
    }
}

/* How the link is run is its two ends' business, not the function's (6.6.2). */
static void reset_function(PciDevice *dev)
{
    uint16_t link = pcie_get16(dev, PCI_EXP_LNKCTL);

    pcie_change16(dev, PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_FLR, 0);
    pci_device_function_reset(dev);
    pcie_put16(dev, PCI_EXP_LNKCTL, link);
}

void pci_pcie_written(PciDevice *dev, unsigned at, unsigned bytes)
{
    if (!dev->express_cap) {
        return;
    }
    if (pcie_get16(dev, PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_FLR &&
        pcie_get32(dev, PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR) {
        reset_function(dev);
        return;
    }
    pcie_slot_written(dev, at, bytes);
    pcie_aer_written(dev, at, bytes);
    pcie_pri_written(dev, at, bytes);
    pcie_sriov_written(dev, at, bytes);
}

void pci_pcie_reset(PciDevice *dev)
{
    if (dev->express_cap) {
        pcie_slot_reset(dev);
        pcie_aer_reset(dev);
        pcie_pri_reset(dev);
        pcie_sriov_reset(dev);
    }
}

void pci_pcie_preload(PciDevice *dev)
{
    if (dev->pcie) {
        dev->pcie->aer.used = 0;
        pcie_pri_reset(dev);
    }
}

void pci_pcie_reload(PciDevice *dev)
{
    if (dev->express_cap) {
        pcie_slot_reload(dev);
        pcie_pri_reload(dev);
        pcie_sriov_written(dev, 0, PCIE_CONFIG_SIZE);
    }
}

void pci_pcie_stop(PciDevice *dev)
{
    if (dev->pcie) {
        pcie_pri_stop(dev);
        pcie_sriov_stop(dev);
    }
}

void pci_pcie_discard(PciDevice *dev)
{
    if (dev->pcie) {
        pcie_sriov_discard(dev);
        pcie_pri_discard(dev);
        g_free(dev->pcie->aer.errors);
        g_clear_pointer(&dev->pcie, g_free);
    }
}
