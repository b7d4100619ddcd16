/*
 * intel-iommu and a passed-through device: what the host's IOMMU is asked for, act by act, as a
 * guest edits its PASID tables and invalidates; and which hosts are refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/iommu/host_iommu_mock.h"
#include "hw/pci/pci_test_machine.h"
#include "intel_iommu.h"
#include "intel_iommu_test_machine.h"

#define ROOT      0x100000
#define CONTEXT   0x110000
#define DIRECTORY 0x120000
#define PASIDS    0x130000
#define QUEUE     0x140000
#define STATUS    0x150000
#define REQUESTS  0x160000
#define TABLE     0x200000 /* first-stage tables: their addresses alone matter */
#define PLACE     PCI_DEVFN(4, 0)
#define PLACE2    PCI_DEVFN(5, 0)
#define DOMAIN    7
#define MODERN    "'x-scalable-mode':'modern','caching-mode':true"
#define SVM       MODERN ",'svm':true,'device-iotlb':true"
/* An attached table without any flags. */
#define FIRST(name, pasid, root) \
    name " first " pasid " root " root " width 48 flags [] emt 0 pat 0"

static GString *acts;

typedef struct Fixture {
    IntelIommu *unit;
    Device *device, *device2;
    MockHostIommu *host, *host2;
    unsigned tail;
} Fixture;

/* --- what happened --- */

#define expect(text)                                                                               \
    G_STMT_START {                                                                                 \
        g_assert_cmpstr(acts->str, ==, text);                                                      \
        g_string_truncate(acts, 0);                                                                \
    } G_STMT_END

/* --- the guest --- */

static void submit(Fixture *f, uint64_t lo, uint64_t hi)
{
    vtd_test_words(QUEUE + f->tail, (uint64_t[]){ lo, hi, 0, 0 }, 4);
    f->tail = (f->tail + 32) % 4096;
    vtd_test_put(0x88, f->tail);
    g_assert_cmpuint(vtd_test_get(0x80), ==, f->tail); /* it took it */
}

static void drop_pasid(Fixture *f, uint32_t pasid)
{
    submit(f, 7 | 1 << 4 | DOMAIN << 16 | (uint64_t)pasid << 32, 0);
}

static void put_pasid(uint32_t pasid, unsigned mode, uint64_t word2, uint64_t word1)
{
    const uint64_t entry[8] = { mode ? 1 | mode << 6 : 0, DOMAIN | word1, word2 };

    vtd_test_words(PASIDS + 64 * pasid, entry, 8);
}

/* Contexts of both places share a directory with one table. */
static void put_contexts(uint64_t flags)
{
    uint64_t entry[4] = { DIRECTORY | 1 | flags };

    test_put(ROOT, MEM_LE64, CONTEXT | 1);
    vtd_test_words(CONTEXT + 32 * PLACE, entry, 4);
    vtd_test_words(CONTEXT + 32 * PLACE2, entry, 4);
    test_put(DIRECTORY, MEM_LE64, PASIDS | 1);
    for (uint32_t pasid = 0; pasid < 64; pasid++) {
        put_pasid(pasid, 0, 0, 0);
    }
}

static void start(Fixture *f)
{
    f->tail = 0;
    vtd_test_start(QUEUE, ROOT);
}

/* --- the machine --- */

static bool hand_over(Device *dev, MockHostIommu *host, Error **errp)
{
    PciRequester who;
    void *unit;
    const PciIommuOps *ops = pci_device_iommu(PCI_DEVICE(dev), &who, &unit);

    return ops->set_device(unit, &who, &host->parent, errp);
}

static void take_back(Device *dev)
{
    PciRequester who;
    void *unit;
    const PciIommuOps *ops = pci_device_iommu(PCI_DEVICE(dev), &who, &unit);

    ops->unset_device(unit, &who);
}

