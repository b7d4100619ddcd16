/*
 * Native hot-plug in the words of a guest: what pciehp reads and writes, step by step.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_test_machine.h"
#include "hw/pci/pcie.h"
#include "system/machine_lock.h"

#define PORT  (PCI_DEVFN(4, 0))
#define CHILD 0x100
#define CAP   0x54 /* of pcie-root-port */
#define SLTCTL (CAP + PCI_EXP_SLTCTL)
#define SLTSTA (CAP + PCI_EXP_SLTSTA)
#define LNKSTA (CAP + PCI_EXP_LNKSTA)
#define ENABLES (PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_CCIE | \
                 PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE)
#define ON    (PCI_EXP_SLTCTL_PIC_ON | PCI_EXP_SLTCTL_AIC_OFF)
#define BLINK (PCI_EXP_SLTCTL_PIC_BLINK | PCI_EXP_SLTCTL_AIC_OFF)
#define OFF   (PCI_EXP_SLTCTL_PIC_OFF | PCI_EXP_SLTCTL_AIC_OFF | PCI_EXP_SLTCTL_PCC)
#define ID    0x56781234

static TestHost *host;

static Device *add(const char *options)
{
    g_autoptr(Error) err = NULL;
    Device *dev = test_add(options, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    return dev;
}

static void refuse_add(const char *options, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(test_add(options, &err));
    g_assert_cmpstr(error_text(err), ==, why);
}

static void refuse_del(const char *id, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(device_del(id, &err));
    g_assert_cmpstr(error_text(err), ==, why);
}

static void del(const char *id)
{
    g_autoptr(Error) err = NULL;

    if (!device_del(id, &err)) {
        g_error("%s", error_text(err));
    }
}

static void control(uint16_t value)
{
    test_cfg_set(PORT, SLTCTL, 2, value);
}

/* Reads and clears. */
static uint16_t take_events(void)
{
    uint16_t status = test_cfg(PORT, SLTSTA, 2);

    test_cfg_set(PORT, SLTSTA, 2, status);
    return status & ~PCI_EXP_SLTSTA_PDS;
}

static bool is_present(void)
{
    return test_cfg(PORT, SLTSTA, 2) & PCI_EXP_SLTSTA_PDS;
}

/* The line of slot 4, pin A. */
static bool has_irq(void)
{
    return host->lines[0];
}

static Device *start(const char *options)
{
    Device *port;

    device_set_hotplug_phase(false);
    port = add(options);
    reset_machine();
    test_cfg_set(PORT, PCI_PRIMARY_BUS, 4, 0x010100);
    device_set_hotplug_phase(true);
    return port;
}

static Device *start_usual(void)
{
    Device *port = start("{'driver':'pcie-root-port','id':'p','addr':'4','chassis':1}");

    g_assert_cmphex(test_cfg(PORT, SLTCTL, 2), ==, OFF);
    control(OFF | ENABLES);
    g_assert_cmphex(take_events(), ==, PCI_EXP_SLTSTA_CC);
    return port;
}

/* The guest powers the slot and sees the device, then lets it go. */
static void test_dialogue(void)
{
    Device *port = start_usual();

    add("{'driver':'test-pci','id':'d','bus':'p'}");
    g_assert_true(has_irq());
    g_assert_true(is_present());
    g_assert_cmphex(test_cfg(PORT, LNKSTA, 2), ==, PCI_EXP_LNKSTA_DLLLA | 0x11);
    g_assert_cmphex(take_events(), ==,
                    PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
    g_assert_false(has_irq());
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, UINT32_MAX); /* no power yet */
    control(ON | ENABLES);
    g_assert_cmphex(take_events(), ==, PCI_EXP_SLTSTA_CC);
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, ID);
    del("d");
    g_assert_true(has_irq());
    g_assert_cmphex(take_events(), ==, PCI_EXP_SLTSTA_ABP);
    g_assert_nonnull(device_find("d"));
    refuse_del("d", "Device d is already in the process of unplug");
    control(BLINK | ENABLES);
    clock_qtest_step(6 * NS_PER_SEC);
    refuse_del("d", "Hot-unplug failed: guest is busy (power indicator blinking)");
    control(BLINK | PCI_EXP_SLTCTL_PCC | ENABLES);
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, UINT32_MAX);
    g_assert_nonnull(device_find("d"));
    take_events();
    control(OFF | ENABLES);
    g_assert_null(device_find("d"));
    g_assert_false(is_present());
    g_assert_cmphex(take_events(), ==,
                    PCI_EXP_SLTSTA_CC | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
    g_assert_cmphex(test_cfg(PORT, LNKSTA, 2) & PCI_EXP_LNKSTA_DLLLA, ==, 0);
    object_ref(port);
    device_delete(port);
    g_assert_cmpint(port->parent.refs, ==, 1); /* its bus let go of its handler, once */
    object_unref(port);
}

