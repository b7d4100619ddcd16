/*
 * Error messages through a switch up to its root port, as a guest's error handler finds them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_test_machine.h"
#include "hw/pci/pcie_aer.h"
#include "system/machine_lock.h"

#define ROOT PCI_DEVFN(4, 0)
#define UP   0x100
#define DOWN 0x200
#define AER  0x100
#define ROOT_CAP 0x90  /* of ioh3420 */
#define ROOT_MSI 0x60
#define SWITCH_CAP 0x90
#define ALL_ERRORS 0x000f

static TestHost *host;
static PciDevice *root, *up, *down;

static PciDevice *add(const char *options)
{
    g_autoptr(Error) err = NULL;
    Device *dev = test_add(options, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    return PCI_DEVICE(dev);
}

static void start(void)
{
    root = add("{'driver':'ioh3420','id':'r','addr':'4','chassis':1}");
    up = add("{'driver':'x3130-upstream','id':'u','bus':'r'}");
    down = add("{'driver':'xio3130-downstream','id':'d','bus':'u','chassis':2}");
    reset_machine();
    test_cfg_set(ROOT, PCI_PRIMARY_BUS, 4, 0x030100);
    test_cfg_set(UP, PCI_PRIMARY_BUS, 4, 0x030201);
    test_cfg_set(DOWN, PCI_PRIMARY_BUS, 4, 0x030302);
    test_cfg_set(ROOT, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
    test_cfg_set(UP, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
    test_cfg_set(DOWN, SWITCH_CAP + PCI_EXP_DEVCTL, 2, ALL_ERRORS);
    test_cfg_set(ROOT, AER + PCI_ERR_ROOT_COMMAND, 4, 7);
}

static void inject(PciDevice *dev, uint32_t status, bool is_correctable)
{
    PcieAerError error = { .status = status, .is_correctable = is_correctable,
                           .source_id = pci_device_requester_id(dev) };

    g_assert_true(pcie_aer_inject(dev, &error, NULL));
}

static uint32_t root_status(void)
{
    return test_cfg(ROOT, AER + PCI_ERR_ROOT_STATUS, 4);
}

static void test_up(void)
{
    start();
    inject(down, PCI_ERR_UNC_COMP_TIME, false);
    g_assert_cmphex(root_status(), ==, PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV);
    g_assert_cmphex(test_cfg(ROOT, AER + PCI_ERR_ROOT_UNCOR_SOURCE, 2), ==, DOWN);
    g_assert_cmpint(host->lines[0], ==, 1);
    g_assert_cmphex(test_cfg(UP, PCI_SEC_STATUS, 2), ==, 0x4000);
    g_assert_cmphex(test_cfg(UP, PCI_STATUS, 2) & 0x4000, ==, 0); /* SERR is not enabled */
    inject(down, PCI_ERR_UNC_DLP, false);
    inject(down, PCI_ERR_COR_BAD_DLLP, true);
    g_assert_cmphex(root_status(), ==,
                    PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_MULTI_UNCOR_RCV |
                        PCI_ERR_ROOT_NONFATAL_RCV | PCI_ERR_ROOT_FATAL_RCV | PCI_ERR_ROOT_COR_RCV);
    g_assert_cmphex(test_cfg(ROOT, AER + PCI_ERR_ROOT_COR_SOURCE, 2), ==, DOWN);
    test_cfg_set(ROOT, AER + PCI_ERR_ROOT_STATUS, 4, UINT32_MAX);
    g_assert_cmphex(root_status(), ==, 0);
    g_assert_cmpint(host->lines[0], ==, 0);
    /* What comes first is what counts as first. */
    inject(down, PCI_ERR_UNC_MALF_TLP, false);
    g_assert_cmphex(root_status(), ==, PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_FIRST_FATAL |
                                           PCI_ERR_ROOT_FATAL_RCV);
    device_delete(DEVICE(root));
}

/* Each enable on the way can end it. */
static void test_stopped(void)
{
    start();
    test_cfg_set(UP, PCI_BRIDGE_CONTROL, 2, 0);
    inject(down, PCI_ERR_UNC_COMP_TIME, false);
    g_assert_cmphex(root_status(), ==, 0);
    g_assert_cmphex(test_cfg(UP, PCI_SEC_STATUS, 2), ==, 0x4000);
    test_cfg_set(UP, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
    test_cfg_set(DOWN, SWITCH_CAP + PCI_EXP_DEVCTL, 2, 0);
    inject(down, PCI_ERR_UNC_UNSUP, false);
    g_assert_cmphex(root_status(), ==, 0);
    g_assert_cmphex(test_cfg(DOWN, AER + PCI_ERR_UNCOR_STATUS, 4), ==,
                    PCI_ERR_UNC_COMP_TIME | PCI_ERR_UNC_UNSUP);
    /* SERR enable is another way to ask for it. */
    test_cfg_set(DOWN, PCI_COMMAND, 2, PCI_COMMAND_SERR);
    inject(down, PCI_ERR_UNC_UNSUP, false);
    g_assert_cmphex(root_status(), ==, PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV);
    g_assert_cmphex(test_cfg(DOWN, PCI_STATUS, 2) & 0x4000, ==, 0x4000);
    test_cfg_set(ROOT, AER + PCI_ERR_ROOT_COMMAND, 4, 0);
    g_assert_cmpint(host->lines[0], ==, 0);
    device_delete(DEVICE(root));
}

/* A root port's own errors need no way; the second message is theirs if there are two. */
static void test_messages(void)
{
    start();
    test_cfg_set(ROOT, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    test_cfg_set(ROOT, ROOT_CAP + PCI_EXP_DEVCTL, 2, ALL_ERRORS);
    test_cfg_set(ROOT, ROOT_MSI + 4, 4, 0x1000);
    test_cfg_set(ROOT, ROOT_MSI + 8, 2, 0x50);
    test_cfg_set(ROOT, ROOT_MSI + 2, 2, 1);
    g_assert_cmphex(root_status() >> 27, ==, 0);
    test_put(0x1000, MEM_LE32, 0);
    inject(root, PCI_ERR_COR_RCVR, true);
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0x50);
    test_put(0x1000, MEM_LE32, 0);
    inject(root, PCI_ERR_COR_RCVR, true); /* still there: no other message */
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0);
    test_cfg_set(ROOT, ROOT_MSI + 2, 2, 0x11);
    g_assert_cmphex(root_status() >> 27, ==, 1);
    inject(root, PCI_ERR_UNC_COMP_TIME, false);
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0x51);
    device_delete(DEVICE(root));
}

/* Reset of the bus behind leaves what was logged. */
static void test_sticky(void)
{
    start();
    inject(down, PCI_ERR_UNC_COMP_TIME, false);
    test_cfg_set(UP, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RESET);
    test_cfg_set(UP, PCI_BRIDGE_CONTROL, 2, 0);
    g_assert_cmphex(test_cfg(DOWN, PCI_PRIMARY_BUS, 4), ==, 0);
    g_assert_cmphex(test_cfg(DOWN, AER + PCI_ERR_UNCOR_STATUS, 4), ==, PCI_ERR_UNC_COMP_TIME);
    g_assert_cmphex(test_cfg(DOWN, AER + PCI_ERR_CAP, 4) & PCI_ERR_CAP_FEP, ==, 14);
    device_delete(DEVICE(root));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/pcie-aer/up", test_up);
    g_test_add_func("/pcie-aer/stopped", test_stopped);
    g_test_add_func("/pcie-aer/messages", test_messages);
    g_test_add_func("/pcie-aer/sticky", test_sticky);
    status = g_test_run();
    machine_unlock();
    return status;
}
