/*
 * vmgenid: tells a guest that it is a copy. A 128-bit id in a page that firmware places; when it
 * changes (a machine is loaded from a saved state with another one), the page is rewritten and a
 * GPE tells of it. "Virtual Machine Generation ID", Microsoft, 2012; QEMU's placement by fw_cfg:
 * the page starts with 40 bytes that firmware may claim, the id follows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/hotplug.h"
#include "hw/acpi/table_source.h"
#include "hw/core/reset.h"
#include "hw/nvram/fw_cfg.h"
#include "qapi/qapi-commands-machine.h"
#include "system/dma.h"
#include "util/byte_order.h"

#define GUID_FILE    "etc/vmgenid_guid"
#define ADDRESS_FILE "etc/vmgenid_addr"
#define PAGE_BYTES   4096
#define GUID_AT      40
#define GUID_BYTES   16
/* In the SSDT: the header, NameOp, the name, DWordPrefix. */
#define ADDRESS_AT   (ACPI_HEADER_BYTES + 1 + 4 + 1)

typedef struct VmGenId {
    Device parent;
    uint8_t guid[GUID_BYTES];  /* as text has it, most significant byte first */
    uint8_t address[8];        /* of the page, little-endian: firmware writes it */
    uint8_t *page;             /* the file's */
} VmGenId;
DECLARE_CAST(VmGenId, VMGENID)

/* --- the id in the guest --- */

/* Its first three fields are little-endian there. */
static void to_guest_order(const uint8_t *guid, uint8_t *out)
{
    store_le32(out, load_be32(guid));
    store_le16(out + 4, load_be16(guid + 4));
    store_le16(out + 6, load_be16(guid + 6));
    memcpy(out + 8, guid + 8, 8);
}

static void update_guest(VmGenId *v)
{
    uint64_t address = load_le64(v->address);
    AcpiHotplug *hp = acpi_hotplug_of_machine();

    to_guest_order(v->guid, v->page + GUID_AT);
    if (!address) {
        return;
    }
    dma_write(address_space_system(), address + GUID_AT, MEM_TX_NONE, v->page + GUID_AT,
              GUID_BYTES);
    if (hp) {
        acpi_hotplug_raise(hp, ACPI_EVENT_VMGENID);
    }
}

static void was_reset(void *opaque)
{
    VmGenId *v = opaque;

    memset(v->address, 0, sizeof(v->address));
    update_guest(v);
}

/* --- tables --- */

static Aml *device_terms(void)
{
    return aml_list(
        aml_scope("\\_SB",
            aml_device("VGEN", aml_name("_HID", aml_string("QEMUVGID")),
                       aml_name("_CID", aml_string("VM_Gen_Counter")),
                       aml_name("_DDN", aml_string("VM_Gen_Counter")),
                       aml_method("_STA", 0, AML_NOT_SERIALIZED,
                                  aml_if(aml_lequal(aml_ref("VGIA"), aml_int(0)),
                                         aml_return(aml_int(0))),
                                  aml_return(aml_int(0xf))),
                       aml_method("ADDR", 0, AML_NOT_SERIALIZED,
                                  aml_store(aml_package(aml_int(0), aml_int(0)), aml_local(0)),
                                  aml_store(aml_add(aml_ref("VGIA"), aml_int(GUID_AT), NULL),
                                            aml_index(aml_local(0), aml_int(0))),
                                  aml_return(aml_local(0))))),
        aml_method("\\_GPE._E05", 0, AML_NOT_SERIALIZED,
                   aml_notify(aml_ref("\\_SB.VGEN"), aml_int(0x80))));
}

static void put_terms(GByteArray *out, Aml *terms)
{
    g_autoptr(GByteArray) bytes = aml_steal_bytes(terms);

    g_byte_array_append(out, bytes->data, bytes->len);
}

static void vmgenid_add_tables(Device *dev, AcpiTables *t)
{
    AcpiLinker *linker = acpi_tables_linker(t);
    GByteArray *page = acpi_linker_blob(linker, GUID_FILE, PAGE_BYTES, ACPI_ZONE_HIGH);
    GByteArray *table = acpi_table_begin(t, "SSDT", 1);

    g_byte_array_append(page, VMGENID(dev)->page, PAGE_BYTES);
    /* Four bytes of address, whatever their value is now. */
    put_terms(table, aml_name("VGIA", aml_int(UINT32_MAX)));
    acpi_table_set(t, ADDRESS_AT, 0, 4);
    acpi_table_point(t, ADDRESS_AT, 4, GUID_FILE, 0);
    put_terms(table, device_terms());
    acpi_table_end(t);
    acpi_linker_write_pointer(linker, &(AcpiPointer){ ADDRESS_FILE, 0, 8, GUID_FILE, 0 });
}

