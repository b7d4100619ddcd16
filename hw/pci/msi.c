/*
 * MSI: see hw/pci/msi.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci_parts.h"

void pci_send_message(PciDevice *dev, MsiMessage message)
{
    dma_store(dev->dma_as, message.addr, MEM_LE32, pci_device_attrs(dev), message.data);
}

static uint16_t flags(const PciDevice *dev)
{
    return dev->msi_cap ? load_le16(dev->config + dev->msi_cap + PCI_MSI_FLAGS) : 0;
}

static unsigned data_offset(const PciDevice *dev)
{
    return dev->msi_cap + PCI_MSI_ADDRESS + (flags(dev) & PCI_MSI_FLAGS_64 ? 8 : 4);
}

static uint8_t *mask_bits(const PciDevice *dev)
{
    return dev->config + data_offset(dev) + 4;
}

static uint8_t *pending_bits(const PciDevice *dev)
{
    return dev->config + data_offset(dev) + 8;
}

bool msi_init(PciDevice *dev, const MsiSpec *spec, Error **errp)
{
    unsigned log = g_bit_nth_lsf(spec->vectors, -1);
    unsigned bytes = 10 + (spec->is_64 ? 4 : 0) + (spec->has_masks ? 10 : 0);
    unsigned cap = pci_add_capability(dev, PCI_CAP_ID_MSI, spec->at, bytes, errp);

    assert(spec->vectors && spec->vectors <= 32 && !(spec->vectors & (spec->vectors - 1)));
    if (!cap) {
        return false;
    }
    dev->msi_cap = cap;
    store_le16(dev->config + cap + PCI_MSI_FLAGS,
               log << PCI_MSI_FLAGS_CAPABLE_SHIFT | (spec->is_64 ? PCI_MSI_FLAGS_64 : 0) |
                   (spec->has_masks ? PCI_MSI_FLAGS_MASKING : 0));
    memset(dev->fixed + cap + 2, 0, bytes - 2);
    store_le16(dev->fixed + cap + PCI_MSI_FLAGS,
               (uint16_t)~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_SIZE));
    store_le16(dev->writable + cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_SIZE);
    store_le32(dev->writable + cap + PCI_MSI_ADDRESS, 0xfffffffc);
    if (spec->is_64) {
        store_le32(dev->writable + cap + PCI_MSI_ADDRESS + 4, UINT32_MAX);
    }
    store_le16(dev->writable + data_offset(dev), 0xffff);
    if (spec->has_masks) {
        store_le32(dev->writable + data_offset(dev) + 4, UINT32_MAX >> (32 - spec->vectors));
    }
    return true;
}

bool msi_is_enabled(const PciDevice *dev)
{
    return flags(dev) & PCI_MSI_FLAGS_ENABLE;
}

/* A guest may ask for more than there are: it gets what there is. */
unsigned msi_vectors(const PciDevice *dev)
{
    unsigned capable = flags(dev) >> PCI_MSI_FLAGS_CAPABLE_SHIFT & 7;
    unsigned size = (flags(dev) & PCI_MSI_FLAGS_SIZE) >> PCI_MSI_FLAGS_SIZE_SHIFT;

    return 1u << MIN(capable, size);
}

bool msi_is_masked(const PciDevice *dev, unsigned vector)
{
    return flags(dev) & PCI_MSI_FLAGS_MASKING && load_le32(mask_bits(dev)) & BIT(vector);
}

MsiMessage msi_message(const PciDevice *dev, unsigned vector)
{
    const uint8_t *at = dev->config + dev->msi_cap + PCI_MSI_ADDRESS;
    uint16_t data = load_le16(dev->config + data_offset(dev));

    return (MsiMessage){
        .addr = flags(dev) & PCI_MSI_FLAGS_64 ? load_le64(at) : load_le32(at),
        .data = (data & ~(msi_vectors(dev) - 1)) | vector,
    };
}

void msi_notify(PciDevice *dev, unsigned vector)
{
    if (!msi_is_enabled(dev)) {
        return;
    }
    if (vector >= msi_vectors(dev)) {
        vector = 0; /* the guest allowed fewer: they share the first */
    }
    if (msi_is_masked(dev, vector)) {
        store_le32(pending_bits(dev), load_le32(pending_bits(dev)) | BIT(vector));
        return;
    }
    pci_send_message(dev, msi_message(dev, vector));
}

void pci_msi_written(PciDevice *dev, unsigned at, unsigned bytes)
{
    if (!dev->msi_cap || !pci_range_touches(at, bytes, dev->msi_cap, 24) || !msi_is_enabled(dev) ||
        !(flags(dev) & PCI_MSI_FLAGS_MASKING)) {
        return;
    }
    for (unsigned vector = 0; vector < msi_vectors(dev); vector++) {
        uint32_t pending = load_le32(pending_bits(dev));

        if (pending & BIT(vector) && !msi_is_masked(dev, vector)) {
            store_le32(pending_bits(dev), pending & ~BIT(vector));
            pci_send_message(dev, msi_message(dev, vector));
        }
    }
}

void pci_msi_reset(PciDevice *dev)
{
    unsigned end;

    if (!dev->msi_cap) {
        return;
    }
    end = flags(dev) & PCI_MSI_FLAGS_MASKING ? data_offset(dev) + 12 : data_offset(dev) + 2;
    memset(dev->config + dev->msi_cap + PCI_MSI_ADDRESS, 0, end - dev->msi_cap - PCI_MSI_ADDRESS);
    store_le16(dev->config + dev->msi_cap + PCI_MSI_FLAGS,
               flags(dev) & ~(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_SIZE));
}

bool pci_msi_or_msix_is_enabled(const PciDevice *dev)
{
    return msi_is_enabled(dev) || msix_is_enabled(dev);
}
