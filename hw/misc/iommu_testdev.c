/*
 * iommu-testdev: a PCI function that does DMA as tests tell it, to exercise virtual IOMMUs without
 * an operating system. Up to 0x20 its registers are those of QEMU's device of this name: arm it by
 * the doorbell, and a read of TRIGGER writes a pattern at GVA, through the IOMMU, and compares it
 * with what memory has at GPA.
 *
 * Beyond, for what that cannot reach, with ats=, pri= and pasid-bits=: ATTRS says who asks (a
 * PASID, privileged, ...), COMMAND does one thing at GVA:
 *
 *     1 read DATA     2 write DATA     3 read BUFFER     4 write BUFFER (LENGTH bytes, up to 4096)
 *     5 ask for a translation    6 ask for a page    7 write DATA; where that needs a page, ask
 *       for it and write when the answer has come
 *
 * and STATUS says how it went. Translations of devices' own are not kept: TRANSLATED_LO and _HI
 * with ATTRS.TRANSLATED are how an address is used again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pcie_ats.h"

#define REGION_BYTES 4096
#define PATTERN      UINT32_C(0x12345678)
#define MOST_BYTES   (64 * KiB)
#define BUFFER_BYTES 4096

enum { RESULT_OK = 0, RESULT_IDLE = 0xffffffffu, RESULT_ARMED = 0xfffffffeu,
       RESULT_BAD_LENGTH = 0xdead0001u, RESULT_WRITE_FAILED, RESULT_READ_FAILED, RESULT_MISMATCH,
       RESULT_NOT_ARMED, RESULT_BAD_ATTRIBUTES };

enum { REG_TRIGGER = 0x00, REG_GVA_LO = 0x04, REG_GVA_HI = 0x08, REG_LENGTH = 0x0c,
       REG_RESULT = 0x10, REG_DOORBELL = 0x14, REG_SPACE = 0x18, REG_GPA_LO = 0x1c,
       REG_GPA_HI = 0x20,
       /* ours */
       REG_ATTRS = 0x40, REG_COMMAND = 0x44, REG_DATA = 0x48, REG_STATUS = 0x4c,
       REG_TRANSLATED_LO = 0x50, REG_TRANSLATED_HI = 0x54, REG_PAGE = 0x58, REG_GROUP = 0x5c,
       REG_ANSWERS = 0x60, REG_ANSWER = 0x64, REG_DROPS = 0x68, REG_DROP_LO = 0x6c,
       REG_DROP_HI = 0x70, REG_DROP_BYTES = 0x74, REG_DROP_PASID = 0x78, REG_COUNT = 0x7c };

/* ATTRS, above 20 bits of PASID. */
#define ATTR_PASID      BIT(31)
#define ATTR_PRIVILEGED BIT(30)
#define ATTR_EXECUTE    BIT(29)
#define ATTR_NO_WRITE   BIT(28)
#define ATTR_TRANSLATED BIT(27)
#define ATTR_PASID_MASK UINT32_C(0xfffff)

enum { COMMAND_READ = 1, COMMAND_WRITE, COMMAND_READ_BUFFER, COMMAND_WRITE_BUFFER,
       COMMAND_TRANSLATE, COMMAND_ASK, COMMAND_TOUCH };
enum { STATUS_DONE = 0, STATUS_WAITS = 1, STATUS_FAILED = 0x80000000u };

/* GROUP, above 9 bits of page request group. */
#define GROUP_LAST  BIT(16)
#define GROUP_READ  BIT(17)
#define GROUP_WRITE BIT(18)

typedef struct IommuTestdev IommuTestdev;
typedef struct Client {
    PciPageNotifier notifier;
    IommuTestdev *dev;
} Client;

struct IommuTestdev {
    PciDevice parent;
    bool has_ats, has_pri; /* properties */
    uint8_t pasid_bits;
    MemoryRegion region;
    uint64_t gva, gpa;
    uint32_t length, result, space;
    bool is_armed, is_touching;
    uint32_t attrs, data, status, page, group, answers, answer, drops, drop_bytes, drop_pasid,
        count;
    uint64_t translated, drop_addr;
    Client client;
    uint32_t client_pasid;
    PcieAtsWatch watch;
    bool is_listening;
};
DECLARE_CAST(IommuTestdev, IOMMU_TESTDEV)

static uint32_t pasid_of(const IommuTestdev *dev)
{
    return dev->attrs & ATTR_PASID ? dev->attrs & ATTR_PASID_MASK : PCIE_NO_PASID;
}

static MemTxAttrs attrs_of(const IommuTestdev *dev)
{
    MemTxAttrs attrs = pci_device_attrs(&dev->parent);

    if (dev->attrs & ATTR_PASID) {
        attrs = dma_attrs_with_pasid(attrs, pasid_of(dev));
    }
    attrs.is_translated = dev->attrs & ATTR_TRANSLATED;
    return attrs;
}

