/*
 * acpi-erst: a store for error records that outlives the guest (ACPI 6.4, 18.5). A PCI function:
 * BAR 0 has the registers ACTION (0) and VALUE (8), BAR 1 is the buffer for a record. The store
 * is a memory back end: a header with a map of record ids, then slots of `record_size` bytes.
 *
 * Operations take no time: they are done when CHECK_BUSY_STATUS is first asked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/platform_tables.h"
#include "hw/acpi/table_source.h"
#include "hw/pci/pci_bus.h"
#include "system/memory_backend.h"
#include "system/memory_log.h"
#include "trace.h"
#include "util/byte_order.h"
#include "util/log.h"

enum { ACTION = 0, VALUE = 8, REGISTER_BYTES = 16 };

enum { BEGIN_WRITE, BEGIN_READ, BEGIN_CLEAR, END_OPERATION, SET_RECORD_OFFSET, EXECUTE,
       CHECK_BUSY, GET_STATUS, GET_RECORD_ID, SET_RECORD_ID, GET_RECORD_COUNT, BEGIN_DUMMY_WRITE,
       GET_ADDRESS = 0xd, GET_LENGTH, GET_ATTRIBUTES, GET_TIMINGS, ACTIONS };

enum { STATUS_SUCCESS, STATUS_NO_SPACE, STATUS_NO_HARDWARE, STATUS_FAILED, STATUS_EMPTY,
       STATUS_NOT_FOUND };

#define EXECUTE_MAGIC   0x9c   /* VALUE when EXECUTE is meant */
#define TIMINGS         (UINT64_C(100) << 32 | 10) /* us: the longest, and as a rule */
#define MIN_RECORD_BYTES 4096
#define NO_ID           UINT64_MAX

/* The store's header; the map of ids (64 bits each, 0 or all ones: free) follows. */
#define STORE_MAGIC   UINT64_C(0x524f545354535245) /* "ERSTSTOR" */
#define STORE_VERSION 0x0100
enum { STORE_MAGIC_AT = 0, STORE_RECORD_BYTES_AT = 8, STORE_OFFSET_AT = 12, STORE_VERSION_AT = 16,
       STORE_COUNT_AT = 20, STORE_MAP_AT = 24 };

/* A record's own header (UEFI 2.8, appendix N.2.1). */
enum { CPER_LENGTH_AT = 20, CPER_ID_AT = 96, CPER_HEADER_BYTES = 128 };

typedef struct Erst {
    PciDevice parent;
    Object *memdev;          /* property */
    uint32_t record_bytes;   /* likewise */
    MemoryRegion registers, exchange;
    uint8_t *store;          /* of the back end */
    uint64_t store_bytes;
    uint32_t first_slot, slot_count; /* slots before the first hold header and map */
    bool is_claimed;
    /* state */
    uint8_t operation;       /* BEGIN_*; END_OPERATION: none */
    uint8_t status;
    uint64_t value, record_id;
    uint32_t record_offset;
    uint32_t next_slot;      /* from which GET_RECORD_ID goes on */
} Erst;
DECLARE_CAST(Erst, ERST)

/* --- the store --- */

static uint8_t *map_entry(const Erst *e, uint32_t slot)
{
    return e->store + STORE_MAP_AT + 8 * (uint64_t)slot;
}

static uint64_t id_in(const Erst *e, uint32_t slot)
{
    uint64_t id = load_le64(map_entry(e, slot));

    return id ? id : NO_ID;
}

static uint8_t *record_in(const Erst *e, uint32_t slot)
{
    return e->store + (uint64_t)slot * e->record_bytes;
}

static uint32_t record_count(const Erst *e)
{
    return load_le32(e->store + STORE_COUNT_AT);
}

static void mark_written(Erst *e, const uint8_t *from, uint64_t bytes)
{
    ram_block_mark_written(memory_backend_region(MEMORY_BACKEND(e->memdev))->ram, from - e->store,
                           bytes);
}

