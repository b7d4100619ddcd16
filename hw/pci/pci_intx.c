/*
 * INTx: a function's pin, through bridges that swizzle, to a line of the board.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_parts.h"

/* The function below the root that stands for `dev` there, and its pin (PCI-to-PCI bridges 9.1). */
static const PciDevice *at_root(const PciDevice *dev, unsigned *pin)
{
    PciBus *bus = pci_device_bus(dev);

    *pin = dev->config[PCI_INTERRUPT_PIN] - 1;
    while (bus->bridge) {
        *pin = (PCI_SLOT(dev->devfn) + *pin) % PCI_PIN_COUNT;
        dev = bus->bridge;
        bus = pci_device_bus(dev);
    }
    return dev;
}

void pci_bus_intx_change(PciDevice *dev, int driving)
{
    PciBus *root = pci_bus_main_root(pci_device_bus(dev));
    unsigned pin, line;
    const PciDevice *top;

    if (!root->router) {
        return;
    }
    top = at_root(dev, &pin);
    line = root->router->line(root->router_opaque, top, pin);
    assert(line < root->router->line_count);
    root->line_users[line] += driving;
    if (root->line_users[line] == (driving > 0 ? 1 : 0)) {
        root->router->set(root->router_opaque, line, driving > 0);
    }
}

void pci_intx_update(PciDevice *dev)
{
    uint16_t command = load_le16(dev->config + PCI_COMMAND);
    bool is_sent = dev->devfn >= 0 && dev->is_intx_up && !dev->is_without_power &&
                   !(command & PCI_COMMAND_INTX_DISABLE) && !pci_msi_or_msix_is_enabled(dev);

    if (dev->is_intx_up) {
        dev->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
    } else {
        dev->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
    }
    if (is_sent != dev->is_intx_sent) {
        dev->is_intx_sent = is_sent;
        pci_bus_intx_change(dev, is_sent ? 1 : -1);
    }
}

void pci_intx_set(PciDevice *dev, bool is_up)
{
    assert(dev->config[PCI_INTERRUPT_PIN] - 1u < PCI_PIN_COUNT);
    dev->is_intx_up = is_up;
    pci_intx_update(dev);
}

static void leave_line(void *opaque, PciDevice *dev)
{
    if (dev->is_intx_sent) {
        pci_bus_intx_change(dev, -1);
    }
}

static void join_line(void *opaque, PciDevice *dev)
{
    if (dev->is_intx_sent) {
        pci_bus_intx_change(dev, 1);
    }
}

void pci_bus_reroute(PciBus *root, void (*change)(void *opaque))
{
    pci_bus_each_of_all(root, leave_line, NULL);
    change(root->router_opaque);
    pci_bus_each_of_all(root, join_line, NULL);
}

void pci_bus_set_router(PciBus *root, const PciIntxRouter *router, void *opaque)
{
    root->router = router;
    root->router_opaque = opaque;
    g_free(root->line_users);
    root->line_users = router ? g_new0(unsigned, router->line_count) : NULL;
}

int pci_bus_line_level(const PciBus *root, unsigned line)
{
    return root->line_users[line] > 0;
}