static void add_unit(Fixture *f, const char *options)
{
    g_autofree char *text = g_strdup_printf("{'driver':'intel-iommu',%s}", options);
    g_autoptr(Error) err = NULL;

    f->unit = (IntelIommu *)test_add(text, &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    f->device = test_add("{'driver':'test-pci','addr':'4'}", &err);
    f->device2 = test_add("{'driver':'test-pci','addr':'5'}", &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    f->host = mock_host_iommu_new("A", acts);
    f->host2 = mock_host_iommu_new("B", acts);
}

/* One host is there before the guest starts, the other may come. */
static void set_up(Fixture *f, const void *options)
{
    add_unit(f, options ? options : MODERN);
    g_assert_true(hand_over(f->device, f->host, NULL));
    device_reset((Device *)f->unit);
    g_string_truncate(acts, 0);
    put_contexts(8);
    start(f);
    g_string_truncate(acts, 0);
}

static void tear_down(Fixture *f, const void *unused)
{
    take_back(f->device);
    take_back(f->device2);
    g_assert_cmpuint(f->host->parent.parent.refs, ==, 1);
    g_assert_cmpuint(f->host2->parent.parent.refs, ==, 1);
    object_unref(f->host);
    object_unref(f->host2);
    device_delete(f->device);
    device_delete(f->device2);
    device_delete((Device *)f->unit);
    g_string_truncate(acts, 0);
}

/* --- in step --- */

static void test_attach(Fixture *f, const void *unused)
{
    put_pasid(5, VTD_FIRST, TABLE, 0);
    expect("");
    drop_pasid(f, 5);
    expect(FIRST("A", "5", "200000"));
    drop_pasid(f, 5); /* the same */
    submit(f, 7 | 3 << 4, 0);
    expect("");
    put_pasid(5, VTD_FIRST, TABLE + 0x1000, 0);
    drop_pasid(f, 6); /* another's */
    expect("");
    submit(f, 7 | (uint64_t)(DOMAIN + 1) << 16, 0);
    expect("");
    submit(f, 7 | DOMAIN << 16, 0);
    expect(FIRST("A", "5", "201000"));
    put_pasid(5, VTD_PASS_THROUGH, 0, 0);
    drop_pasid(f, 5);
    expect("A second 5");
    put_pasid(5, 0, 0, 0);
    drop_pasid(f, 5);
    expect("A detach 5");
    drop_pasid(f, 5);
    submit(f, 6 | 2 << 4 | DOMAIN << 16 | 5ull << 32, 0); /* what is not bound is not flushed */
    expect("");
}

static void test_flags(Fixture *f, const void *unused)
{
    /* SRE is offered by no first-stage unit's ECAP, but walks know it. */
    put_pasid(1, VTD_FIRST, TABLE | BIT(0) | BIT(4) | BIT(7), 0);
    drop_pasid(f, 1);
    expect("A first 1 root 200000 width 48 flags [SAW] emt 0 pat 0");
    put_pasid(1, VTD_FIRST, TABLE, BIT64(25) | BIT64(26) | BIT64(28) | BIT64(30) | BIT64(31) |
                                       UINT64_C(0x70406) << 32);
    drop_pasid(f, 1);
    expect("A first 1 root 200000 width 48 flags [ctpe] emt 2 pat 70406");
}

/* Context invalidations go over the tables they cover. */
static void test_contexts(Fixture *f, const void *unused)
{
    put_pasid(3, VTD_FIRST, TABLE, 0);
    submit(f, 1 | 1 << 4, 0);
    expect(FIRST("A", "3", "200000"));
    put_pasid(4, VTD_FIRST, TABLE, 0);
    submit(f, 1 | 3 << 4 | (uint64_t)PLACE2 << 32, 0);
    expect("");
    submit(f, 1 | 3 << 4 | (uint64_t)PLACE << 32, 0);
    expect(FIRST("A", "4", "200000"));
    put_pasid(4, VTD_FIRST, TABLE + 0x2000, 0);
    submit(f, 1 | 2 << 4 | DOMAIN << 16, 0);
    expect(FIRST("A", "4", "202000"));
    test_put(CONTEXT + 32 * PLACE, MEM_LE64, 0);
    submit(f, 1 | 3 << 4 | (uint64_t)PLACE << 32, 0);
    g_assert_true(strstr(acts->str, "A detach 3") && strstr(acts->str, "A detach 4"));
}

/* Requests without PASID: blocked where there is no entry, as it was when remapping is off. */
static void test_pasid_0(Fixture *f, const void *unused)
{
    put_pasid(0, VTD_FIRST, TABLE, 0);
    drop_pasid(f, 0);
    expect(FIRST("A", "0", "200000"));
    put_pasid(0, 0, 0, 0);
    drop_pasid(f, 0);
    expect("A detach 0");
    put_pasid(0, VTD_FIRST, TABLE, 0);
    drop_pasid(f, 0);
    expect(FIRST("A", "0", "200000"));
    vtd_test_command(VTD_TE, false);
    expect("A second 0");
    vtd_test_command(VTD_TE, true);
    expect(FIRST("A", "0", "200000"));
    vtd_test_command(VTD_TE, false);
    g_string_truncate(acts, 0);
    f->host->parent.caps.translates_rid = false; /* a host that nests PASIDs alone */
    vtd_test_command(VTD_TE, true);
    expect("");
}

/* --- flushes --- */

static void test_flush(Fixture *f, const void *unused)
{
    const uint64_t page = 6 | 3 << 4 | DOMAIN << 16 | 5ull << 32;

    f->host->status = STATUS;
    put_pasid(5, VTD_FIRST, TABLE, 0);
    drop_pasid(f, 5);
    g_string_truncate(acts, 0);
    for (unsigned am = 0; am <= VTD_MAX_AM; am++) {
        uint64_t addr = UINT64_C(0x7f0040000000);
        g_autofree char *want = g_strdup_printf("A flush 5 at %" PRIx64 " %u status 0", addr,
                                                1u << am);

        submit(f, page, addr | am);
        g_assert_cmpstr(acts->str, ==, want);
        g_string_truncate(acts, 0);
    }
    submit(f, page, 0x1000 | 0x40);
    expect("A flush 5 at 1000 1 leaf status 0");
    submit(f, 6 | 2 << 4 | DOMAIN << 16 | 5ull << 32, 0);
    expect("A flush 5 at 0 all status 0");
    submit(f, page + (1 << 16), 0x1000); /* another domain's */
    submit(f, page + (1ull << 32), 0x1000); /* another PASID's */
    expect("");
    test_put(STATUS, MEM_LE32, 0);
    vtd_test_words(QUEUE + f->tail, (uint64_t[]){ page, 0x3000, 0, 0 }, 4);
    f->tail += 32;
    submit(f, 5 | BIT(5) | 99ull << 32, STATUS); /* both in one go: the wait is over last */
    expect("A flush 5 at 3000 1 status 0");
    g_assert_cmpuint(test_get(STATUS, MEM_LE32), ==, 99);
}

/* --- hosts that say no --- */

static void test_failure(Fixture *f, const void *unused)
{
    put_pasid(5, VTD_FIRST, TABLE, 0);
    put_pasid(6, VTD_FIRST, TABLE, 0);
    f->host->refuses = true;
    drop_pasid(f, 5);
    expect(FIRST("A", "5", "200000") " refused"); /* nothing was there: nothing to take away */
    f->host->refuses = false;
    drop_pasid(f, 6);
    expect(FIRST("A", "6", "200000"));
    submit(f, 6 | 2 << 4 | DOMAIN << 16 | 5ull << 32, 0);
    expect("");
    drop_pasid(f, 5); /* tries again, though the entry is the same */
    expect(FIRST("A", "5", "200000"));
    put_pasid(5, VTD_FIRST, TABLE + 0x1000, 0);
    f->host->refuses = true;
    drop_pasid(f, 5); /* the old table must not stay */
    expect(FIRST("A", "5", "201000") " refused ; A detach 5 refused");
    f->host->refuses = false;
    submit(f, 7 | 3 << 4, 0);
    expect(FIRST("A", "5", "201000"));
}

/* --- two devices, coming and going --- */

static void test_two(Fixture *f, const void *unused)
{
    put_pasid(9, VTD_FIRST, TABLE, 0);
    drop_pasid(f, 9);
    expect(FIRST("A", "9", "200000"));
    g_assert_true(hand_over(f->device2, f->host2, NULL)); /* it sees what is there */
    expect(FIRST("B", "9", "200000"));
    take_back(f->device);
    expect("A detach 9");
    g_assert_false(host_iommu_page_requested(&f->host->parent, &(HostPageRequest){ 0 }));
    put_pasid(9, VTD_FIRST, TABLE + 0x1000, 0);
    drop_pasid(f, 9);
    expect(FIRST("B", "9", "201000"));
    g_assert_true(hand_over(f->device, f->host, NULL));
    expect(FIRST("A", "9", "201000"));
    device_reset((Device *)f->unit);
    g_assert_true(strstr(acts->str, "A detach 9") && strstr(acts->str, "B detach 9"));
    g_string_truncate(acts, 0);
    take_back(f->device2);
    expect("");
}

static void test_migrated(Fixture *f, const void *unused)
{
    put_pasid(2, VTD_FIRST, TABLE, 0);
    vtd_set_translating(f->unit, true); /* as after a load */
    expect(FIRST("A", "2", "200000"));
}

/* --- PASIDs of the host --- */

static uint64_t run_vcmd(uint64_t value)
{
    vtd_test_put(0xe00, value);
    return vtd_test_get(0xe10);
}

static void test_host_pasids(Fixture *f, const void *unused)
{
    f->host->parent.caps.has_host_pasids = true;
    f->host->next_pasid = 33;
    g_assert_cmpuint(run_vcmd(1), ==, 33 << 16);
    expect("A alloc 1-1048575");
    put_pasid(33, VTD_FIRST, TABLE, 0);
    put_pasid(34, VTD_FIRST, TABLE, 0); /* nobody gave it */
    submit(f, 7 | 3 << 4, 0);
    expect(FIRST("A", "33", "200000"));
    g_assert_cmpuint(run_vcmd(2 | 33 << 16), ==, 0);
    expect("A detach 33 ; A free 33");
    g_assert_cmpuint(run_vcmd(2 | 33 << 16), ==, 16 << 1); /* it is not allocated any more */
    f->host->next_pasid = 2 << 20; /* out of what the guest can name: as good as none */
    g_assert_cmpuint(run_vcmd(1), ==, 16 << 1);
    expect("A alloc 1-1048575 ; A free 2097152");
    f->host->next_pasid = 40;
    g_assert_cmpuint(run_vcmd(1), ==, 40 << 16);
    g_string_truncate(acts, 0);
    device_reset((Device *)f->unit);
    g_assert_nonnull(strstr(acts->str, "A free 40"));
    g_assert_cmpuint(run_vcmd(1), ==, 41 << 16);
    g_assert_cmpuint(run_vcmd(2 | 41 << 16), ==, 0);
}

/* All there are, and then none: the last one too. */
static void test_all_pasids(Fixture *f, const void *unused)
{
    for (uint32_t pasid = 1; pasid <= 0xfffff; pasid++) {
        g_assert_cmphex(run_vcmd(1), ==, (uint64_t)pasid << 16);
    }
    g_assert_cmpuint(run_vcmd(1), ==, 16 << 1);
    for (uint32_t pasid = 0xfffff; pasid >= 0xffffe; pasid--) {
        g_assert_cmpuint(run_vcmd(2 | (uint64_t)pasid << 16), ==, 0);
        g_assert_cmphex(run_vcmd(1), ==, (uint64_t)pasid << 16);
    }
    g_assert_cmpuint(run_vcmd(2 | 7 << 16), ==, 0);
    g_assert_cmphex(run_vcmd(1), ==, 7 << 16);
    g_assert_cmpuint(run_vcmd(1), ==, 16 << 1);
    device_reset((Device *)f->unit);
    g_assert_cmphex(run_vcmd(1), ==, 1 << 16);
}

/* --- page requests --- */

static void listen(Fixture *f)
{
    put_contexts(8 | 4 | 16);
    put_pasid(0, VTD_PASS_THROUGH, 0, 0);
    put_pasid(5, VTD_FIRST, TABLE, 0);
    submit(f, 1 | 1 << 4, 0);
    expect("A second 0 ; A first 5 root 200000 width 48 flags [F] emt 0 pat 0");
    vtd_test_put(0xd0, REQUESTS);
}

static void ask(Fixture *f, uint16_t group, uint64_t cookie)
{
    HostPageRequest request = { .has_pasid = true, .pasid = 5, .is_last = true, .is_write = true,
                                .is_read = true, .group = group, .cookie = cookie,
                                .addr = 0x7000123 };

    g_assert_true(host_iommu_page_requested(&f->host->parent, &request));
}

static void respond(Fixture *f, uint16_t group, unsigned code)
{
    submit(f, 9 | 1 << 4 | PLACE << 16 | 5ull << 32 | code << 12, group << 3);
}

static void test_page_request(Fixture *f, const void *unused)
{
    listen(f);
    ask(f, 17, 0xabc);
    expect("");
    g_assert_cmpuint(vtd_test_get(0xc8), ==, 32);
    g_assert_cmpuint(test_get(REQUESTS, MEM_LE64), ==, 1 | BIT(8) | PLACE << 16 | 5ull << 32);
    g_assert_cmpuint(test_get(REQUESTS + 8, MEM_LE64), ==, 0x7000000 | 17 << 3 | 7);
    respond(f, 18, 0); /* nobody asked */
    expect("");
    respond(f, 17, 0);
    expect("A respond abc code 0");
    respond(f, 17, 0); /* once is enough */
    expect("");
    ask(f, 17, 0xdef); /* the number is free again */
    respond(f, 17, 1);
    expect("A respond def code 1");
}

/* What the guest cannot see is answered at once; what it will not answer, too. */
static void test_page_request_lost(Fixture *f, const void *unused)
{
    listen(f);
    vtd_test_put(0xc0, 64); /* head: room for one */
    ask(f, 1, 1);
    expect("");
    ask(f, 2, 2);
    expect("A respond 2 code 1");
    take_back(f->device);
    expect("A respond 1 code 1 ; A detach 0 ; A detach 5");
    g_assert_true(hand_over(f->device, f->host, NULL));
    g_string_truncate(acts, 0);
    test_put(VTD_BASE + 0xdc, MEM_LE32, 3); /* PRS */
    vtd_test_put(0xc0, 32);
    ask(f, 3, 3);
    expect("");
    device_reset((Device *)f->unit);
    g_assert_true(g_str_has_prefix(acts->str, "A respond 3 code 1"));
}

/* --- who is taken --- */

static const struct Refusal {
    const char *options, *text;
    HostIommuCaps caps;
} refusals[] = {
    { "'x-scalable-mode':'modern','dma-translation':true",
      "Device assignment is not allowed without enabling caching-mode=on for Intel IOMMU." },
    { MODERN, "aw-bits 48 > host aw-bits 39", { .address_bits = 39 } },
    { MODERN, "first-stage translation needs a host with nesting: use iommufd",
      { .address_bits = 48, .type = HOST_IOMMU_VTD } },
    { MODERN, "the host's IOMMU is not VT-d",
      { .address_bits = 48, .has_nesting = true, .type = HOST_IOMMU_SMMUV3 } },
    { MODERN, "the host's IOMMU does not nest",
      { .address_bits = 48, .has_nesting = true, .type = HOST_IOMMU_VTD } },
    { SVM, "svm needs a host that forwards page requests",
      { .address_bits = 48, .has_nesting = true, .type = HOST_IOMMU_VTD, .pasid_bits = 20,
        .vtd = { UINT64_MAX, UINT64_MAX } } },
    { SVM, "svm needs a host that forwards page requests",
      { .address_bits = 48, .has_nesting = true, .type = HOST_IOMMU_VTD, .pasid_bits = 20,
        .has_faults = true, .vtd = { UINT64_MAX, ~BIT64(VTD_ECAP_PRS) } } },
};

static void test_refusals(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        const struct Refusal *r = &refusals[i];
        g_autoptr(Error) err = NULL;
        uint64_t cap, ecap;
        Fixture f = { 0 };

        add_unit(&f, r->options);
        if (r->caps.address_bits) {
            f.host->parent.caps = r->caps;
        }
        cap = vtd_test_get(8);
        ecap = vtd_test_get(0x10);
        g_assert_false(hand_over(f.device, f.host, &err));
        g_assert_cmpstr(error_text(err), ==, r->text);
        g_assert_cmpuint(f.host->parent.parent.refs, ==, 1);
        g_assert_false(f.host->parent.is_registered);
        g_assert_cmphex(vtd_test_get(8), ==, cap); /* and nothing was taken from the guest for it */
        g_assert_cmphex(vtd_test_get(0x10), ==, ecap);
        expect("");
        tear_down(&f, NULL);
    }
}

static void test_twice(Fixture *f, const void *unused)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(hand_over(f->device, f->host2, &err));
    g_assert_cmpstr(error_text(err), ==, "Host IOMMU device already exists for this address");
}

