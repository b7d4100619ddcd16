/*
 * Memory of the controller's own (3.1.11 to 3.1.22): a buffer in BAR 2 ("cmb_size_mb") and
 * persistent memory in BAR 4 ("pmrdev"). Commands reach both at the addresses that a driver gave
 * them, without the IOMMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "system/memory_backend.h"
#include "system/ram_block.h"

#define BAR_BUFFER     2
#define BAR_PERSISTENT 4
enum { CMBLOC = 0x38, CMBSZ = 0x3c, CMBMSC = 0x50, CMBSTS = 0x58, PMRCAP = 0xe00, PMRCTL = 0xe04,
       PMRSTS = 0xe08, PMREBS = 0xe0c, PMRSWTP = 0xe10, PMRMSCL = 0xe14, PMRMSCU = 0xe18 };
#define CAP_PMRS BIT64(56)
#define CAP_CMBS BIT64(57)
/* In BAR 2; lists may be there beside data, queues anywhere in it. */
#define CMBLOC_VALUE (BAR_BUFFER | BIT(5) | BIT(6))
/* Queues, lists, data in both directions; of so many MiB. */
#define CMBSZ_VALUE(mb) (0x1fu | 2 << 8 | (mb) << 12)
/* Data in both directions; in BAR 4; reading PMRSTS makes writes durable; commands reach it. */
#define PMRCAP_VALUE (BIT(3) | BIT(4) | BAR_PERSISTENT << 5 | BIT(11) | BIT(24))
#define PMRSTS_NOT_READY   BIT(8)
#define PMRSTS_BAD_ADDRESS BIT(12)
enum { MSC_REGISTERS = BIT(0), MSC_SPACE = BIT(1) }; /* of CMBMSC; PMRMSCL has the second */
#define MSC_ADDRESS (~UINT64_C(0xfff))

/* --- where commands find it --- */

static bool is_invalid(uint64_t control, uint64_t size)
{
    return control & MSC_SPACE && (control & MSC_ADDRESS) > UINT64_MAX - size;
}

static void place(NvmeMemory *memory, MemoryRegion *window, bool *is_there, uint64_t control)
{
    bool is_wanted = control & MSC_SPACE && !is_invalid(control, window->size);

    memory_transaction_begin();
    if (*is_there) {
        memory_region_remove(&memory->space_root, window);
    }
    if (is_wanted) {
        memory_region_add_overlap(&memory->space_root, control & MSC_ADDRESS, window,
                                  window == &memory->buffer_window);
    }
    memory_transaction_commit();
    *is_there = is_wanted;
}

static bool is_within(bool is_there, uint64_t control, uint64_t size, uint64_t addr,
                      uint64_t bytes)
{
    uint64_t at = addr - (control & MSC_ADDRESS);

    return is_there && at < size && bytes <= size - at;
}

bool nvme_is_own_memory(const Nvme *nvme, uint64_t addr, uint64_t bytes)
{
    const NvmeMemory *memory = &nvme->memory;

    return is_within(memory->has_buffer_window, memory->cmbmsc, memory->buffer.size, addr, bytes) ||
           is_within(memory->has_persistent_window, memory->pmrmsc,
                     memory->persistent_window.size, addr, bytes);
}

AddressSpace *nvme_space_of(Nvme *nvme, uint64_t addr, uint64_t bytes)
{
    return nvme_is_own_memory(nvme, addr, bytes) ? &nvme->memory.space :
                                                   pci_device_dma_as(&nvme->parent);
}

MemTxResult nvme_read_memory(Nvme *nvme, uint64_t addr, void *buf, uint64_t bytes)
{
    return dma_read(nvme_space_of(nvme, addr, bytes), addr, pci_device_attrs(&nvme->parent), buf,
                    bytes);
}

MemTxResult nvme_write_memory(Nvme *nvme, uint64_t addr, const void *buf, uint64_t bytes)
{
    return dma_write(nvme_space_of(nvme, addr, bytes), addr, pci_device_attrs(&nvme->parent), buf,
                     bytes);
}

