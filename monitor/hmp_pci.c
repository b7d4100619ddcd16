/*
 * HMP commands on PCI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "hw/pci/pcie_aer.h"

/* --- info pci --- */

static void show_device(Hmp *hmp, json_object *dev);

static void show_devices(Hmp *hmp, json_object *list)
{
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        show_device(hmp, json_object_array_get_idx(list, i));
    }
}

static void show_range(Hmp *hmp, json_object *range, const char *what, int digits)
{
    hmp_printf(hmp, "      %s range [0x%0*" PRIx64 ", 0x%0*" PRIx64 "]\n", what, digits,
               hmp_int(range, "base"), digits, hmp_int(range, "limit"));
}

static void show_bridge(Hmp *hmp, json_object *bus)
{
    hmp_printf(hmp, "      BUS %" PRId64 ".\n", hmp_int(bus, "number"));
    hmp_printf(hmp, "      secondary bus %" PRId64 ".\n", hmp_int(bus, "secondary"));
    hmp_printf(hmp, "      subordinate bus %" PRId64 ".\n", hmp_int(bus, "subordinate"));
    show_range(hmp, json_member(bus, "io_range"), "IO", 4);
    show_range(hmp, json_member(bus, "memory_range"), "memory", 8);
    show_range(hmp, json_member(bus, "prefetchable_range"), "prefetchable memory", 8);
}

static void show_region(Hmp *hmp, json_object *bar)
{
    uint64_t address = hmp_int(bar, "address");
    uint64_t last = address + hmp_int(bar, "size") - 1;

    if (!strcmp(hmp_text(bar, "type"), "io")) {
        hmp_printf(hmp, "      BAR%" PRId64 ": I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n",
                   hmp_int(bar, "bar"), address, last);
    } else {
        hmp_printf(hmp, "      BAR%" PRId64 ": %d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64
                   "].\n", hmp_int(bar, "bar"), hmp_bool(bar, "mem_type_64") ? 64 : 32,
                   hmp_bool(bar, "prefetch") ? " prefetchable" : "", address, last);
    }
}

static void show_class(Hmp *hmp, json_object *dev)
{
    json_object *class_info = json_member(dev, "class_info"), *id = json_member(dev, "id");

    if (hmp_has(class_info, "desc")) {
        hmp_printf(hmp, "    %s", hmp_text(class_info, "desc"));
    } else {
        hmp_printf(hmp, "    Class %04" PRId64, hmp_int(class_info, "class"));
    }
    hmp_printf(hmp, ": PCI device %04" PRIx64 ":%04" PRIx64 "\n", hmp_int(id, "vendor"),
               hmp_int(id, "device"));
    if (hmp_has(id, "subsystem")) {
        hmp_printf(hmp, "      PCI subsystem %04" PRIx64 ":%04" PRIx64 "\n",
                   hmp_int(id, "subsystem-vendor"), hmp_int(id, "subsystem"));
    }
}

static void show_device(Hmp *hmp, json_object *dev)
{
    json_object *bridge = json_member(dev, "pci_bridge");
    json_object *regions = json_member(dev, "regions");

    hmp_printf(hmp, "  Bus %2" PRId64 ", device %3" PRId64 ", function %" PRId64 ":\n",
               hmp_int(dev, "bus"), hmp_int(dev, "slot"), hmp_int(dev, "function"));
    show_class(hmp, dev);
    if (hmp_has(dev, "irq")) {
        hmp_printf(hmp, "      IRQ %" PRId64 ", pin %c\n", hmp_int(dev, "irq"),
                   (char)('A' + hmp_int(dev, "irq_pin") - 1));
    }
    if (bridge) {
        show_bridge(hmp, json_member(bridge, "bus"));
    }
    for (size_t i = 0; i < json_object_array_length(regions); i++) {
        show_region(hmp, json_object_array_get_idx(regions, i));
    }
    hmp_printf(hmp, "      id \"%s\"\n", hmp_text(dev, "qdev_id"));
    if (bridge) {
        show_devices(hmp, json_member(bridge, "devices"));
    }
}

void show_pci(Hmp *hmp, json_object *value)
{
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        show_devices(hmp, json_member(json_object_array_get_idx(value, i), "devices"));
    }
}

/* --- pcie_aer_inject_error --- */

static bool find_status(const char *text, PcieAerError *error)
{
    uint64_t number;

    if (pcie_aer_find(text, &error->status, &error->is_correctable)) {
        return true;
    }
    if (!g_ascii_string_to_unsigned(text, g_str_has_prefix(text, "0x") ? 16 : 10, 0, UINT32_MAX,
                                    &number, NULL) &&
        !(g_str_has_prefix(text, "0x") &&
          g_ascii_string_to_unsigned(text + 2, 16, 0, UINT32_MAX, &number, NULL))) {
        return false;
    }
    error->status = number;
    return true;
}

/* Four words of which any may be absent. */
static bool read_words(json_object *args, const char *stem, uint32_t words[4])
{
    bool is_there = false;

    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("%s%u", stem, i);

        is_there |= hmp_has(args, name);
        words[i] = hmp_int(args, name);
    }
    return is_there;
}

static void inject(Hmp *hmp, PciDevice *dev, PcieAerError *error)
{
    g_autoptr(Error) err = NULL;
    PciBus *bus = pci_device_bus(dev);

    error->source_id = pci_device_requester_id(dev);
    if (!pcie_aer_inject(dev, error, &err)) {
        hmp_printf(hmp, "%s\n", error_text(err));
        return;
    }
    hmp_printf(hmp, "OK id: %s root bus: 0000:%02x, bus: %x devfn: %x.%x\n",
               device_label(&dev->parent), pci_bus_number(pci_bus_root(bus)),
               pci_bus_number(bus), PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn));
}

void hmp_pcie_aer_inject_error(Hmp *hmp, json_object *args)
{
    PcieAerError error = { .is_advisory = hmp_bool(args, "advisory"),
                           .is_correctable = hmp_bool(args, "correctable") };
    const char *id = hmp_text(args, "id"), *status = hmp_text(args, "error_status");
    Device *dev = device_find(id);

    if (!dev || !object_is_a(dev, TYPE_PCI_DEVICE)) {
        hmp_printf(hmp, "id or pci device path is invalid or device not found. %s\n", id);
    } else if (!PCI_DEVICE(dev)->express_cap) {
        hmp_printf(hmp, "the device doesn't support pci express. %s\n", id);
    } else if (!find_status(status, &error)) {
        hmp_printf(hmp, "invalid error status value. \"%s\"\n", status);
    } else {
        error.has_header = read_words(args, "header", error.header);
        error.has_prefix = read_words(args, "prefix", error.prefix);
        inject(hmp, PCI_DEVICE(dev), &error);
    }
}