/* A function behind a bridge is known by the bridge's number: the host cannot tell it from others. */
static void test_behind_bridge(void)
{
    g_autoptr(Error) err = NULL;
    Device *bridge, *behind;
    Fixture f = { 0 };

    add_unit(&f, MODERN);
    bridge = test_add("{'driver':'pcie-pci-bridge','id':'bridge','addr':'6'}", &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    behind = test_add("{'driver':'test-pci','bus':'bridge','addr':'1'}", &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    g_assert_false(hand_over(behind, f.host, &err));
    g_assert_cmpstr(error_text(err), ==, "a device behind a bridge to conventional PCI cannot be nested");
    g_assert_false(f.host->parent.is_registered);
    device_delete(behind);
    device_delete(bridge);
    tear_down(&f, NULL);
}

/* What makers of host devices are asked for. */
static void test_flags_of_unit(void)
{
    static const struct {
        const char *options;
        uint64_t flags;
    } rows[] = {
        { "'caching-mode':true", 0 }, { "'x-scalable-mode':'on'", 0 },
        { "'x-scalable-mode':'on','pasid-bits':8", PCI_IOMMU_PASID },
        { "'x-scalable-mode':'on','x-flts':true",
          PCI_IOMMU_NESTING_PARENT | PCI_IOMMU_DIRTY_TRACKING },
        { MODERN, PCI_IOMMU_NESTING_PARENT | PCI_IOMMU_DIRTY_TRACKING | PCI_IOMMU_PASID |
                      PCI_IOMMU_PASID_ATTACH },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Fixture f = { 0 };

        add_unit(&f, rows[i].options);
        g_assert_cmphex(vtd_pci_ops.flags(f.unit), ==, rows[i].flags);
        tear_down(&f, NULL);
    }
}

static void ignore_notice(IommuNotifier *notifier, const IommuEntry *entry)
{
}

/* Who may listen to a unit's changes. */
static void test_listeners(void)
{
    static const struct {
        const char *options, *text;
        unsigned notices;
    } rows[] = {
        { "'device-iotlb':true", "device 00.04.0 requires caching mode", IOMMU_NOTICE_MAP },
        { "'caching-mode':true", "device 00.04.0 requires device IOTLB mode",
          IOMMU_NOTICE_DEVICE_IOTLB },
        { "'caching-mode':true,'snoop-control':true",
          "device 00.04.0: snoop control not supported with vhost or VFIO", IOMMU_NOTICE_UNMAP },
        { "'caching-mode':true", NULL, IOMMU_NOTICE_MAP | IOMMU_NOTICE_UNMAP },
        { "'device-iotlb':true", NULL, IOMMU_NOTICE_DEVICE_IOTLB },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        IommuNotifier listener = { .notices = rows[i].notices, .last = UINT64_MAX,
                                   .notify = ignore_notice };
        g_autoptr(Error) err = NULL;
        Fixture f = { 0 };
        IommuRegion *region;
        bool is_taken;

        add_unit(&f, rows[i].options);
        region = &vtd_space(f.unit, pci_device_bus(PCI_DEVICE(f.device)), PLACE)->base.iommu;
        is_taken = iommu_notifier_register(&listener, region, &err);
        g_assert_cmpstr(err ? error_text(err) : NULL, ==, rows[i].text);
        g_assert_cmpint(is_taken, ==, !rows[i].text);
        if (is_taken) {
            iommu_notifier_unregister(&listener);
        }
        g_assert_cmpuint(f.unit->followers, ==, 0);
        tear_down(&f, NULL);
    }
}

/* Until the machine runs a lesser host makes a lesser unit; then it is refused. */
static const struct Lack {
    const char *options, *text;
    uint8_t pasid_bits;
    uint64_t cap, ecap; /* that the host has not */
} lacks[] = {
    { MODERN, "the host's IOMMU has no 1 GiB first-stage pages", 20, BIT64(VTD_CAP_FS1GP) },
    { MODERN ",'fs5lp':true", "the host's IOMMU has no 5-level first-stage tables", 20,
      BIT64(VTD_CAP_FS5LP) },
    { MODERN, "pasid-bits=20 is more than the host's 16", 16 },
    { SVM, "the host's IOMMU has no coherent walks of PASID tables", 20, 0, BIT64(VTD_ECAP_SMPWCS) },
};

static void test_lacks(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(lacks); i++) {
        const struct Lack *lack = &lacks[i];
        g_autoptr(Error) err = NULL;
        Fixture f = { 0 };
        uint64_t cap, ecap;

        add_unit(&f, lack->options);
        f.host->parent.caps.pasid_bits = f.host2->parent.caps.pasid_bits = lack->pasid_bits;
        f.host->parent.caps.vtd.cap = f.host2->parent.caps.vtd.cap = ~lack->cap;
        f.host->parent.caps.vtd.ecap = f.host2->parent.caps.vtd.ecap = ~lack->ecap;
        cap = vtd_test_get(8);
        ecap = vtd_test_get(0x10);
        g_assert_true(hand_over(f.device, f.host, NULL));
        g_assert_cmphex(vtd_test_get(8), ==, cap & ~lack->cap);
        g_assert_cmpuint(vtd_test_get(0x10) >> VTD_ECAP_PSS & 0x1f, ==, lack->pasid_bits - 1);
        g_assert_cmphex((vtd_test_get(0x10) ^ ecap) & ~(UINT64_C(0x1f) << VTD_ECAP_PSS), ==, lack->ecap);
        device_reset((Device *)f.unit);
        g_assert_true(hand_over(f.device2, f.host2, NULL)); /* no worse than the first */
        tear_down(&f, NULL);

        f = (Fixture){ 0 };
        add_unit(&f, lack->options);
        device_reset((Device *)f.unit);
        f.host->parent.caps.pasid_bits = lack->pasid_bits;
        f.host->parent.caps.vtd.cap = ~lack->cap;
        f.host->parent.caps.vtd.ecap = ~lack->ecap;
        g_assert_false(hand_over(f.device, f.host, &err));
        g_assert_cmpstr(error_text(err), ==, lack->text);
        tear_down(&f, NULL);
    }
}

/* --- all of them --- */

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *f, const void *unused);
        const char *options;
    } tests[] = {
        { "attach", test_attach }, { "flags", test_flags }, { "contexts", test_contexts },
        { "pasid-0", test_pasid_0 }, { "flush", test_flush }, { "failure", test_failure },
        { "two", test_two }, { "migrated", test_migrated }, { "host-pasids", test_host_pasids },
        { "page-request", test_page_request, SVM },
        { "page-request-lost", test_page_request_lost, SVM }, { "twice", test_twice },
        { "all-pasids", test_all_pasids },
    };

    g_test_init(&argc, &argv, NULL);
    acts = g_string_new(NULL);
    vtd_test_machine_init();
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strconcat("/intel-iommu/host/", tests[i].name, NULL);

        g_test_add(path, Fixture, tests[i].options, set_up, tests[i].run, tear_down);
    }
    g_test_add_func("/intel-iommu/host/refusals", test_refusals);
    g_test_add_func("/intel-iommu/host/lacks", test_lacks);
    g_test_add_func("/intel-iommu/host/behind-bridge", test_behind_bridge);
    g_test_add_func("/intel-iommu/host/flags-of-unit", test_flags_of_unit);
    g_test_add_func("/intel-iommu/host/listeners", test_listeners);
    return g_test_run();
}