/* The user presses twice, or the driver cannot let go: the guest keeps it. */
static void test_refusal(void)
{
    Device *port = start_usual();

    add("{'driver':'test-pci','id':'d','bus':'p'}");
    control(ON | ENABLES);
    del("d");
    g_assert_true(device_find("d")->is_unplug_pending);
    control(BLINK | ENABLES);
    control(ON | ENABLES);
    g_assert_false(device_find("d")->is_unplug_pending);
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, ID);
    del("d");
    device_delete(port);
}

static void test_multifunction(void)
{
    Device *port = start_usual();

    add("{'driver':'test-pci','id':'d1','bus':'p','addr':'0.1','multifunction':true}");
    g_assert_false(is_present());
    g_assert_cmphex(take_events(), ==, 0);
    add("{'driver':'test-pci','id':'d0','bus':'p','addr':'0.0','multifunction':true}");
    g_assert_true(is_present());
    control(ON | ENABLES);
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, ID);
    g_assert_cmphex(test_cfg(CHILD + 1, 0, 4), ==, ID);
    refuse_add("{'driver':'test-pci','bus':'p','addr':'0.2'}",
               "PCI: slot 0 function 0 already occupied by test-pci, new func test-pci cannot be "
               "exposed to guest.");
    del("d1");
    control(OFF | ENABLES);
    g_assert_null(device_find("d0"));
    g_assert_null(device_find("d1"));
    g_assert_false(is_present());
    device_delete(port);
}

/* Nobody uses a slot that is off: there is nobody to ask. */
static void test_unused(void)
{
    Device *port = start_usual();

    add("{'driver':'test-pci','id':'d','bus':'p'}");
    g_assert_nonnull(device_find("d"));
    del("d");
    g_assert_null(device_find("d"));
    /* A reset ends what was asked for. */
    add("{'driver':'test-pci','id':'d','bus':'p'}");
    control(ON | ENABLES);
    del("d");
    reset_machine();
    g_assert_null(device_find("d"));
    g_assert_cmphex(test_cfg(PORT, SLTCTL, 2), ==, OFF);
    g_assert_cmphex(take_events(), ==, 0);
    device_delete(port);
}

/* Powered at start with what is there; a reset while off powers it again. */
static void test_cold(void)
{
    Device *port = start("{'driver':'pcie-root-port','id':'p','addr':'4','chassis':1}");

    device_set_hotplug_phase(false);
    add("{'driver':'test-pci','id':'d','bus':'p'}");
    device_set_hotplug_phase(true);
    reset_machine();
    test_cfg_set(PORT, PCI_PRIMARY_BUS, 4, 0x010100);
    g_assert_cmphex(test_cfg(PORT, SLTCTL, 2), ==, ON);
    g_assert_true(is_present());
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, ID);
    control(ON | PCI_EXP_SLTCTL_PCC);
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, UINT32_MAX);
    reset_machine();
    test_cfg_set(PORT, PCI_PRIMARY_BUS, 4, 0x010100);
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, ID);
    control(ON | PCI_EXP_SLTCTL_EIC);
    g_assert_cmphex(test_cfg(PORT, SLTSTA, 2) & PCI_EXP_SLTSTA_EIS, ==, PCI_EXP_SLTSTA_EIS);
    g_assert_cmphex(test_cfg(PORT, SLTCTL, 2), ==, ON);
    device_delete(port);
}