/* 0: there is none. */
static uint32_t find_slot(const Erst *e, uint64_t id)
{
    for (uint32_t slot = e->first_slot; slot < e->slot_count; slot++) {
        if (id_in(e, slot) == id) {
            return slot;
        }
    }
    return 0;
}

static void set_id(Erst *e, uint32_t slot, uint64_t id)
{
    int change = (id != NO_ID) - (id_in(e, slot) != NO_ID);

    store_le64(map_entry(e, slot), id);
    store_le32(e->store + STORE_COUNT_AT, record_count(e) + change);
    mark_written(e, e->store, STORE_MAP_AT);
    mark_written(e, map_entry(e, slot), 8);
}

static void format_store(Erst *e)
{
    memset(e->store, 0, (uint64_t)e->first_slot * e->record_bytes);
    store_le64(e->store + STORE_MAGIC_AT, STORE_MAGIC);
    store_le32(e->store + STORE_RECORD_BYTES_AT, e->record_bytes);
    store_le32(e->store + STORE_OFFSET_AT, e->first_slot * e->record_bytes);
    store_le16(e->store + STORE_VERSION_AT, STORE_VERSION);
    memset(map_entry(e, e->first_slot), 0xff, 8 * (uint64_t)(e->slot_count - e->first_slot));
    mark_written(e, e->store, (uint64_t)e->first_slot * e->record_bytes);
}

/* The count is what the map says, whatever a file claims. */
static void count_records(Erst *e)
{
    uint32_t count = 0;

    for (uint32_t slot = e->first_slot; slot < e->slot_count; slot++) {
        count += id_in(e, slot) != NO_ID;
    }
    store_le32(e->store + STORE_COUNT_AT, count);
}

static bool check_store(Erst *e, Error **errp)
{
    if (load_le64(e->store + STORE_MAGIC_AT) != STORE_MAGIC) {
        if (load_le64(e->store + STORE_MAGIC_AT)) {
            return error_set(errp, "ERST backend storage has wrong magic");
        }
        format_store(e);
        return true;
    }
    if (load_le32(e->store + STORE_RECORD_BYTES_AT) != e->record_bytes ||
        load_le32(e->store + STORE_OFFSET_AT) != e->first_slot * e->record_bytes ||
        load_le16(e->store + STORE_VERSION_AT) != STORE_VERSION) {
        return error_set(errp, "ERST backend storage header is invalid");
    }
    count_records(e);
    return true;
}

/* --- operations --- */

static uint8_t *exchange(Erst *e)
{
    return memory_region_host(&e->exchange);
}

/* The record of the buffer, or NULL: it does not fit. */
static const uint8_t *buffered_record(Erst *e, uint32_t *bytes)
{
    if (e->record_offset > e->record_bytes - CPER_HEADER_BYTES) {
        return NULL;
    }
    /* The guest may change it: the length is read once. */
    *bytes = load_le32(exchange(e) + e->record_offset + CPER_LENGTH_AT);
    return *bytes >= CPER_HEADER_BYTES && *bytes <= e->record_bytes - e->record_offset ?
               exchange(e) + e->record_offset : NULL;
}

static uint8_t write_record(Erst *e)
{
    uint32_t bytes, slot;
    const uint8_t *record = buffered_record(e, &bytes);
    uint64_t id = record ? load_le64(record + CPER_ID_AT) : NO_ID;

    if (!record || id == 0 || id == NO_ID) {
        return STATUS_FAILED;
    }
    slot = find_slot(e, id);
    if (!slot) {
        slot = find_slot(e, NO_ID);
    }
    if (!slot) {
        return STATUS_NO_SPACE;
    }
    memcpy(record_in(e, slot), record, bytes);
    memset(record_in(e, slot) + bytes, 0xff, e->record_bytes - bytes);
    mark_written(e, record_in(e, slot), e->record_bytes);
    set_id(e, slot, id);
    return STATUS_SUCCESS;
}

