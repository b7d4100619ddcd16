/*
 * pci-testdev: a PCI device with doorbells for tests of I/O dispatch and ioeventfds. Byte 0 of BAR
 * 0 (memory) or BAR 1 (ports) chooses one of three tests there; then a header can be read:
 *
 *     0 test, 1 width (1), 4 offset of the doorbell, 8 what to write, 12 count, 16 name
 *
 * A write of that value (of any, for the wildcard) at the doorbell counts, unless an eventfd takes
 * it. BAR 2 is memory that holds nothing, as large as "membar" says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_device.h"
#include <sys/eventfd.h>

#define MEMORY_BYTES 4096
#define PORT_BYTES   256
#define NO_TEST      UINT8_MAX
#define TESTS_PER_BAR 3
#define HEADER_BYTES 64

typedef struct TestDef {
    const char *name;
    uint32_t offset;
    uint8_t data;
    bool is_port, has_eventfd, must_match;
} TestDef;

static const TestDef tests[2 * TESTS_PER_BAR] = {
    { "mmio-no-eventfd", 0x800, 0xfa, .must_match = true },
    { "mmio-wildcard-eventfd", 0x801, 0xce, .has_eventfd = true },
    { "mmio-datamatch-eventfd", 0x802, 0xfa, .has_eventfd = true, .must_match = true },
    { "portio-no-eventfd", 0x83, 0xfa, .is_port = true, .must_match = true },
    { "portio-wildcard-eventfd", 0x84, 0xce, .is_port = true, .has_eventfd = true },
    { "portio-datamatch-eventfd", 0x85, 0xfa, .is_port = true, .has_eventfd = true,
      .must_match = true },
};

typedef struct PciTestdev {
    PciDevice parent;
    MemoryRegion memory, ports, large;
    uint64_t large_bytes; /* property */
    int eventfd;          /* -1: none */
    uint8_t current;      /* of tests, NO_TEST: none */
    uint32_t count;
    bool is_armed;        /* the eventfd is on */
} PciTestdev;
DECLARE_CAST(PciTestdev, PCI_TESTDEV)

static const TestDef *current_test(const PciTestdev *t)
{
    return t->current < ARRAY_SIZE(tests) ? &tests[t->current] : NULL;
}

/* --- the eventfd of the chosen test --- */

static void set_armed(PciTestdev *t, bool is_armed)
{
    const TestDef *test = current_test(t);
    MemoryRegion *region = test && test->is_port ? &t->ports : &t->memory;
    MemoryEventfd bell = { .bytes = 1, .fd = t->eventfd };

    if (!test || !test->has_eventfd || t->is_armed == is_armed) {
        return;
    }
    bell.offset = test->offset;
    bell.must_match = test->must_match;
    bell.data = test->must_match ? test->data : 0;
    t->is_armed = is_armed;
    if (is_armed) {
        memory_region_add_eventfd(region, &bell);
    } else {
        memory_region_remove_eventfd(region, &bell);
    }
}

static void choose(PciTestdev *t, uint8_t test)
{
    set_armed(t, false);
    t->current = test;
    t->count = 0;
    set_armed(t, true);
}

/* --- registers --- */

static void fill_header(const PciTestdev *t, uint8_t header[HEADER_BYTES])
{
    const TestDef *test = current_test(t);

    memset(header, 0, HEADER_BYTES);
    if (test) {
        header[0] = t->current;
        header[1] = 1;
        store_le32(header + 4, test->offset);
        store_le32(header + 8, test->data);
        store_le32(header + 12, t->count);
        g_strlcpy((char *)header + 16, test->name, HEADER_BYTES - 16);
    }
}

static uint64_t testdev_read(void *opaque, uint64_t at, unsigned bytes)
{
    uint8_t header[HEADER_BYTES];

    fill_header(opaque, header);
    return at + bytes <= HEADER_BYTES ? load_bytes(header + at, bytes, ENDIAN_LITTLE) : 0;
}

static void written(PciTestdev *t, bool is_port, uint64_t at, uint64_t value)
{
    const TestDef *test = current_test(t);

    if (at == 0) {
        choose(t, value < TESTS_PER_BAR ? value + (is_port ? TESTS_PER_BAR : 0) : NO_TEST);
    } else if (test && at == test->offset && test->is_port == is_port &&
               (!test->must_match || value == test->data)) {
        t->count++;
    }
}