/* What is in a slot that is off is not seen, nor what is behind that. */
static void test_bridge(void)
{
    Device *port = start("{'driver':'pcie-root-port','id':'p','addr':'4','chassis':1}");

    device_set_hotplug_phase(false);
    add("{'driver':'pcie-pci-bridge','id':'b','bus':'p'}");
    add("{'driver':'test-pci','id':'d','bus':'b','addr':'3'}");
    reset_machine();
    for (unsigned i = 0; i < 2; i++) {
        test_cfg_set(PORT, PCI_PRIMARY_BUS, 4, 0x020100);
        test_cfg_set(CHILD, PCI_PRIMARY_BUS, 4, 0x020201);
        test_cfg_set(PORT, PCI_MEMORY_BASE, 4, 0xe000e000);
        test_cfg_set(PORT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
        test_cfg_set(CHILD, PCI_MEMORY_BASE, 4, 0xe000e000);
        test_cfg_set(CHILD, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
        test_cfg_set(0x218, PCI_BAR0, 4, 0xe0000000);
        test_cfg_set(0x218, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
        g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, 0x50);
        control(ON | PCI_EXP_SLTCTL_PCC);
        g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, UINT32_MAX);
        g_assert_cmphex(test_cfg(0x218, 0, 4), ==, UINT32_MAX);
        control(ON);
    }
    device_delete(port);
}

static void test_messages(void)
{
    Device *port = start_usual();
    unsigned msix = 0x48;

    test_cfg_set(PORT, 0x10, 4, 0xe0000000);
    test_cfg_set(PORT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    test_put(0x1000, MEM_LE32, 0);
    test_put(0xe0000000, MEM_LE64, 0x1000);
    test_put(0xe0000008, MEM_LE32, 0x4041);
    test_put(0xe000000c, MEM_LE32, 0);
    test_cfg_set(PORT, msix + 2, 2, 0x8000);
    add("{'driver':'test-pci','id':'d','bus':'p'}");
    g_assert_false(has_irq());
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0x4041);
    /* One message until all is seen to. */
    test_put(0x1000, MEM_LE32, 0);
    control(ON | ENABLES);
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0);
    take_events();
    control(ON | ENABLES);
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0x4041);
    device_delete(port);
}

static void test_without(void)
{
    Device *port = start("{'driver':'pcie-root-port','id':'p','addr':'4','chassis':1,"
                         "'hotplug':false}");

    refuse_add("{'driver':'test-pci','id':'d','bus':'p'}",
               "Hot-plug failed: unsupported by the port device 'p'");
    device_delete(port);
    port = start("{'driver':'pcie-root-port','id':'p','addr':'4','chassis':1,"
                 "'power_controller_present':false}");
    g_assert_cmphex(test_cfg(PORT, CAP + PCI_EXP_SLTCAP, 4), ==, 0x00020079);
    g_assert_cmphex(test_cfg(PORT, SLTCTL, 2), ==, OFF & ~PCI_EXP_SLTCTL_PCC);
    control(PCI_EXP_SLTCTL_PIC_OFF | ENABLES);
    add("{'driver':'test-pci','id':'d','bus':'p'}");
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, ID);
    control(PCI_EXP_SLTCTL_PIC_ON | ENABLES);
    del("d");
    control(PCI_EXP_SLTCTL_PIC_OFF | ENABLES);
    g_assert_null(device_find("d"));
    device_delete(port);
}

/* ACPI tells the guest: the registers only show what is. */
static void test_quiet(void)
{
    Device *port = start("{'driver':'pcie-root-port','id':'p','addr':'4','chassis':1,"
                         "'x-native-hotplug':false}");
    Device *dev;

    refuse_add("{'driver':'test-pci','id':'d','bus':'p'}",
               "Hot-plug failed: unsupported by the port device 'p'");
    bus_set_hotplug_handler(&PCI_BRIDGE(port)->bus->parent, &port->parent);
    device_set_hotplug_phase(false);
    dev = add("{'driver':'test-pci','id':'d','bus':'p'}");
    pci_bridge_show_in_slot(PCI_DEVICE(port), PCI_DEVICE(dev), true);
    g_assert_true(is_present());
    g_assert_cmphex(take_events(), ==, 0);
    g_assert_cmphex(test_cfg(PORT, SLTCTL, 2), ==, ON);
    pci_bridge_show_in_slot(PCI_DEVICE(port), PCI_DEVICE(dev), false);
    g_assert_false(is_present());
    g_assert_cmphex(test_cfg(CHILD, 0, 4), ==, UINT32_MAX);
    device_delete(dev);
    device_delete(port);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/pcie-slot/dialogue", test_dialogue);
    g_test_add_func("/pcie-slot/refusal", test_refusal);
    g_test_add_func("/pcie-slot/multifunction", test_multifunction);
    g_test_add_func("/pcie-slot/unused", test_unused);
    g_test_add_func("/pcie-slot/cold", test_cold);
    g_test_add_func("/pcie-slot/bridge", test_bridge);
    g_test_add_func("/pcie-slot/messages", test_messages);
    g_test_add_func("/pcie-slot/without", test_without);
    g_test_add_func("/pcie-slot/quiet", test_quiet);
    status = g_test_run();
    machine_unlock();
    return status;
}