static uint32_t wanted_slot(const Erst *e)
{
    return e->record_id && e->record_id != NO_ID ? find_slot(e, e->record_id) : 0;
}

static uint8_t read_record(Erst *e)
{
    uint32_t slot = wanted_slot(e), bytes;

    if (!slot) {
        return record_count(e) ? STATUS_NOT_FOUND : STATUS_EMPTY;
    }
    bytes = load_le32(record_in(e, slot) + CPER_LENGTH_AT);
    if (bytes < CPER_HEADER_BYTES || e->record_offset > e->record_bytes ||
        bytes > e->record_bytes - e->record_offset) {
        return STATUS_FAILED;
    }
    memcpy(exchange(e) + e->record_offset, record_in(e, slot), bytes);
    ram_block_mark_written(e->exchange.ram, e->record_offset, bytes);
    return STATUS_SUCCESS;
}

static uint8_t clear_record(Erst *e)
{
    uint32_t slot = wanted_slot(e);

    if (!slot) {
        return record_count(e) ? STATUS_NOT_FOUND : STATUS_EMPTY;
    }
    memset(record_in(e, slot), 0xff, e->record_bytes);
    mark_written(e, record_in(e, slot), e->record_bytes);
    set_id(e, slot, NO_ID);
    return STATUS_SUCCESS;
}

static uint8_t execute(Erst *e)
{
    switch (e->operation) {
    case BEGIN_WRITE:
        return write_record(e);
    case BEGIN_READ:
        return read_record(e);
    case BEGIN_CLEAR:
        return clear_record(e);
    case BEGIN_DUMMY_WRITE:
        return STATUS_SUCCESS;
    default:
        return STATUS_FAILED;
    }
}

/* The next from where the last question ended; the end is said once, as no id. */
static uint64_t next_record_id(Erst *e)
{
    for (; e->next_slot < e->slot_count; e->next_slot++) {
        if (id_in(e, e->next_slot) != NO_ID) {
            return id_in(e, e->next_slot++);
        }
    }
    e->next_slot = e->first_slot;
    return NO_ID;
}

static uint8_t id_status(const Erst *e)
{
    return record_count(e) ? STATUS_SUCCESS : STATUS_EMPTY;
}

/* --- registers --- */

static void act(Erst *e, unsigned action)
{
    trace_acpi_erst_action(action, e->value);
    switch (action) {
    case BEGIN_WRITE:
    case BEGIN_READ:
    case BEGIN_CLEAR:
    case BEGIN_DUMMY_WRITE:
    case END_OPERATION:
        e->operation = action;
        break;
    case SET_RECORD_OFFSET:
        e->record_offset = e->value;
        break;
    case EXECUTE:
        if (e->value == EXECUTE_MAGIC) {
            e->status = execute(e);
        }
        break;
    case CHECK_BUSY:
        e->value = 0;
        break;
    case GET_STATUS:
        e->value = e->status << 1;
        break;
    case GET_RECORD_ID:
        e->value = next_record_id(e);
        e->status = id_status(e);
        break;
    case SET_RECORD_ID:
        e->record_id = e->value;
        break;
    case GET_RECORD_COUNT:
        e->value = record_count(e);
        break;
    case GET_ADDRESS:
        e->value = e->parent.bars[1].addr == PCI_UNMAPPED ? 0 : e->parent.bars[1].addr;
        break;
    case GET_LENGTH:
        e->value = e->record_bytes;
        break;
    case GET_ATTRIBUTES:
        e->value = 0; /* neither NVRAM nor slow */
        break;
    case GET_TIMINGS:
        e->value = TIMINGS;
        break;
    default:
        guest_error("erst: action %u", action);
        break;
    }
}

static uint64_t registers_read(void *opaque, uint64_t at, unsigned bytes)
{
    Erst *e = opaque;

    return at < VALUE ? 0 : e->value >> (at - VALUE) * 8;
}

