/*
 * virtio over PCI: the function that a virtio device is behind. Which interfaces it has follows
 * from its type, its properties and its place: with both it is a transitional device. See
 * hw/virtio/virtio_pci.h.
 *
 * Left out: what properties for old migration streams would keep.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_ats.h"
#include "virtio_pci_parts.h"

#define DEFAULT_VECTORS   UINT32_MAX
#define MODERN_ID_BASE    0x1040
#define MODERN_REVISION   1
#define PCIE_EXTENDED     0x100 /* where extended capabilities begin */
#define AER_BYTES         0x48  /* with the log of prefixes, which ours does not have */
#define TYPE_VIRTIO_PCI_BUS "virtio-pci-bus"

VirtioDevice *virtio_pci_device(const VirtioPci *pci)
{
    return pci->bus ? virtio_bus_device(pci->bus) : NULL;
}

/* --- interrupts --- */

static void update_pin(VirtioPci *pci, const VirtioDevice *vdev)
{
    pci_intx_set(&pci->parent, vdev->isr);
}

uint16_t virtio_pci_valid_vector(const VirtioPci *pci, uint16_t vector)
{
    return vector < msix_vectors(&pci->parent) ? vector : VIRTIO_NO_VECTOR;
}

/* With MSI-X a queue's message says all; the bit for the configuration is set always (4.1.4.5). */
static void virtio_pci_interrupt(Device *dev, VirtioDevice *vdev, uint8_t cause, uint16_t vector)
{
    VirtioPci *pci = VIRTIO_PCI(dev);
    bool has_messages = msix_is_enabled(&pci->parent);

    if ((cause & VIRTIO_ISR_CONFIG) || !has_messages) {
        vdev->isr |= cause;
    }
    if (!has_messages) {
        update_pin(pci, vdev);
    } else if (vector != VIRTIO_NO_VECTOR) {
        msix_notify(&pci->parent, vector);
    }
}

uint8_t virtio_pci_take_isr(VirtioPci *pci)
{
    VirtioDevice *vdev = virtio_pci_device(pci);
    uint8_t isr = vdev->isr;

    vdev->isr = 0;
    update_pin(pci, vdev);
    return isr;
}

/* --- what both interfaces do --- */

static void reset_registers(VirtioPci *pci)
{
    pci->device_features_sel = pci->driver_features_sel = pci->queue_sel = 0;
    pci->driver_features[0] = pci->driver_features[1] = 0;
}

void virtio_pci_write_status(VirtioPci *pci, uint8_t status)
{
    VirtioDevice *vdev = virtio_pci_device(pci);

    virtio_write_status(vdev, status);
    if (!status) {
        reset_registers(pci);
        update_pin(pci, vdev);
    }
}

void virtio_pci_kick(VirtioPci *pci, unsigned queue)
{
    VirtQueue *vq = virtio_queue(virtio_pci_device(pci), queue);

    if (vq) {
        virtqueue_kick(vq);
    }
}

/* --- the bus --- */

static AddressSpace *virtio_pci_dma_space(Device *dev)
{
    return pci_device_dma_as(PCI_DEVICE(dev));
}

static MemTxAttrs virtio_pci_dma_attrs(Device *dev)
{
    return pci_device_attrs(PCI_DEVICE(dev));
}

static uint16_t virtio_pci_selected_queue(const Device *dev)
{
    return VIRTIO_PCI(dev)->queue_sel;
}

static char *virtio_pci_address(Bus *bus, Device *dev)
{
    return pci_device_path(PCI_DEVICE(bus->owner));
}

static const VirtioBusType virtio_pci_bus_type = {
    .name = TYPE_VIRTIO_PCI_BUS,
    .parent = TYPE_VIRTIO_BUS,
    .doc = "The place of a virtio PCI function's device",
    .device_address = virtio_pci_address,
    .interrupt = virtio_pci_interrupt,
    .dma_space = virtio_pci_dma_space,
    .dma_attrs = virtio_pci_dma_attrs,
    .selected_queue = virtio_pci_selected_queue,
};
BUS_TYPE(virtio_pci_bus_type)

/* --- configuration space --- */