static const AcpiTableSource vmgenid_tables = { vmgenid_add_tables };

/* --- life --- */

static void find(void *opaque, Object *obj)
{
    Device **found = opaque;

    if (object_is_a(obj, "vmgenid") && DEVICE(obj)->is_realized) {
        *found = DEVICE(obj);
    }
}

static Device *find_vmgenid(void)
{
    Device *found = NULL;

    object_each_child(object_container("/machine/unattached"), find, &found);
    object_each_child(object_container("/machine/peripheral"), find, &found);
    object_each_child(object_container("/machine/peripheral-anon"), find, &found);
    return found;
}

static bool add_files(VmGenId *v, Device *fw_cfg, Error **errp)
{
    FwCfgBlob page = { .data = v->page, .size = PAGE_BYTES, .is_borrowed = true };
    FwCfgBlob address = { .data = v->address, .size = sizeof(v->address), .is_borrowed = true,
                          .is_writable = true };

    return fw_cfg_add_file(fw_cfg, GUID_FILE, &page, errp) &&
           fw_cfg_add_file(fw_cfg, ADDRESS_FILE, &address, errp);
}

static bool vmgenid_realize(Device *dev, Error **errp)
{
    static const uint8_t none[GUID_BYTES];
    VmGenId *v = VMGENID(dev);
    Device *fw_cfg = fw_cfg_find();

    if (find_vmgenid()) {
        return error_set(errp, "at most one vmgenid device is permitted");
    }
    if (!fw_cfg || !fw_cfg_has_dma(fw_cfg)) {
        return error_set(errp, "vmgenid requires DMA write support in fw_cfg, which this machine "
                         "type does not provide");
    }
    if (!memcmp(v->guid, none, GUID_BYTES)) {
        object_set_text(v, "guid", "auto", NULL);
    }
    to_guest_order(v->guid, v->page + GUID_AT);
    if (!add_files(v, fw_cfg, errp)) {
        return false;
    }
    reset_register(was_reset, v);
    return true;
}

static void vmgenid_unrealize(Device *dev)
{
    reset_unregister(was_reset, dev);
}

static void vmgenid_init(Object *obj)
{
    VMGENID(obj)->page = g_malloc0(PAGE_BYTES);
}

static void vmgenid_finalize(Object *obj)
{
    g_free(VMGENID(obj)->page);
}

/* A copy: its id is this machine's, not the saved one's. */
static bool post_load(void *opaque, int version, Error **errp)
{
    update_guest(opaque);
    return true;
}

GuidInfo *qmp_query_vm_generation_id(Error **errp)
{
    Device *dev = find_vmgenid();
    GuidInfo *info;

    if (!dev) {
        error_set(errp, "VM Generation ID device not found");
        return NULL;
    }
    info = g_new0(GuidInfo, 1);
    info->guid = object_get_text(dev, "guid");
    return info;
}

static const VMField vmgenid_fields[] = { VM_BUFFER(VmGenId, address) };
static const Property vmgenid_props[] = {
    PROP_UUID("guid", VmGenId, guid, .doc = "The id, or \"auto\" for a random one"),
};

static const DeviceType vmgenid_type = {
    .name = "vmgenid",
    .doc = "Tells a guest that it was copied",
    .parent = TYPE_DEVICE,
    .interfaces = (const InterfaceImpl[]){ { TYPE_ACPI_TABLE_SOURCE, &vmgenid_tables }, { 0 } },
    .size = sizeof(VmGenId),
    .access = DEVICE_ACCESS_USER,
    .category = DEVICE_CATEGORY_MISC,
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(vmgenid_props),
    .init = vmgenid_init,
    .finalize = vmgenid_finalize,
    .realize = vmgenid_realize,
    .unrealize = vmgenid_unrealize,
    .vmstate = VMSTATE(vmgenid_fields, .version = 1, .post_load = post_load),
};
DEVICE_TYPE(vmgenid_type)