static void registers_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Erst *e = opaque;

    if (at == ACTION) {
        act(e, value);
    } else if (bytes == 8 && at == VALUE) {
        e->value = value;
    } else if (at == VALUE) {
        e->value = (e->value & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
    } else if (at == VALUE + 4) {
        e->value = (e->value & UINT32_MAX) | value << 32;
    }
}

static const MemoryOps register_ops = {
    .read = registers_read, .write = registers_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 8 }, .impl = { 4, 8 },
};

/* --- the table --- */

typedef struct ErstStep {
    uint8_t action, instruction;
    uint8_t at;      /* register */
    uint8_t bits;
    uint64_t value;
} ErstStep;
enum { READ_REGISTER, READ_REGISTER_VALUE, WRITE_REGISTER, WRITE_REGISTER_VALUE };

#define STEP_ACT(action)  { action, WRITE_REGISTER_VALUE, ACTION, 32, action }
#define STEP_GIVE(action, bits) { action, WRITE_REGISTER, VALUE, bits, 0 }
#define STEP_GET(action, bits)  { action, READ_REGISTER, VALUE, bits, 0 }
static const ErstStep steps[] = {
    STEP_ACT(BEGIN_WRITE), STEP_ACT(BEGIN_READ), STEP_ACT(BEGIN_CLEAR), STEP_ACT(END_OPERATION),
    STEP_GIVE(SET_RECORD_OFFSET, 32), STEP_ACT(SET_RECORD_OFFSET),
    { EXECUTE, WRITE_REGISTER_VALUE, VALUE, 32, EXECUTE_MAGIC }, STEP_ACT(EXECUTE),
    STEP_ACT(CHECK_BUSY), { CHECK_BUSY, READ_REGISTER_VALUE, VALUE, 32, 1 },
    STEP_ACT(GET_STATUS), STEP_GET(GET_STATUS, 32),
    STEP_ACT(GET_RECORD_ID), STEP_GET(GET_RECORD_ID, 64),
    STEP_GIVE(SET_RECORD_ID, 64), STEP_ACT(SET_RECORD_ID),
    STEP_ACT(GET_RECORD_COUNT), STEP_GET(GET_RECORD_COUNT, 32),
    STEP_ACT(BEGIN_DUMMY_WRITE),
    STEP_ACT(GET_ADDRESS), STEP_GET(GET_ADDRESS, 64),
    STEP_ACT(GET_LENGTH), STEP_GET(GET_LENGTH, 64),
    STEP_ACT(GET_ATTRIBUTES), STEP_GET(GET_ATTRIBUTES, 32),
    STEP_ACT(GET_TIMINGS), STEP_GET(GET_TIMINGS, 64),
};

static AcpiErstEntry entry_of(const ErstStep *step, uint64_t base)
{
    AcpiErstEntry entry = {
        .action = step->action, .instruction = step->instruction, .value = step->value,
        .mask = step->bits == 64 ? UINT64_MAX : UINT32_MAX,
        .address = { AML_SYSTEM_MEMORY, step->bits, 0,
                     step->bits == 64 ? AML_QWORD_ACC : AML_DWORD_ACC, base + step->at },
    };

    return entry;
}

/* Firmware has mapped it; if not, there is no table. */
static void erst_add_tables(Device *dev, AcpiTables *t)
{
    uint64_t base = PCI_DEVICE(dev)->bars[0].addr;
    AcpiErstEntry entries[ARRAY_SIZE(steps)];

    if (base == PCI_UNMAPPED) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        entries[i] = entry_of(&steps[i], base);
    }
    acpi_tables_add_erst(t, entries, ARRAY_SIZE(entries));
}

static const AcpiTableSource erst_tables = { erst_add_tables };

/* --- life --- */