/* --- registers --- */

static bool shows_buffer(const Nvme *nvme)
{
    return nvme->buffer_mb && nvme->memory.cmbmsc & MSC_REGISTERS;
}

static uint32_t persistent_status(Nvme *nvme)
{
    if (!(nvme->memory.pmrctl & 1)) {
        return PMRSTS_NOT_READY;
    }
    ram_block_sync(memory_backend_region(MEMORY_BACKEND(nvme->persistent))->ram, 0,
                   nvme->memory.persistent_window.size, NULL);
    return is_invalid(nvme->memory.pmrmsc, nvme->memory.persistent_window.size) ?
               PMRSTS_BAD_ADDRESS : 0;
}

uint64_t nvme_memory_capabilities(const Nvme *nvme)
{
    return (nvme->buffer_mb ? CAP_CMBS : 0) | (nvme->persistent ? CAP_PMRS : 0);
}

uint32_t nvme_memory_read(Nvme *nvme, uint64_t at)
{
    const NvmeMemory *memory = &nvme->memory;

    switch (at) {
    case CMBLOC:
        return shows_buffer(nvme) ? CMBLOC_VALUE : 0;
    case CMBSZ:
        return shows_buffer(nvme) ? CMBSZ_VALUE(nvme->buffer_mb) : 0;
    case CMBMSC:
        return memory->cmbmsc;
    case CMBMSC + 4:
        return memory->cmbmsc >> 32;
    case PMRCAP:
        return nvme->persistent ? PMRCAP_VALUE : 0;
    case PMRCTL:
        return memory->pmrctl;
    case PMRSTS:
        return nvme->persistent ? persistent_status(nvme) : 0;
    case PMRMSCL:
        return memory->pmrmsc;
    case PMRMSCU:
        return memory->pmrmsc >> 32;
    case CMBSTS:
        return is_invalid(memory->cmbmsc, memory->buffer.size);
    default: /* PMREBS, PMRSWTP: not told */
        return 0;
    }
}

static void set_half(uint64_t *word, bool is_high, uint32_t value, uint64_t writable)
{
    uint64_t mask = (is_high ? UINT64_C(0xffffffff) << 32 : UINT32_MAX) & writable;

    *word = (*word & ~mask) | ((uint64_t)value << (is_high ? 32 : 0) & mask);
}

static void apply(Nvme *nvme)
{
    NvmeMemory *memory = &nvme->memory;

    if (memory->buffer.name) {
        place(memory, &memory->buffer_window, &memory->has_buffer_window, memory->cmbmsc);
    }
    if (memory->persistent.name) {
        memory_region_set_enabled(memory_backend_region(MEMORY_BACKEND(nvme->persistent)),
                                  memory->pmrctl & 1);
        place(memory, &memory->persistent_window, &memory->has_persistent_window,
              memory->pmrctl & 1 ? memory->pmrmsc : 0);
    }
}

bool nvme_memory_write(Nvme *nvme, uint64_t at, uint32_t value)
{
    NvmeMemory *memory = &nvme->memory;
    bool is_of_buffer = at == CMBMSC || at == CMBMSC + 4;

    if (is_of_buffer ? !nvme->buffer_mb : !nvme->persistent) {
        return false;
    }
    switch (at) {
    case CMBMSC:
    case CMBMSC + 4:
        set_half(&memory->cmbmsc, at != CMBMSC, value, MSC_ADDRESS | MSC_REGISTERS | MSC_SPACE);
        break;
    case PMRCTL:
        memory->pmrctl = value & 1;
        break;
    case PMRMSCL:
    case PMRMSCU:
        set_half(&memory->pmrmsc, at == PMRMSCU, value, MSC_ADDRESS | MSC_SPACE);
        break;
    default:
        return false;
    }
    apply(nvme);
    return true;
}

/* --- life --- */