/* A device that is no bus master stands still. */
static void update_master(VirtioPci *pci)
{
    VirtioDevice *vdev = virtio_pci_device(pci);

    if (vdev) {
        vdev->is_disabled = vdev->obeys_bus_master &&
                            !(pci->parent.config[PCI_COMMAND] & PCI_COMMAND_MASTER);
    }
}

static uint32_t virtio_pci_config_read(PciDevice *dev, unsigned at, unsigned bytes)
{
    if (virtio_pci_window_touched(VIRTIO_PCI(dev), at, bytes)) {
        virtio_pci_window_read(VIRTIO_PCI(dev));
    }
    return pci_config_read_default(dev, at, bytes);
}

static void virtio_pci_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    pci_config_write_default(dev, at, value, bytes);
    update_master(VIRTIO_PCI(dev));
    if (virtio_pci_window_touched(VIRTIO_PCI(dev), at, bytes)) {
        virtio_pci_window_write(VIRTIO_PCI(dev));
    }
}

/* --- which interfaces --- */

/* Behind a port there is no room for ports of I/O. */
static bool is_behind_port(const VirtioPci *pci)
{
    const PciBus *bus = pci_device_bus(&pci->parent);

    return pci_bus_is_express(bus) && bus->bridge;
}

static bool choose_interfaces(VirtioPci *pci, Error **errp)
{
    const VirtioPciType *ops = virtio_pci_ops(pci);
    bool can_be_legacy = ops->family->transitional_id;

    pci->has_modern = !pci->modern_is_off;
    pci->has_legacy = pci->legacy_is_off == ON_OFF_AUTO_VALUE_AUTO ?
                      can_be_legacy && !is_behind_port(pci) :
                      pci->legacy_is_off == ON_OFF_AUTO_VALUE_OFF;
    if (ops->variant != VIRTIO_PCI_GENERIC) {
        pci->has_modern = true;
        pci->has_legacy = ops->variant == VIRTIO_PCI_TRANSITIONAL;
    }
    if (!pci->has_modern && !pci->has_legacy) {
        return error_set(errp, "device cannot work as neither modern nor legacy mode is enabled");
    }
    if (pci->has_legacy && !can_be_legacy && !virtio_pci_device(pci)->skips_legacy_check) {
        return error_set(errp, "device is modern-only, use disable-legacy=on");
    }
    if (!pci->has_modern && (virtio_pci_device(pci)->wanted_features &
                             BIT64(VIRTIO_F_ACCESS_PLATFORM))) {
        return error_set(errp, "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor "
                         "transitional device");
    }
    return true;
}

static void set_identity(VirtioPci *pci)
{
    const VirtioPciFamily *family = virtio_pci_ops(pci)->family;
    uint16_t id = virtio_ops(virtio_pci_device(pci))->virtio_id;
    uint8_t *config = pci->parent.config;

    if (pci->has_legacy) {
        store_le16(config + PCI_DEVICE_ID,
                   family->transitional_id ? family->transitional_id : MODERN_ID_BASE + id);
        store_le16(config + PCI_SUBSYSTEM_ID, id);
    } else {
        store_le16(config + PCI_DEVICE_ID, MODERN_ID_BASE + id);
        config[PCI_REVISION_ID] = MODERN_REVISION;
    }
    config[PCI_INTERRUPT_PIN] = 1;
    pci_rom_adopt(&pci->parent);
}

/* --- life --- */

static void init_region(VirtioPci *pci, MemoryRegion *region, const MemoryOps *ops,
                        const char *name, uint64_t bytes)
{
    memory_region_clear(region);
    memory_region_init_io(region, (Object *)pci, ops, name, bytes);
}

static bool add_modern(VirtioPci *pci, Error **errp)
{
    PciDevice *dev = &pci->parent;

    init_region(pci, &pci->modern, &virtio_pci_modern_ops, "virtio-pci-modern",
                virtio_pci_modern_bytes(pci));
    pci_add_bar(dev, VIRTIO_PCI_BAR_MODERN, PCI_BAR_64 | PCI_BAR_PREFETCH, &pci->modern);
    if (pci->has_port) {
        init_region(pci, &pci->port, &virtio_pci_port_ops, "virtio-pci-notify-pio",
                    VIRTIO_PCI_PORT_BYTES);
        pci_add_bar(dev, VIRTIO_PCI_BAR_PORT, PCI_BAR_IO, &pci->port);
    }
    return virtio_pci_add_caps(pci, errp);
}