/* --- the pattern --- */

static void fill_pattern(uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = PATTERN >> 8 * (i % 4);
    }
}

static uint32_t run_pattern(IommuTestdev *dev)
{
    g_autofree uint8_t *wanted = NULL, *found = NULL;
    AddressSpace *as = pci_device_dma_as(&dev->parent);

    if (!dev->is_armed) {
        return RESULT_NOT_ARMED;
    }
    dev->is_armed = false;
    if (!dev->length || dev->length > MOST_BYTES) {
        return RESULT_BAD_LENGTH;
    }
    wanted = g_malloc(dev->length);
    found = g_malloc0(dev->length);
    fill_pattern(wanted, dev->length);
    if (dma_write(as, dev->gva, attrs_of(dev), wanted, dev->length) != MEM_TX_OK) {
        return RESULT_WRITE_FAILED;
    }
    if (address_space_read(address_space_system(), dev->gpa, MEM_TX_NONE, found,
                           dev->length) != MEM_TX_OK) {
        return RESULT_READ_FAILED;
    }
    return memcmp(wanted, found, dev->length) ? RESULT_MISMATCH : RESULT_OK;
}

/* --- commands --- */

static bool run_data(IommuTestdev *dev, bool is_write)
{
    AddressSpace *as = pci_device_dma_as(&dev->parent);
    uint64_t value = dev->data;
    MemTxResult result = is_write ? dma_store(as, dev->gva, MEM_LE32, attrs_of(dev), value) :
                                    dma_load(as, dev->gva, MEM_LE32, attrs_of(dev), &value);

    dev->data = value;
    return result == MEM_TX_OK;
}

/* COUNT times, for who measures. */
static bool run_buffer(IommuTestdev *dev, bool is_write)
{
    uint8_t buffer[BUFFER_BYTES] = { 0 };
    uint32_t bytes = MIN(dev->length, BUFFER_BYTES), result = MEM_TX_OK;
    AddressSpace *as = pci_device_dma_as(&dev->parent);

    fill_pattern(buffer, bytes);
    for (uint32_t i = 0; i < MAX(dev->count, 1); i++) {
        result |= is_write ? dma_write(as, dev->gva, attrs_of(dev), buffer, bytes) :
                             dma_read(as, dev->gva, attrs_of(dev), buffer, bytes);
    }
    return result == MEM_TX_OK;
}

/* PAGE is what is permitted, and the page's size above; TRANSLATED the address of GVA. */
static bool translate(IommuTestdev *dev)
{
    PciAtsRequest request = {
        .addr = dev->gva, .bytes = 1, .is_privileged = dev->attrs & ATTR_PRIVILEGED,
        .is_execute = dev->attrs & ATTR_EXECUTE, .no_write = dev->attrs & ATTR_NO_WRITE,
    };
    IommuEntry entry;

    if (pcie_ats_request(&dev->parent, pasid_of(dev), &request, &entry, 1) < 1) {
        return false;
    }
    dev->page = entry.access | (uint32_t)__builtin_popcountll(entry.page_mask) << 8;
    dev->translated = entry.translated | (dev->gva & entry.page_mask);
    return true;
}

static bool ask(IommuTestdev *dev)
{
    PciPageRequest request = {
        .addr = dev->gva, .group = dev->group & 0x1ff, .is_last = dev->group & GROUP_LAST,
        .is_read = dev->group & GROUP_READ, .is_write = dev->group & GROUP_WRITE,
        .is_privileged = dev->attrs & ATTR_PRIVILEGED, .is_execute = dev->attrs & ATTR_EXECUTE,
    };

    if (dev->client_pasid != pasid_of(dev) || !dev->is_listening) {
        pcie_set_page_notifier(&dev->parent, dev->client_pasid, NULL);
        dev->client_pasid = pasid_of(dev);
        dev->is_listening = pcie_set_page_notifier(&dev->parent, dev->client_pasid,
                                                   &dev->client.notifier);
    }
    return pcie_page_request(&dev->parent, pasid_of(dev), &request);
}

/* Writes where it may, or asks: the write then follows the answer. */
static uint32_t touch(IommuTestdev *dev, bool may_ask)
{
    if (!translate(dev)) {
        return STATUS_FAILED;
    }
    if (dev->page & IOMMU_WRITE) {
        return run_data(dev, true) ? STATUS_DONE : STATUS_FAILED;
    }
    dev->group |= GROUP_LAST | GROUP_READ | GROUP_WRITE;
    dev->is_touching = may_ask;
    return may_ask && ask(dev) ? STATUS_WAITS : STATUS_FAILED;
}

