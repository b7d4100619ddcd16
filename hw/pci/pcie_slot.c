/*
 * Slots of ports and native hot-plug (PCI Express Base 5.0, 6.7 and 7.5.3.9 to 7.5.3.11): presence,
 * attention button, power controller, indicators, data link layer state, command completed.
 *
 * A device that comes is present at once and the button is pressed. One that is to go presses the
 * button too; it goes when the guest has switched off power and the power indicator. Where the
 * guest stops blinking with power on, it kept the device, and the user is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie_parts.h"
#include "qapi/qapi-events-qdev.h"

#define EVENTS (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_CC | PCI_EXP_SLTSTA_DLLSC)
#define UNPLUG_PATIENCE_NS (5 * NS_PER_SEC) /* a second press in between would cancel the first */

static bool has_slot(const PciDevice *dev)
{
    return dev->express_cap && pcie_get16(dev, PCI_EXP_FLAGS) & PCI_EXP_FLAGS_SLOT;
}

static PciBus *bus_of(const PciDevice *port)
{
    return port->parent.buses && port->parent.buses->len ? port->parent.buses->pdata[0] : NULL;
}

static bool has_capability(const PciDevice *dev, uint32_t mask)
{
    return pcie_get32(dev, PCI_EXP_SLTCAP) & mask;
}

uint32_t pcie_chassis_slot(const PciDevice *port)
{
    return has_slot(port) ? (uint32_t)port->pcie->slot.chassis << 16 | port->pcie->slot.number :
                            UINT32_MAX;
}

void pcie_slot_init(PciDevice *port, const PcieSlotSpec *spec)
{
    uint32_t caps = PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP |
                    PCI_EXP_SLTCAP_EIP | (uint32_t)spec->number << PCI_EXP_SLTCAP_PSN_SHIFT;
    uint16_t control = PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_CCIE |
                       PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC |
                       PCI_EXP_SLTCTL_EIC | PCI_EXP_SLTCTL_DLLSCE;

    caps |= spec->is_hotpluggable ? PCI_EXP_SLTCAP_HPS : 0;
    caps |= spec->has_native_hotplug ? PCI_EXP_SLTCAP_HPC : 0;
    if (spec->has_power_controller) {
        caps |= PCI_EXP_SLTCAP_PCP;
        control |= PCI_EXP_SLTCTL_PCC;
    }
    pcie_change16(port, PCI_EXP_FLAGS, 0, PCI_EXP_FLAGS_SLOT);
    store_le32(port->config + pcie_at(port, PCI_EXP_SLTCAP), caps);
    store_le16(port->writable + pcie_at(port, PCI_EXP_SLTCTL), control);
    store_le16(port->clear_on_1 + pcie_at(port, PCI_EXP_SLTSTA), EVENTS);
    store_le32(port->fixed + pcie_at(port, PCI_EXP_SLTCTL), 0);
    port->pcie->slot.chassis = spec->chassis;
    port->pcie->slot.number = spec->number;
}

/* --- power --- */

