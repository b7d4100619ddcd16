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

static void put_words(GuestAddr at, const uint64_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        test_put(at + 8 * i, MEM_LE64, words[i]);
    }
}

static void put(unsigned at, uint64_t value)
{
    test_put(VTD_BASE + at, MEM_LE64, value);
}

static uint64_t get(unsigned at)
{
    return test_get(VTD_BASE + at, MEM_LE64);
}

static void command(unsigned bit, bool is_on)
{
    uint32_t status = test_get(VTD_BASE + 0x1c, MEM_LE32) & ~(BIT(VTD_SRTP) | BIT(VTD_SIRTP));

    test_put(VTD_BASE + 0x18, MEM_LE32, is_on ? status | BIT(bit) : status & ~BIT(bit));
}

/* --- the guest --- */

static void submit(Fixture *f, uint64_t lo, uint64_t hi)
{
    put_words(QUEUE + f->tail, (uint64_t[]){ lo, hi, 0, 0 }, 4);
    f->tail = (f->tail + 32) % 4096;
    put(0x88, f->tail);
    g_assert_cmpuint(get(0x80), ==, f->tail); /* it took it */
}

static void drop_pasid(Fixture *f, uint32_t pasid)
{
    submit(f, 7 | 1 << 4 | DOMAIN << 16 | (uint64_t)pasid << 32, 0);
}

static void put_pasid(uint32_t pasid, unsigned mode, uint64_t word2, uint64_t word1)
{
    put_words(PASIDS + 64 * pasid, (uint64_t[]){ mode ? 1 | mode << 6 : 0, DOMAIN | word1, word2,
                                                 0, 0, 0, 0, 0 }, 8);
}

/* Contexts of both places share a directory with one table. */
static void put_contexts(uint64_t flags)
{
    uint64_t entry[4] = { DIRECTORY | 1 | flags };

    test_put(ROOT, MEM_LE64, CONTEXT | 1);
    put_words(CONTEXT + 32 * PLACE, entry, 4);
    put_words(CONTEXT + 32 * PLACE2, entry, 4);
    test_put(DIRECTORY, MEM_LE64, PASIDS | 1);
    for (uint32_t pasid = 0; pasid < 64; pasid++) {
        put_pasid(pasid, 0, 0, 0);
    }
}

static void start(Fixture *f)
{
    f->tail = 0;
    put(0x88, 0);
    put(0x90, QUEUE | BIT(11));
    command(VTD_QIE, true);
    put(0x20, ROOT | BIT(10));
    command(VTD_SRTP, true);
    command(VTD_TE, true);
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
    command(VTD_TE, false);
    expect("A second 0");
    command(VTD_TE, true);
    expect(FIRST("A", "0", "200000"));
    command(VTD_TE, false);
    g_string_truncate(acts, 0);
    f->host->parent.caps.translates_rid = false; /* a host that nests PASIDs alone */
    command(VTD_TE, true);
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
    put_words(QUEUE + f->tail, (uint64_t[]){ page, 0x3000, 0, 0 }, 4);
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
    put(0xe00, value);
    return get(0xe10);
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

/* --- page requests --- */

static void listen(Fixture *f)
{
    put_contexts(8 | 4 | 16);
    put_pasid(0, VTD_PASS_THROUGH, 0, 0);
    put_pasid(5, VTD_FIRST, TABLE, 0);
    submit(f, 1 | 1 << 4, 0);
    expect("A second 0 ; A first 5 root 200000 width 48 flags [F] emt 0 pat 0");
    put(0xd0, REQUESTS);
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
    g_assert_cmpuint(get(0xc8), ==, 32);
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
    put(0xc0, 64); /* head: room for one */
    ask(f, 1, 1);
    expect("");
    ask(f, 2, 2);
    expect("A respond 2 code 1");
    take_back(f->device);
    expect("A respond 1 code 1 ; A detach 0 ; A detach 5");
    g_assert_true(hand_over(f->device, f->host, NULL));
    g_string_truncate(acts, 0);
    test_put(VTD_BASE + 0xdc, MEM_LE32, 3); /* PRS */
    put(0xc0, 32);
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
        cap = get(8);
        ecap = get(0x10);
        g_assert_false(hand_over(f.device, f.host, &err));
        g_assert_cmpstr(error_text(err), ==, r->text);
        g_assert_cmpuint(f.host->parent.parent.refs, ==, 1);
        g_assert_false(f.host->parent.is_registered);
        g_assert_cmphex(get(8), ==, cap); /* and nothing was taken from the guest for it */
        g_assert_cmphex(get(0x10), ==, ecap);
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
        cap = get(8);
        ecap = get(0x10);
        g_assert_true(hand_over(f.device, f.host, NULL));
        g_assert_cmphex(get(8), ==, cap & ~lack->cap);
        g_assert_cmpuint(get(0x10) >> VTD_ECAP_PSS & 0x1f, ==, lack->pasid_bits - 1);
        g_assert_cmphex((get(0x10) ^ ecap) & ~(UINT64_C(0x1f) << VTD_ECAP_PSS), ==, 0);
        device_reset((Device *)f.unit);
        g_assert_true(hand_over(f.device2, f.host2, NULL)); /* no worse than the first */
        tear_down(&f, NULL);

        f = (Fixture){ 0 };
        add_unit(&f, lack->options);
        device_reset((Device *)f.unit);
        f.host->parent.caps.pasid_bits = lack->pasid_bits;
        f.host->parent.caps.vtd.cap = ~lack->cap;
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
    return g_test_run();
}