static void answered(PciPageNotifier *notifier, uint16_t group, uint8_t response)
{
    IommuTestdev *dev = container_of(notifier, Client, notifier)->dev;

    dev->answers++;
    dev->answer = group | response << 16;
    if (dev->is_touching) {
        dev->is_touching = false;
        dev->status = response ? STATUS_FAILED : touch(dev, false);
    }
}

static uint32_t run(IommuTestdev *dev, uint32_t command)
{
    bool is_done = false;

    switch (command) {
    case COMMAND_READ:
    case COMMAND_WRITE:
        is_done = run_data(dev, command == COMMAND_WRITE);
        break;
    case COMMAND_READ_BUFFER:
    case COMMAND_WRITE_BUFFER:
        is_done = run_buffer(dev, command == COMMAND_WRITE_BUFFER);
        break;
    case COMMAND_TRANSLATE:
        is_done = translate(dev);
        break;
    case COMMAND_ASK:
        is_done = ask(dev);
        break;
    case COMMAND_TOUCH:
        return touch(dev, true);
    }
    return is_done ? STATUS_DONE : STATUS_FAILED;
}

/* --- what it hears of its TLB --- */

static void dropped(PcieAtsWatch *watch, const IommuEntry *entry)
{
    IommuTestdev *dev = container_of(watch, IommuTestdev, watch);

    dev->drops++;
    dev->drop_addr = entry->iova;
    dev->drop_bytes = MIN(entry->page_mask, UINT32_MAX - 1) + 1;
    dev->drop_pasid = entry->has_pasid ? ATTR_PASID | entry->pasid : 0;
}

/* --- registers --- */

static uint64_t testdev_read(void *opaque, uint64_t at, unsigned bytes)
{
    IommuTestdev *dev = opaque;

    switch (at) {
    case REG_TRIGGER:
        dev->result = run_pattern(dev);
        return 0;
    case REG_GVA_LO:
        return (uint32_t)dev->gva;
    case REG_GVA_HI:
        return dev->gva >> 32;
    case REG_LENGTH:
        return dev->length;
    case REG_RESULT:
        return dev->result;
    case REG_DOORBELL:
        return dev->is_armed;
    case REG_SPACE:
        return dev->space;
    case REG_GPA_LO:
        return (uint32_t)dev->gpa;
    case REG_GPA_HI:
        return dev->gpa >> 32;
    case REG_ATTRS:
        return dev->attrs;
    case REG_DATA:
        return dev->data;
    case REG_STATUS:
        return dev->status;
    case REG_TRANSLATED_LO:
        return (uint32_t)dev->translated;
    case REG_TRANSLATED_HI:
        return dev->translated >> 32;
    case REG_PAGE:
        return dev->page;
    case REG_GROUP:
        return dev->group;
    case REG_ANSWERS:
        return dev->answers;
    case REG_ANSWER:
        return dev->answer;
    case REG_DROPS:
        return dev->drops;
    case REG_DROP_LO:
        return (uint32_t)dev->drop_addr;
    case REG_DROP_HI:
        return dev->drop_addr >> 32;
    case REG_DROP_BYTES:
        return dev->drop_bytes;
    case REG_DROP_PASID:
        return dev->drop_pasid;
    case REG_COUNT:
        return dev->count;
    }
    return UINT32_MAX;
}

static void set_half(uint64_t *quad, bool is_high, uint32_t value)
{
    *quad = is_high ? (*quad & UINT32_MAX) | (uint64_t)value << 32 :
                      (*quad & ~(uint64_t)UINT32_MAX) | value;
}

static void ring(IommuTestdev *dev, bool arms)
{
    dev->is_armed = arms;
    dev->result = arms ? RESULT_ARMED : RESULT_IDLE;
}

static void testdev_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    IommuTestdev *dev = opaque;

    switch (at) {
    case REG_GVA_LO:
    case REG_GVA_HI:
        set_half(&dev->gva, at == REG_GVA_HI, value);
        break;
    case REG_LENGTH:
        dev->length = value;
        break;
    case REG_DOORBELL:
        ring(dev, value & 1);
        break;
    case REG_SPACE:
        dev->space = value;
        break;
    case REG_GPA_LO:
    case REG_GPA_HI:
        set_half(&dev->gpa, at == REG_GPA_HI, value);
        break;
    case REG_ATTRS:
        dev->attrs = value;
        break;
    case REG_COMMAND:
        dev->status = run(dev, value);
        break;
    case REG_DATA:
        dev->data = value;
        break;
    case REG_GROUP:
        dev->group = value;
        break;
    case REG_COUNT:
        dev->count = MIN(value, MiB);
        break;
    }
}

static const MemoryOps testdev_ops = {
    .read = testdev_read, .write = testdev_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 4, .max = 4 }, .impl = { .min = 4, .max = 4 },
};

