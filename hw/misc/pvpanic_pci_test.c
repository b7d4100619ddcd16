/*
 * pvpanic on PCI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_test_machine.h"
#include "qapi/event.h"
#include "system/machine_lock.h"
#include "system/run_state.h"

#define DEVFN  PCI_DEVFN(4, 0)
#define MEMORY 0x10000000u

static GString *seen;

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    g_string_append_printf(seen, "%s ", event->name);
}

static void test_events(void)
{
    Device *dev = test_add("{'driver': 'pvpanic-pci', 'addr': '4'}", NULL);

    g_assert_nonnull(dev);
    g_assert_cmphex(test_config_get(DEVFN, PCI_VENDOR_ID, MEM_LE32), ==, 0x00111b36);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, MEMORY);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MEMORY);
    g_assert_cmphex(test_get(MEMORY, MEM_8), ==, 3);
    test_put(MEMORY, MEM_8, 4);
    g_assert_cmpstr(seen->str, ==, "");
    test_put(MEMORY, MEM_8, 2);
    test_put(MEMORY, MEM_8, 1);
    g_assert_cmpstr(seen->str, ==, "GUEST_CRASHLOADED GUEST_PANICKED ");
    device_delete(dev);
    dev = test_add("{'driver': 'pvpanic-pci', 'addr': '4', 'events': 1}", NULL);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, MEMORY);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MEMORY);
    g_assert_cmphex(test_get(MEMORY, MEM_8), ==, 1);
    device_delete(dev);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    seen = g_string_new(NULL);
    run_actions()->panic = PANIC_ACTION_NONE;
    qapi_event_set_sink(sink, NULL);
    g_test_add_func("/pvpanic-pci/events", test_events);
    status = g_test_run();
    g_string_free(seen, TRUE);
    machine_unlock();
    return status;
}