static bool is_powered(const PciDevice *port)
{
    return !has_capability(port, PCI_EXP_SLTCAP_PCP) ||
           !(pcie_get16(port, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PCC);
}

/* Off as the unplug protocol has it: no power, and the indicator says so. */
static bool is_off(const PciDevice *port, uint16_t control)
{
    return (!has_capability(port, PCI_EXP_SLTCAP_PCP) || control & PCI_EXP_SLTCTL_PCC) &&
           (control & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PIC_OFF;
}

/* Power comes with a reset, as on a real slot. */
static void update_power(PciDevice *port)
{
    PciBus *bus = bus_of(port);

    for (unsigned devfn = 0; bus && devfn < 8; devfn++) {
        PciDevice *dev = bus->devices[devfn];

        if (dev && dev->is_without_power == is_powered(port)) {
            pci_device_set_power(dev, is_powered(port));
        }
    }
}

/* --- events --- */

static bool wants_irq(const PciDevice *port)
{
    uint16_t control = pcie_get16(port, PCI_EXP_SLTCTL);
    /* Enables sit where their events do, but that of the link's state. */
    uint16_t enabled = control & (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_CC);

    enabled |= control & PCI_EXP_SLTCTL_DLLSCE ? PCI_EXP_SLTSTA_DLLSC : 0;
    return control & PCI_EXP_SLTCTL_HPIE && pcie_get16(port, PCI_EXP_SLTSTA) & enabled;
}

static void update_events(PciDevice *port)
{
    bool was_up = port->pcie->slot.is_event_up, is_up = wants_irq(port);

    port->pcie->slot.is_event_up = is_up;
    if (is_up && !was_up && msix_is_enabled(port)) {
        msix_notify(port, port->pcie->slot.vector);
    } else if (is_up && !was_up) {
        msi_notify(port, port->pcie->slot.vector);
    }
    pcie_port_update_intx(port);
}

static void raise_event(PciDevice *port, uint16_t events)
{
    pcie_change16(port, PCI_EXP_SLTSTA, 0, events);
    update_events(port);
}

/* --- presence --- */

/* What the two ends of the link agree on. */
static uint16_t common_link(PciDevice *port, const PciDevice *dev)
{
    uint32_t a = pcie_get32(port, PCI_EXP_LNKCAP);
    uint32_t b = dev && dev->express_cap ? pcie_get32(dev, PCI_EXP_LNKCAP) : 0;

    if (!dev) {
        return a & (PCI_EXP_LNK_SPEED | PCI_EXP_LNK_WIDTH);
    }
    if (!b) {
        return 1 | 1 << PCI_EXP_LNKCAP_WIDTH_SHIFT;
    }
    return MIN(a & PCI_EXP_LNK_SPEED, b & PCI_EXP_LNK_SPEED) |
           MIN(a & PCI_EXP_LNK_WIDTH, b & PCI_EXP_LNK_WIDTH);
}

/* `dev` is function 0 of what is there, NULL: nothing. True: that is news. */
static bool set_presence(PciDevice *port, const PciDevice *dev)
{
    bool was = pcie_get16(port, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS;
    bool is_active = dev && pcie_get32(port, PCI_EXP_LNKCAP) & PCI_EXP_LNKCAP_DLLLARC;

    pcie_change16(port, PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDS, dev ? PCI_EXP_SLTSTA_PDS : 0);
    pcie_change16(port, PCI_EXP_LNKSTA,
                  PCI_EXP_LNKSTA_DLLLA | PCI_EXP_LNK_SPEED | PCI_EXP_LNK_WIDTH,
                  common_link(port, dev) | (is_active ? PCI_EXP_LNKSTA_DLLLA : 0));
    return was != !!dev;
}

static const PciDevice *occupant(const PciDevice *port)
{
    const PciBus *bus = bus_of(port);

    return bus ? bus->devices[0] : NULL;
}

/* Who is there gets power. */
static void set_occupied(PciDevice *port, const PciDevice *dev)
{
    uint16_t off = has_capability(port, PCI_EXP_SLTCAP_PCP) ? PCI_EXP_SLTCTL_PCC : 0;

    pcie_change16(port, PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC,
                  dev ? PCI_EXP_SLTCTL_PIC_ON : PCI_EXP_SLTCTL_PIC_OFF | off);
    set_presence(port, dev);
    port->pcie->slot.old_control = pcie_get16(port, PCI_EXP_SLTCTL);
    update_power(port);
}

void pcie_slot_show(PciDevice *port, const PciDevice *dev, bool is_there)
{
    set_occupied(port, is_there ? dev : NULL);
}

/* --- the handler of the port's bus --- */

bool pcie_takes_devices_later(const PciDevice *bridge)
{
    return !pcie_is_downstream_port(bridge) || has_capability(bridge, PCI_EXP_SLTCAP_HPS);
}

bool pcie_slot_pre_plug(PciDevice *port, Device *dev, Error **errp)
{
    return !dev->is_hotplugged || has_capability(port, PCI_EXP_SLTCAP_HPC) ||
           error_set(errp, "Hot-plug failed: unsupported by the port device '%s'",
                     port->parent.id ? port->parent.id : "");
}

/* A guest looks when function 0 comes; the others must be there by then. */
bool pcie_slot_plug(PciDevice *port, Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);

    if (!device->is_hotplugged) {
        if (!PCI_FUNCTION(dev->devfn)) {
            set_presence(port, dev);
        }
        return true;
    }
    if (!is_powered(port)) {
        pci_device_set_power(dev, false);
    }
    if (!dev->devfn) {
        set_presence(port, dev);
        raise_event(port, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC | PCI_EXP_SLTSTA_ABP);
    }
    return true;
}

/* All functions leave, function 0 last. */
static void let_go(PciDevice *port)
{
    PciBus *bus = bus_of(port);

    for (int devfn = 7; devfn >= 0; devfn--) {
        if (bus->devices[devfn]) {
            hotplug_unplug(&bus->devices[devfn]->parent);
        }
    }
}

bool pcie_slot_unplug_request(PciDevice *port, Device *dev, Error **errp)
{
    uint16_t control = pcie_get16(port, PCI_EXP_SLTCTL);

    if (!has_capability(port, PCI_EXP_SLTCAP_HPC)) {
        return error_set(errp, "Hot-unplug failed: unsupported by the port device '%s'",
                         port->parent.id ? port->parent.id : "");
    }
    if ((control & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PIC_BLINK) {
        return error_set(errp, "Hot-unplug failed: guest is busy (power indicator blinking)");
    }
    if (is_off(port, control)) {
        let_go(port); /* nobody uses it */
        return true;
    }
    dev->unplug_repeat_ns = clock_now_ns(CLOCK_VIRTUAL) + UNPLUG_PATIENCE_NS;
    raise_event(port, PCI_EXP_SLTSTA_ABP);
    return true;
}

void pcie_slot_unplug(PciDevice *port, Device *device)
{
    PciDevice *dev = PCI_DEVICE(device);

    if (!dev->devfn && set_presence(port, NULL)) {
        raise_event(port, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
    }
}

/* --- what a guest writes --- */

static void tell_refused(PciDevice *port)
{
    PciBus *bus = bus_of(port);

    for (unsigned devfn = 0; devfn < 8; devfn++) {
        Device *dev = bus->devices[devfn] ? &bus->devices[devfn]->parent : NULL;

        if (dev && dev->is_unplug_pending) {
            g_autofree char *path = object_path(dev);

            dev->is_unplug_pending = false;
            qapi_event_send_device_unplug_guest_error(dev->id, path);
        }
    }
}

static void follow_control(PciDevice *port, uint16_t old, uint16_t new)
{
    uint16_t old_pic = old & PCI_EXP_SLTCTL_PIC, new_pic = new & PCI_EXP_SLTCTL_PIC;

    update_power(port);
    if (is_off(port, new) && !is_off(port, old) && occupant(port) &&
        has_capability(port, PCI_EXP_SLTCAP_HPC)) {
        let_go(port);
    } else if (old_pic == PCI_EXP_SLTCTL_PIC_BLINK && new_pic == PCI_EXP_SLTCTL_PIC_ON &&
               is_powered(port)) {
        tell_refused(port);
    }
}

/* Reading 0, the interlock's control toggles its state. */
static void toggle_interlock(PciDevice *port)
{
    if (pcie_get16(port, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_EIC) {
        pcie_change16(port, PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_EIC, 0);
        pcie_put16(port, PCI_EXP_SLTSTA, pcie_get16(port, PCI_EXP_SLTSTA) ^ PCI_EXP_SLTSTA_EIS);
    }
}

void pcie_slot_written(PciDevice *port, unsigned at, unsigned bytes)
{
    uint16_t old;

    if (!has_slot(port) || !pci_range_touches(at, bytes, pcie_at(port, PCI_EXP_SLTCTL), 4)) {
        return;
    }
    if (pci_range_touches(at, bytes, pcie_at(port, PCI_EXP_SLTCTL), 2)) {
        toggle_interlock(port);
        old = port->pcie->slot.old_control;
        port->pcie->slot.old_control = pcie_get16(port, PCI_EXP_SLTCTL);
        follow_control(port, old, port->pcie->slot.old_control);
        pcie_change16(port, PCI_EXP_SLTSTA, 0, PCI_EXP_SLTSTA_CC);
    }
    update_events(port);
}

/* Power is on where something is, indicators follow; events are forgotten. */
void pcie_slot_reset(PciDevice *port)
{
    if (has_slot(port)) {
        pcie_put16(port, PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_AIC_OFF);
        pcie_change16(port, PCI_EXP_SLTSTA, EVENTS | PCI_EXP_SLTSTA_EIS, 0);
        port->pcie->slot.is_event_up = false;
        set_occupied(port, occupant(port));
    }
}

void pcie_slot_reload(PciDevice *port)
{
    if (has_slot(port)) {
        port->pcie->slot.old_control = pcie_get16(port, PCI_EXP_SLTCTL);
        port->pcie->slot.is_event_up = wants_irq(port); /* told already */
        update_power(port);
        pcie_port_update_intx(port);
    }
}