static bool check_persistent(Nvme *nvme, uint64_t bytes, Error **errp)
{
    if (nvme->has_msix_bar) {
        return error_set(errp, "not enough BARs available to enable PMR");
    }
    if (bytes & (bytes - 1)) {
        return error_set(errp, "pmr backend size needs to be power of 2 in size");
    }
    return memory_backend_claim(MEMORY_BACKEND(nvme->persistent), errp);
}

static bool add_persistent(Nvme *nvme, Error **errp)
{
    NvmeMemory *memory = &nvme->memory;
    MemoryRegion *region = memory_backend_region(MEMORY_BACKEND(nvme->persistent));
    uint64_t bytes = region->size;

    if (!check_persistent(nvme, bytes, errp)) {
        return false;
    }
    memory_region_init(&memory->persistent, (Object *)nvme, "nvme-pmr",
                       MAX(bytes, NVME_PAGE_BYTES));
    memory_region_set_enabled(region, false);
    memory_region_add(&memory->persistent, 0, region);
    memory_region_init_alias(&memory->persistent_window, (Object *)nvme, "nvme-pmr-window", region,
                             (MemoryWindow){ 0, bytes });
    pci_add_bar(&nvme->parent, BAR_PERSISTENT, PCI_BAR_64 | PCI_BAR_PREFETCH, &memory->persistent);
    return true;
}

static bool add_buffer(Nvme *nvme, Error **errp)
{
    NvmeMemory *memory = &nvme->memory;
    uint64_t bytes = (uint64_t)nvme->buffer_mb * MiB;

    if (bytes & (bytes - 1) || nvme->buffer_mb > 0xfffff) {
        return error_set(errp, "cmb_size_mb must be a power of two");
    }
    if (!memory_region_init_ram(&memory->buffer, (Object *)nvme, "nvme-cmb", bytes, errp)) {
        return false;
    }
    memory_region_init_alias(&memory->buffer_window, (Object *)nvme, "nvme-cmb-window",
                             &memory->buffer, (MemoryWindow){ 0, bytes });
    pci_add_bar(&nvme->parent, BAR_BUFFER, PCI_BAR_64 | PCI_BAR_PREFETCH, &memory->buffer);
    return true;
}

bool nvme_memory_realize(Nvme *nvme, Error **errp)
{
    NvmeMemory *memory = &nvme->memory;

    if (!nvme->buffer_mb && !nvme->persistent) {
        return true;
    }
    memory_region_init(&memory->space_root, (Object *)nvme, "nvme-space", UINT64_MAX);
    address_space_init(&memory->space, &memory->space_root, "nvme-space");
    return (!nvme->buffer_mb || add_buffer(nvme, errp)) &&
           (!nvme->persistent || add_persistent(nvme, errp));
}

void nvme_memory_reset(Nvme *nvme)
{
    nvme->memory.cmbmsc = nvme->memory.pmrmsc = 0;
    nvme->memory.pmrctl = 0;
    apply(nvme);
}

bool nvme_memory_post_load(void *opaque, int version, Error **errp)
{
    apply(opaque);
    return true;
}

static void drop(MemoryRegion *region)
{
    if (region->name) {
        memory_region_clear(region);
    }
}

void nvme_memory_unrealize(Nvme *nvme)
{
    NvmeMemory *memory = &nvme->memory;

    if (!memory->space_root.name) {
        return;
    }
    nvme_memory_reset(nvme);
    if (memory->persistent.name) {
        MemoryRegion *region = memory_backend_region(MEMORY_BACKEND(nvme->persistent));

        memory_region_remove(&memory->persistent, region);
        memory_region_set_enabled(region, true);
        memory_backend_release(MEMORY_BACKEND(nvme->persistent));
    }
}

/* In finalize: nobody sees the regions any more. */
void nvme_memory_clear(Nvme *nvme)
{
    NvmeMemory *memory = &nvme->memory;

    if (memory->space_root.name) {
        address_space_clear(&memory->space);
    }
    drop(&memory->buffer_window);
    drop(&memory->persistent_window);
    drop(&memory->buffer);
    drop(&memory->persistent);
    drop(&memory->space_root);
}