static void memory_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    written(opaque, false, at, value);
}

static void port_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    written(opaque, true, at, value);
}

static const MemoryOps memory_ops = { .read = testdev_read, .write = memory_write,
                                      .endian = ENDIAN_LITTLE };
static const MemoryOps port_ops = { .read = testdev_read, .write = port_write,
                                    .endian = ENDIAN_LITTLE };

static uint64_t large_read(void *opaque, uint64_t at, unsigned bytes)
{
    return 0;
}

static void large_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    /* nothing is there to hold it */
}

static const MemoryOps large_ops = { .read = large_read, .write = large_write,
                                     .endian = ENDIAN_LITTLE };

/* --- life --- */

static bool add_large(PciTestdev *t, Error **errp)
{
    uint64_t bytes = 16;

    if (!t->large_bytes) {
        return true;
    }
    if (t->large_bytes > 1ull << 62) {
        return error_set(errp, "pci-testdev: membar of %" PRIu64 " bytes is too large",
                         t->large_bytes);
    }
    while (bytes < t->large_bytes) {
        bytes *= 2;
    }
    memory_region_set_size(&t->large, bytes);
    pci_add_bar(&t->parent, 2, PCI_BAR_64 | PCI_BAR_PREFETCH, &t->large);
    return true;
}

static bool testdev_realize(Device *dev, Error **errp)
{
    PciTestdev *t = PCI_TESTDEV(dev);

    pci_add_bar(&t->parent, 0, 0, &t->memory);
    pci_add_bar(&t->parent, 1, PCI_BAR_IO, &t->ports);
    if (!add_large(t, errp)) {
        return false;
    }
    t->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return t->eventfd >= 0 || error_set(errp, "pci-testdev: eventfd: %s", strerror(errno));
}

static void testdev_unrealize(Device *dev)
{
    PciTestdev *t = PCI_TESTDEV(dev);

    choose(t, NO_TEST);
    close(t->eventfd);
    t->eventfd = -1;
}

static void testdev_init(Object *obj)
{
    PciTestdev *t = PCI_TESTDEV(obj);

    t->eventfd = -1;
    t->current = NO_TEST;
    memory_region_init_io(&t->memory, obj, &memory_ops, "pci-testdev-mmio", MEMORY_BYTES);
    memory_region_init_io(&t->ports, obj, &port_ops, "pci-testdev-portio", PORT_BYTES);
    memory_region_init_io(&t->large, obj, &large_ops, "pci-testdev-membar", 16);
}

static void testdev_finalize(Object *obj)
{
    memory_region_clear(&PCI_TESTDEV(obj)->memory);
    memory_region_clear(&PCI_TESTDEV(obj)->ports);
    memory_region_clear(&PCI_TESTDEV(obj)->large);
}

static void testdev_reset_hold(Device *dev)
{
    choose(PCI_TESTDEV(dev), NO_TEST);
}

static bool pre_load(void *opaque, Error **errp)
{
    choose(opaque, NO_TEST);
    return true;
}

static bool post_load(void *opaque, int version, Error **errp)
{
    set_armed(opaque, true);
    return true;
}

static const Property testdev_props[] = {
    PROP_SIZE("membar", PciTestdev, large_bytes, .doc = "Bytes of BAR 2, 0: there is none"),
};
static const VMField testdev_fields[] = { VM_U8(PciTestdev, current), VM_U32(PciTestdev, count) };

static const PciDeviceType testdev_type = {
    .name = "pci-testdev",
    .parent = TYPE_PCI_DEVICE,
    .doc = "Doorbells for tests of I/O dispatch",
    .size = sizeof(PciTestdev),
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x0005, .class_id = PCI_CLASS_OTHERS,
    .category = DEVICE_CATEGORY_MISC,
    .properties = PROPERTIES(testdev_props),
    .vmstate = VMSTATE(testdev_fields, .version = 1, .pre_load = pre_load, .post_load = post_load),
    .init = testdev_init,
    .finalize = testdev_finalize,
    .realize = testdev_realize,
    .unrealize = testdev_unrealize,
    .reset_hold = testdev_reset_hold,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PCI_DEVICE_TYPE(testdev_type)