static uint32_t wanted_vectors(const VirtioPci *pci)
{
    const VirtioPciFamily *family = virtio_pci_ops(pci)->family;

    return pci->vectors != DEFAULT_VECTORS ? pci->vectors :
           family->is_without_vectors ? 0 :
           family->vectors ? family->vectors : virtio_pci_device(pci)->queue_count + 1;
}

static bool add_interfaces(VirtioPci *pci, Error **errp)
{
    PciDevice *dev = &pci->parent;
    uint32_t vectors = wanted_vectors(pci);

    pci->window_cap = 0;
    if (pci->has_legacy) {
        init_region(pci, &pci->legacy, &virtio_pci_legacy_ops, "virtio-pci",
                    virtio_pci_legacy_bytes(pci));
        pci_add_bar(dev, VIRTIO_PCI_BAR_LEGACY, PCI_BAR_IO, &pci->legacy);
    }
    return (!pci->has_modern || add_modern(pci, errp)) &&
           (!vectors || msix_init_bar(dev, vectors, VIRTIO_PCI_BAR_MSIX, errp));
}

static bool add_power(VirtioPci *pci, Error **errp)
{
    PciDevice *dev = &pci->parent;

    if (!pci_add_pm_capability(dev, 0, errp)) {
        return false;
    }
    if (!pci->has_power_states) {
        store_le16(dev->writable + dev->pm_cap + PCI_PM_CTRL, 0);
    }
    return true;
}

static bool add_express(VirtioPci *pci, Error **errp)
{
    PciDevice *dev = &pci->parent;
    const PcieCapSpec spec = {
        .type = PCIE_ENDPOINT, .has_flr = pci->has_flr, .reports_errors = pci->reports_errors,
        .is_link_fixed = !pci->has_link_control,
    };
    const PcieAerSpec aer = { .at = PCIE_EXTENDED, .version = 2, .log_max = 8 };

    if (!is_behind_port(pci) || pci->is_conventional) {
        return true;
    }
    return pcie_cap_init(dev, &spec, errp) && add_power(pci, errp) &&
           (!pci->has_aer || pcie_aer_init(dev, &aer, errp)) &&
           (!pci->has_ats || pcie_ats_init(dev, PCIE_EXTENDED + (pci->has_aer ? AER_BYTES : 0),
                                           pci->aligns_ats, errp));
}

static bool realize_device(VirtioPci *pci, Error **errp)
{
    Object *backend = object_child((Object *)pci, VIRTIO_PCI_BACKEND);

    if (!backend) {
        return error_set(errp, "%s was unplugged", object_type_name(pci));
    }
    if (!pci->bus) {
        pci->bus = bus_new(TYPE_VIRTIO_PCI_BUS, (Device *)pci, "virtio-bus");
    }
    return device_realize(DEVICE(backend), pci->bus, errp);
}

static bool virtio_pci_realize(Device *dev, Error **errp)
{
    VirtioPci *pci = VIRTIO_PCI(dev);

    if (!realize_device(pci, errp)) {
        return false;
    }
    if (!choose_interfaces(pci, errp) || !add_express(pci, errp) || !add_interfaces(pci, errp)) {
        device_delete(DEVICE(object_child(&dev->parent, VIRTIO_PCI_BACKEND)));
        return false;
    }
    set_identity(pci);
    update_master(pci);
    return true;
}

static void virtio_pci_init(Object *obj)
{
    VirtioPci *pci = VIRTIO_PCI(obj);
    Device *backend = device_new(virtio_pci_ops(pci)->family->device->name);

    memory_region_init(&pci->legacy, obj, "virtio-pci", 1);
    memory_region_init(&pci->modern, obj, "virtio-pci-modern", 1);
    memory_region_init(&pci->port, obj, "virtio-pci-notify-pio", 1);
    backend->is_part = true;
    object_add_child(obj, VIRTIO_PCI_BACKEND, backend, NULL);
    object_unref(backend);
}

