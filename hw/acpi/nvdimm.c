/*
 * NVDIMMs as ACPI guests see them: see hw/acpi/nvdimm.h. Functions of a module: 0 which there
 * are, 4 size of labels, 5 read, 6 write them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/nvdimm.h"
#include "hw/core/device_memory.h"
#include "hw/mem/pc_dimm.h"
#include "system/dma.h"
#include "trace.h"
#include "util/byte_order.h"
#include "util/log.h"

#define PAGE ACPI_NVDIMM_PAGE_BYTES
enum { HANDLE_AT = 0, REVISION_AT = 4, FUNCTION_AT = 8, ARGUMENTS_AT = 12 };
enum { LENGTH_AT = 0, STATUS_AT = 4, DATA_AT = 8 };
enum { FUNCTIONS, LABEL_SIZE = 4, LABEL_READ, LABEL_WRITE };
enum { SUCCESS, NOT_SUPPORTED, NO_SUCH_DEVICE, BAD_PARAMETERS };
#define SUPPORTED (BIT(FUNCTIONS) | BIT(LABEL_SIZE) | BIT(LABEL_READ) | BIT(LABEL_WRITE))
#define REVISION 1
#define LABEL_DATA_AT 8 /* in the arguments of a write: after offset and length */
#define MOST_LABEL_BYTES (PAGE - ARGUMENTS_AT - LABEL_DATA_AT)

#define MAP_NOT_ARMED BIT(3) /* of a mapping's flags */
#define CONTROL_VENDOR 0x8086
#define CONTROL_SERIAL 0x123456
#define CONTROL_FORMAT 0x0301 /* byte addressable, with an energy source */

struct AcpiNvdimm {
    MemoryRegion io;
    Machine *machine;
    bool has_changed; /* since a guest began to read the FIT */
};

/* --- the FIT --- */

static void put_module(GByteArray *out, Nvdimm *nvdimm)
{
    PcDimm *dimm = &nvdimm->parent;
    uint16_t n = dimm->slot + 1;
    uint64_t bytes = pc_dimm_bytes(dimm);

    nfit_put_range(out, &(NfitRange){
        .index = n, .flags = NFIT_RANGE_HOTPLUG | NFIT_RANGE_NODE_VALID, .node = dimm->node,
        .type = NFIT_PERSISTENT_MEMORY, .base = dimm->addr, .bytes = bytes,
        .attributes = NFIT_ATTRIBUTE_WB | NFIT_ATTRIBUTE_NV });
    nfit_put_mapping(out, &(NfitMapping){
        .handle = n, .physical_id = n, .region_id = n, .range_index = n, .control_index = n,
        .bytes = bytes, .flags = nvdimm->is_unarmed ? MAP_NOT_ARMED : 0 });
    nfit_put_control(out, &(NfitControl){
        .index = n, .vendor = CONTROL_VENDOR, .device = 1, .revision = 1,
        .serial = CONTROL_SERIAL + dimm->slot, .format = CONTROL_FORMAT });
}

GByteArray *acpi_nvdimm_fit(const Machine *machine)
{
    const DeviceMemory *memory = machine->device_memory;
    GByteArray *out = g_byte_array_new();

    for (guint i = 0; memory && i < memory->devices->len; i++) {
        if (object_is_a(memory->devices->pdata[i], TYPE_NVDIMM)) {
            put_module(out, memory->devices->pdata[i]);
        }
    }
    return out;
}

void acpi_nvdimm_changed(AcpiNvdimm *nvdimm)
{
    nvdimm->has_changed = true;
}

/* --- requests; the page holds the request until an answer is put --- */

static void answer_status(uint8_t *page, uint32_t status)
{
    store_le32(page + STATUS_AT, status);
    store_le32(page + LENGTH_AT, DATA_AT);
}

static void answer_functions(uint8_t *page, uint32_t mask)
{
    answer_status(page, mask);
}

/* What is left of it from an offset on, as much as a page takes; none is its end. */
static void serve_fit(AcpiNvdimm *nvdimm, uint8_t *page, uint32_t function)
{
    g_autoptr(GByteArray) fit = acpi_nvdimm_fit(nvdimm->machine);
    uint32_t offset = load_le32(page + ARGUMENTS_AT), bytes;

    if (function != ACPI_NVDIMM_FIT_READ) {
        answer_status(page, NOT_SUPPORTED);
    } else if (offset > fit->len) {
        answer_status(page, BAD_PARAMETERS);
    } else if (offset && nvdimm->has_changed) {
        answer_status(page, ACPI_NVDIMM_FIT_CHANGED);
    } else {
        nvdimm->has_changed = offset ? nvdimm->has_changed : false;
        bytes = MIN(fit->len - offset, PAGE - DATA_AT);
        answer_status(page, SUCCESS);
        memcpy(page + DATA_AT, fit->data + offset, bytes);
        store_le32(page + LENGTH_AT, DATA_AT + bytes);
    }
}

