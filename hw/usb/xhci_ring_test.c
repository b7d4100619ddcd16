/*
 * Rings: which TRBs come, in which order, and where one ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_test_machine.h"
#include "xhci.h"

#define RING 0x1000

static AddressSpace *space(Xhci *xhci)
{
    return address_space_system();
}

static MemTxAttrs attrs(Xhci *xhci)
{
    return (MemTxAttrs){ 0 };
}

static const XhciOps ops = { .space = space, .attrs = attrs };

static Xhci *new_xhci(void)
{
    Xhci *xhci = g_new0(Xhci, 1);

    xhci->ops = &ops;
    xhci->usbcmd = USBCMD_RS;
    return xhci;
}

static void put(unsigned n, unsigned type, uint64_t parameter, uint32_t flags)
{
    uint64_t at = RING + n * XHCI_TRB_BYTES;

    test_put(at, MEM_LE64, parameter);
    test_put(at + 8, MEM_LE32, n);
    test_put(at + 12, MEM_LE32, type << 10 | flags);
}

static void test_order(void)
{
    g_autofree Xhci *xhci = new_xhci();
    XhciRing ring = { RING, true };
    XhciTrb trb;

    put(0, TRB_NORMAL, 0x1122334455667788, TRB_C | TRB_IOC);
    put(1, TRB_NO_OP, 0, TRB_C);
    put(2, TRB_NORMAL, 0, 0);
    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_FETCHED);
    g_assert_cmphex(trb.addr, ==, RING);
    g_assert_cmphex(trb.parameter, ==, 0x1122334455667788);
    g_assert_cmpuint(xhci_trb_type(&trb), ==, TRB_NORMAL);
    g_assert_true(trb.control & TRB_IOC);
    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_FETCHED);
    g_assert_cmpuint(trb.status, ==, 1);
    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_EMPTY);
    g_assert_cmphex(ring.at, ==, RING + 2 * XHCI_TRB_BYTES);
    put(2, TRB_NORMAL, 0, TRB_C);
    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_FETCHED);
    g_assert_cmpuint(xhci->usbsts, ==, 0);
}

/* Links are no TRBs of their own; those that toggle turn the meaning of the cycle bit. */
static void test_links(void)
{
    g_autofree Xhci *xhci = new_xhci();
    XhciRing ring = { RING, true };
    XhciTrb trb;

    put(0, TRB_LINK, RING + 5 * XHCI_TRB_BYTES + 3, TRB_C);
    put(5, TRB_NORMAL, 5, TRB_C);
    put(6, TRB_LINK, RING + 8 * XHCI_TRB_BYTES, TRB_C | TRB_TC);
    put(8, TRB_NORMAL, 8, 0);
    put(9, TRB_NORMAL, 9, TRB_C);
    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_FETCHED);
    g_assert_cmpuint(trb.parameter, ==, 5);
    g_assert_true(ring.cycle);
    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_FETCHED);
    g_assert_cmpuint(trb.parameter, ==, 8);
    g_assert_false(ring.cycle);
    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_EMPTY);
}

static void test_broken(void)
{
    XhciTrb trb;

    for (int toggles = 0; toggles < 2; toggles++) {
        g_autofree Xhci *xhci = new_xhci();
        XhciRing ring = { RING, true };

        put(0, TRB_LINK, RING, TRB_C | (toggles ? TRB_TC : 0));
        if (toggles) { /* the second time round its cycle bit is the wrong one */
            g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_EMPTY);
            continue;
        }
        g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_BROKEN);
        g_assert_cmphex(xhci->usbsts, ==, USBSTS_HCE | USBSTS_HCH);
        g_assert_cmphex(xhci->usbcmd & USBCMD_RS, ==, 0);
    }
}

static void test_no_memory(void)
{
    g_autofree Xhci *xhci = new_xhci();
    XhciRing ring = { UINT64_C(1) << 40, true };
    XhciTrb trb;

    g_assert_cmpint(xhci_fetch(xhci, &ring, &trb), ==, XHCI_BROKEN);
    g_assert_cmphex(xhci->usbsts, ==, USBSTS_HSE | USBSTS_HCH);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    g_test_add_func("/xhci/ring/order", test_order);
    g_test_add_func("/xhci/ring/links", test_links);
    g_test_add_func("/xhci/ring/broken", test_broken);
    g_test_add_func("/xhci/ring/no-memory", test_no_memory);
    return g_test_run();
}