static void virtio_pci_finalize(Object *obj)
{
    memory_region_clear(&VIRTIO_PCI(obj)->legacy);
    memory_region_clear(&VIRTIO_PCI(obj)->modern);
    memory_region_clear(&VIRTIO_PCI(obj)->port);
}

static void virtio_pci_reset_enter(Device *dev)
{
    reset_registers(VIRTIO_PCI(dev));
}

/* The device below is reset by now, its function too. */
static void virtio_pci_reset_exit(Device *dev)
{
    update_master(VIRTIO_PCI(dev));
}

static bool virtio_pci_post_load(void *opaque, int version, Error **errp)
{
    update_master(opaque);
    return true;
}

static const VMField virtio_pci_fields[] = {
    VM_EQUAL(VirtioPci, has_legacy), VM_EQUAL(VirtioPci, has_modern),
    VM_U32(VirtioPci, device_features_sel), VM_U32(VirtioPci, driver_features_sel),
    VM_ARRAY(VirtioPci, driver_features), VM_U16(VirtioPci, queue_sel),
};

static const Property virtio_pci_props[] = {
    PROP_U32("vectors", VirtioPci, vectors, .initial = DEFAULT_VECTORS,
             .doc = "MSI-X vectors; 4294967295: as many as the device can use"),
    PROP_BOOL("ioeventfd", VirtioPci, has_ioeventfd, .initial = true,
              .doc = "An accelerator may signal notifications itself"),
    PROP_BOOL("page-per-vq", VirtioPci, has_page_per_queue,
              .doc = "A page of its own for each queue's notifications"),
    PROP_BOOL("ats", VirtioPci, has_ats, .doc = "Address translation services"),
    PROP_BOOL("x-ats-page-aligned", VirtioPci, aligns_ats, .initial = true,
              .doc = "Says that translations are of whole pages"),
    PROP_BOOL("aer", VirtioPci, has_aer, .doc = "Advanced error reporting"),
    PROP_BOOL("x-disable-pcie", VirtioPci, is_conventional,
              .doc = "No Express capability, wherever it sits"),
    PROP_BOOL("x-pcie-flr-init", VirtioPci, has_flr, .initial = true,
              .doc = "Function level reset"),
    PROP_BOOL("x-pcie-deverr-init", VirtioPci, reports_errors, .initial = true,
              .doc = "Error reporting can be enabled in the Express capability"),
    PROP_BOOL("x-pcie-lnkctl-init", VirtioPci, has_link_control, .initial = true,
              .doc = "Link control has bits that can be set"),
    PROP_BOOL("x-pcie-pm-init", VirtioPci, has_power_states, .initial = true,
              .doc = "The power state can be changed"),
    PROP_BOOL("modern-pio-notify", VirtioPci, has_port,
              .doc = "Notifications also at a port, for which exits are faster"),
};

const Property virtio_pci_generic_props[2] = {
    PROP_ON_OFF_AUTO("disable-legacy", VirtioPci, legacy_is_off,
                     .doc = "No interface for drivers before virtio 1.0"),
    PROP_BOOL("disable-modern", VirtioPci, modern_is_off, .doc = "No interface of virtio 1.0"),
};

const VirtioPciType virtio_pci_base_type = {
    .name = TYPE_VIRTIO_PCI,
    .doc = "A virtio device as a PCI function",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(VirtioPci),
    .is_abstract = true,
    .access = DEVICE_ACCESS_USER,
    .vendor_id = PCI_VENDOR_REDHAT_QUMRANET,
    .subsystem_vendor_id = PCI_VENDOR_REDHAT_QUMRANET,
    .subsystem_id = PCI_SUBSYSTEM_DEFAULT,
    .properties = PROPERTIES(virtio_pci_props),
    .vmstate = VMSTATE(virtio_pci_fields, .version = 1, .post_load = virtio_pci_post_load),
    .init = virtio_pci_init,
    .finalize = virtio_pci_finalize,
    .config_read = virtio_pci_config_read,
    .config_write = virtio_pci_config_write,
    .realize = virtio_pci_realize,
    .reset_enter = virtio_pci_reset_enter,
    .reset_exit = virtio_pci_reset_exit,
};