static void serve_label_size(Nvdimm *nvdimm, uint8_t *page)
{
    answer_status(page, SUCCESS);
    store_le32(page + DATA_AT, nvdimm->label_bytes);
    store_le32(page + DATA_AT + 4, MOST_LABEL_BYTES);
    store_le32(page + LENGTH_AT, DATA_AT + 8);
}

static void serve_label_access(Nvdimm *nvdimm, uint8_t *page, bool is_write)
{
    uint32_t offset = load_le32(page + ARGUMENTS_AT), bytes = load_le32(page + ARGUMENTS_AT + 4);

    if (bytes > MOST_LABEL_BYTES || offset > nvdimm->label_bytes ||
        bytes > nvdimm->label_bytes - offset) {
        guest_error("nvdimm: labels [0x%x, +0x%x)", offset, bytes);
        answer_status(page, BAD_PARAMETERS);
    } else if (is_write) {
        nvdimm_write_label(nvdimm, page + ARGUMENTS_AT + LABEL_DATA_AT, offset, bytes);
        answer_status(page, SUCCESS);
    } else {
        answer_status(page, SUCCESS);
        nvdimm_read_label(nvdimm, page + DATA_AT, offset, bytes);
        store_le32(page + LENGTH_AT, DATA_AT + bytes);
    }
}

static void serve_module(AcpiNvdimm *acpi, uint8_t *page, uint32_t handle, uint32_t function)
{
    PcDimm *dimm = pc_dimm_in_slot(acpi->machine, (int)(handle - 1));
    Nvdimm *nvdimm = dimm && object_is_a(dimm, TYPE_NVDIMM) ? NVDIMM(dimm) : NULL;
    bool has_labels = nvdimm && nvdimm->label_bytes;

    if (function == FUNCTIONS) {
        answer_functions(page, has_labels ? SUPPORTED : 0);
    } else if (!nvdimm) {
        answer_status(page, NO_SUCH_DEVICE);
    } else if (!has_labels || function > LABEL_WRITE || !(SUPPORTED & BIT(function))) {
        answer_status(page, NOT_SUPPORTED);
    } else if (function == LABEL_SIZE) {
        serve_label_size(nvdimm, page);
    } else {
        serve_label_access(nvdimm, page, function == LABEL_WRITE);
    }
}

void acpi_nvdimm_serve(AcpiNvdimm *nvdimm, uint8_t page[PAGE])
{
    uint32_t handle = load_le32(page + HANDLE_AT), function = load_le32(page + FUNCTION_AT);

    trace_acpi_nvdimm(handle, function);
    if (handle == ACPI_NVDIMM_FIT_HANDLE) {
        serve_fit(nvdimm, page, function);
    } else if (load_le32(page + REVISION_AT) != REVISION || !handle) {
        /* The root device has no functions of its own. */
        answer_status(page, function == FUNCTIONS ? 0 : NOT_SUPPORTED);
    } else {
        serve_module(nvdimm, page, handle, function);
    }
}

/* --- the port --- */

static uint64_t port_read(void *opaque, uint64_t at, unsigned bytes)
{
    return 0;
}

static void port_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    uint8_t page[PAGE];
    AddressSpace *as = address_space_system();

    if (dma_read(as, value, MEM_TX_NONE, page, PAGE) != MEM_TX_OK) {
        guest_error("nvdimm: no page at 0x%" PRIx64, value);
        return;
    }
    acpi_nvdimm_serve(opaque, page);
    dma_write(as, value, MEM_TX_NONE, page, PAGE);
}

static const MemoryOps port_ops = {
    .read = port_read, .write = port_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 4 }, .impl = { 4, 4 },
};

AcpiNvdimm *acpi_nvdimm_new(Machine *machine)
{
    AcpiNvdimm *nvdimm = g_new0(AcpiNvdimm, 1);

    nvdimm->machine = machine;
    memory_region_init_io(&nvdimm->io, &machine->parent, &port_ops, "nvdimm-acpi-io",
                          ACPI_NVDIMM_PORT_BYTES);
    memory_region_set_opaque(&nvdimm->io, nvdimm);
    memory_region_add(memory_region_io(), ACPI_NVDIMM_PORT, &nvdimm->io);
    return nvdimm;
}

void acpi_nvdimm_free(AcpiNvdimm *nvdimm)
{
    memory_region_remove(memory_region_io(), &nvdimm->io);
    memory_region_clear(&nvdimm->io);
    g_free(nvdimm);
}