static bool check_sizes(Erst *e, Error **errp)
{
    MemoryRegion *region = memory_backend_region(MEMORY_BACKEND(e->memdev));

    if (e->record_bytes < MIN_RECORD_BYTES || (e->record_bytes & (e->record_bytes - 1))) {
        return error_set(errp, "ERST record_size %u is invalid", e->record_bytes);
    }
    if (region->size % e->record_bytes || region->size / e->record_bytes < 2) {
        return error_set(errp, "ACPI ERST requires storage size be multiple of record size "
                         "(%uKiB)", e->record_bytes / 1024);
    }
    e->store_bytes = region->size;
    e->store = memory_region_host(region);
    e->slot_count = region->size / e->record_bytes;
    e->first_slot = (STORE_MAP_AT + 8 * (uint64_t)e->slot_count + e->record_bytes - 1) /
                    e->record_bytes;
    return e->first_slot < e->slot_count ||
           error_set(errp, "ACPI ERST requires storage for one record at least");
}

static bool erst_realize(Device *dev, Error **errp)
{
    Erst *e = ERST(dev);

    if (!e->memdev) {
        return error_set(errp, "'memdev' property is not set");
    }
    if (!check_sizes(e, errp) || !memory_backend_claim(MEMORY_BACKEND(e->memdev), errp)) {
        return false;
    }
    if (!check_store(e, errp) ||
        (!e->exchange.ram && !memory_region_init_ram(&e->exchange, &dev->parent,
                                                     "erst.exchange", e->record_bytes, errp))) {
        memory_backend_release(MEMORY_BACKEND(e->memdev));
        return false;
    }
    e->next_slot = e->first_slot;
    pci_add_bar(&e->parent, 0, 0, &e->registers);
    pci_add_bar(&e->parent, 1, 0, &e->exchange);
    return true;
}

static void erst_unrealize(Device *dev)
{
    memory_backend_release(MEMORY_BACKEND(ERST(dev)->memdev));
}

static void erst_init(Object *obj)
{
    memory_region_init_io(&ERST(obj)->registers, obj, &register_ops, "acpi-erst.registers",
                          REGISTER_BYTES);
}

static void erst_finalize(Object *obj)
{
    memory_region_clear(&ERST(obj)->registers);
    if (ERST(obj)->exchange.ram) {
        memory_region_clear(&ERST(obj)->exchange);
    }
}

static void erst_reset_enter(Device *dev)
{
    Erst *e = ERST(dev);

    e->operation = END_OPERATION;
    e->status = STATUS_SUCCESS;
    e->value = e->record_id = 0;
    e->record_offset = 0;
    e->next_slot = e->first_slot;
}

static bool post_load(void *opaque, int version, Error **errp)
{
    Erst *e = opaque;

    return (e->next_slot >= e->first_slot && e->next_slot <= e->slot_count) ||
           error_set(errp, "acpi-erst: slot %u of %u", e->next_slot, e->slot_count);
}

static const VMField erst_fields[] = {
    VM_U8(Erst, operation), VM_U8(Erst, status), VM_U64(Erst, value), VM_U64(Erst, record_id),
    VM_U32(Erst, record_offset), VM_U32(Erst, next_slot),
};
static const Property erst_props[] = {
    PROP_LINK("memdev", Erst, memdev, TYPE_MEMORY_BACKEND, .doc = "The store, by id"),
    PROP_U32("record_size", Erst, record_bytes, .initial = 8192,
             .doc = "Bytes of the largest record, a power of 2"),
};

static const PciDeviceType erst_type = {
    .name = "acpi-erst",
    .doc = "ACPI Error Record Serialization Table (ERST) device",
    .parent = TYPE_PCI_DEVICE,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL },
                                           { TYPE_ACPI_TABLE_SOURCE, &erst_tables }, { 0 } },
    .size = sizeof(Erst),
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x0012, .class_id = PCI_CLASS_OTHERS,
    .access = DEVICE_ACCESS_USER,
    .category = DEVICE_CATEGORY_MISC,
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(erst_props),
    .init = erst_init,
    .finalize = erst_finalize,
    .realize = erst_realize,
    .unrealize = erst_unrealize,
    .reset_enter = erst_reset_enter,
    .vmstate = VMSTATE(erst_fields, .version = 1, .post_load = post_load),
};
PCI_DEVICE_TYPE(erst_type)