/* --- life --- */

static bool add_capabilities(IommuTestdev *dev, Error **errp)
{
    PciDevice *pci = &dev->parent;

    if (!dev->has_ats && !dev->has_pri && !dev->pasid_bits) {
        return true;
    }
    if (!pci_device_is_express(pci)) {
        return error_set(errp, "ats, pri and pasid-bits need a PCI Express bus");
    }
    if (dev->pasid_bits > 20) {
        return error_set(errp, "pasid-bits=%u is more than 20", dev->pasid_bits);
    }
    return pcie_endpoint_cap_init(pci, 0, errp) &&
           (!dev->has_ats || pcie_ats_init(pci, 0x100, true, errp)) &&
           (!dev->has_pri || pcie_pri_init(pci, 0x110, 64, errp)) &&
           (!dev->pasid_bits ||
            pcie_pasid_init(pci, 0x120, dev->pasid_bits, PCI_PASID_CAP_EXEC | PCI_PASID_CAP_PRIV,
                            errp));
}

static bool testdev_realize(Device *device, Error **errp)
{
    IommuTestdev *dev = IOMMU_TESTDEV(device);

    dev->client = (Client){ { answered }, dev };
    dev->client_pasid = PCIE_NO_PASID;
    pci_add_bar(&dev->parent, 0, 0, &dev->region);
    if (!add_capabilities(dev, errp)) {
        return false;
    }
    if (dev->has_ats) {
        dev->watch.dropped = dropped;
        pcie_ats_watch(&dev->parent, &dev->watch);
    }
    return true;
}

static void testdev_unrealize(Device *device)
{
    IommuTestdev *dev = IOMMU_TESTDEV(device);

    if (dev->has_ats) {
        pcie_ats_unwatch(&dev->watch);
    }
}

static void testdev_init(Object *obj)
{
    memory_region_init_io(&IOMMU_TESTDEV(obj)->region, obj, &testdev_ops, "iommu-testdev",
                          REGION_BYTES);
}

static void testdev_finalize(Object *obj)
{
    memory_region_clear(&IOMMU_TESTDEV(obj)->region);
}

static void testdev_reset_enter(Device *device)
{
    IommuTestdev *dev = IOMMU_TESTDEV(device);

    dev->gva = dev->gpa = dev->translated = dev->drop_addr = 0;
    dev->length = dev->space = dev->attrs = dev->data = dev->status = dev->page = 0;
    dev->group = dev->answers = dev->answer = dev->drops = dev->drop_bytes = 0;
    dev->drop_pasid = dev->count = 0;
    dev->is_touching = false;
    ring(dev, false);
}

static const Property testdev_props[] = {
    PROP_BOOL("ats", IommuTestdev, has_ats, .doc = "Address translation services"),
    PROP_BOOL("pri", IommuTestdev, has_pri, .doc = "Page requests"),
    PROP_U8("pasid-bits", IommuTestdev, pasid_bits, .doc = "Bits of a PASID; 0: it has none"),
};
static const VMField testdev_fields[] = {
    VM_U64(IommuTestdev, gva), VM_U64(IommuTestdev, gpa), VM_U32(IommuTestdev, length),
    VM_U32(IommuTestdev, result), VM_U32(IommuTestdev, space), VM_BOOL(IommuTestdev, is_armed),
    VM_BOOL(IommuTestdev, is_touching), VM_U32(IommuTestdev, attrs), VM_U32(IommuTestdev, data),
    VM_U32(IommuTestdev, status), VM_U32(IommuTestdev, page), VM_U32(IommuTestdev, group),
    VM_U32(IommuTestdev, answers), VM_U32(IommuTestdev, answer), VM_U32(IommuTestdev, drops),
    VM_U32(IommuTestdev, drop_bytes), VM_U32(IommuTestdev, drop_pasid),
    VM_U32(IommuTestdev, count), VM_U64(IommuTestdev, translated),
    VM_U64(IommuTestdev, drop_addr),
};

static const PciDeviceType testdev_type = {
    .name = "iommu-testdev",
    .parent = TYPE_PCI_DEVICE,
    .doc = "Does DMA as tests tell it, to exercise virtual IOMMUs",
    .size = sizeof(IommuTestdev),
    .vendor_id = 0x1b36, .device_id = 0x0005, .class_id = PCI_CLASS_OTHERS,
    .category = DEVICE_CATEGORY_MISC,
    .properties = PROPERTIES(testdev_props),
    .vmstate = VMSTATE(testdev_fields, .version = 1),
    .init = testdev_init,
    .finalize = testdev_finalize,
    .realize = testdev_realize,
    .unrealize = testdev_unrealize,
    .reset_enter = testdev_reset_enter,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(testdev_type)
