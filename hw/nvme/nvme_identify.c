/*
 * IDENTIFY (5.15): the controller, its namespaces, and lists of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

enum { CNS_NAMESPACE = 0x00, CNS_CONTROLLER = 0x01, CNS_ACTIVE = 0x02, CNS_DESCRIPTORS = 0x03,
       CNS_ALLOCATED = 0x10, CNS_ALLOCATED_NAMESPACE = 0x11, CNS_ATTACHED = 0x12,
       CNS_CONTROLLERS = 0x13 };
#define ALL_NAMESPACES UINT32_MAX

static void put_text(uint8_t *to, const char *text, unsigned length)
{
    memset(to, ' ', length);
    memcpy(to, text, MIN(strlen(text), length));
}

static void fill_controller(const Nvme *nvme, uint8_t *data)
{
    g_autofree char *name = g_strdup_printf("nqn.2019-08.org.qemu:%s", nvme->serial);

    store_le16(data, load_le16(nvme->parent.config + PCI_VENDOR_ID));
    store_le16(data + 2, load_le16(nvme->parent.config + PCI_SUBSYSTEM_VENDOR_ID));
    put_text(data + 4, nvme->serial, 20);
    put_text(data + 24, "QEMU NVMe Ctrl", 40);
    put_text(data + 64, "1.0", 8);
    data[72] = 6;                                /* burst of commands that is best */
    data[77] = nvme->transfer_exponent;
    store_le32(data + 80, 0x00010400);           /* version 1.4 */
    store_le32(data + 92, BIT(8));               /* tells of namespaces that change */
    data[111] = 1;                               /* an I/O controller */
    store_le16(data + 256, BIT(1));              /* format */
    data[258] = 3;                               /* aborts at a time, less one */
    data[259] = NVME_EVENTS - 1;
    data[260] = 0x03;                            /* one slot of firmware, read-only */
    data[261] = 0x07;                            /* logs: health of each, effects, offsets */
    store_le16(data + 266, NVME_WARNING_K);      /* K: warning, */
    store_le16(data + 268, 373);                 /* critical */
    data[512] = 0x66;                            /* entries of 64 bytes */
    data[513] = 0x44;                            /* and 16 */
    store_le32(data + 516, NVME_NAMESPACES);
    /* compare, dataset management, write zeroes, select, timestamps, verify, copy */
    store_le16(data + 520, 0x01dd);
    data[525] = 0x07;                            /* a volatile cache; flush of all */
    store_le16(data + 534, 1);                   /* format 0 of COPY's ranges */
    store_le32(data + 536, 1);                   /* scatter-gather lists, of any alignment */
    memcpy(data + 768, name, MIN(strlen(name), 255));
    store_le16(data + 2048, 0x9c4);              /* power state 0: 25 W */
    store_le32(data + 2052, 16);                 /* us to enter it, */
    store_le32(data + 2056, 4);                  /* and to leave it */
}

static void fill_namespace(const NvmeNamespace *ns, uint8_t *data)
{
    uint64_t blocks = nvme_namespace_blocks(ns);

    for (unsigned at = 0; at < 24; at += 8) { /* size, capacity, use */
        store_le64(data + at, blocks);
    }
    store_le16(data + 74, NVME_COPY_RANGE_BLOCKS);
    store_le32(data + 76, NVME_COPY_BLOCKS);
    data[80] = NVME_COPY_RANGES - 1;
    data[99] = block_backend_is_read_only(ns->conf.drive) ? 1 : 0;
    store_be64(data + 120, ns->eui64);
    data[130] = __builtin_ctzll(ns->conf.logical_bytes);
}

/* EUI-64, UUID if it has one, the command set. */
static void fill_descriptors(const NvmeNamespace *ns, uint8_t *data)
{
    static const uint8_t none[sizeof(ns->uuid)];

    data[0] = 1;
    data[1] = 8;
    store_be64(data + 4, ns->eui64);
    data += 12;
    if (memcmp(ns->uuid, none, sizeof(none))) {
        data[0] = 3;
        data[1] = sizeof(ns->uuid);
        memcpy(data + 4, ns->uuid, sizeof(ns->uuid));
        data += 4 + sizeof(ns->uuid);
    }
    data[0] = 4;
    data[1] = 1; /* 0: NVM */
}

/* There is one controller, 0, and every namespace is its. */
static void fill_controllers(uint32_t first, uint8_t *data)
{
    store_le16(data, first == 0);
}

static void fill_list(const Nvme *nvme, uint32_t after, uint8_t *data)
{
    for (uint64_t id = (uint64_t)after + 1; id <= NVME_NAMESPACES; id++) {
        if (nvme->namespaces[id]) {
            store_le32(data, id);
            data += 4;
        }
    }
}

uint16_t nvme_identify(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t id = nvme_dword(request, 1), kind = nvme_dword(request, 10) & 0xff;
    const NvmeNamespace *ns = id && id <= NVME_NAMESPACES ? nvme->namespaces[id] : NULL;
    g_autofree uint8_t *data = g_malloc0(NVME_PAGE_BYTES);
    bool is_of_namespace = kind == CNS_NAMESPACE || kind == CNS_ALLOCATED_NAMESPACE ||
                           kind == CNS_DESCRIPTORS || kind == CNS_ATTACHED;

    if (is_of_namespace && (!id || (id > NVME_NAMESPACES && id != ALL_NAMESPACES) ||
                            ((kind == CNS_DESCRIPTORS || kind == CNS_ATTACHED) && !ns))) {
        return NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
    }
    switch (kind) {
    case CNS_CONTROLLER:
        fill_controller(nvme, data);
        break;
    case CNS_NAMESPACE:
    case CNS_ALLOCATED_NAMESPACE:
        if (ns) {
            fill_namespace(ns, data); /* zeroes: it is not there */
        }
        break;
    case CNS_DESCRIPTORS:
        fill_descriptors(ns, data);
        break;
    case CNS_ATTACHED:
    case CNS_CONTROLLERS:
        fill_controllers(nvme_dword(request, 10) >> 16, data);
        break;
    case CNS_ACTIVE:
    case CNS_ALLOCATED:
        if (id >= UINT32_MAX - 1) {
            return NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
        }
        fill_list(nvme, id, data);
        break;
    default:
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    return nvme_give(request, data, NVME_PAGE_BYTES);
}
