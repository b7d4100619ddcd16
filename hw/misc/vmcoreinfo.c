/*
 * vmcoreinfo: a guest kernel says here where its VMCOREINFO note is, for who dumps its memory.
 * The file etc/vmcoreinfo of fw_cfg: what the host understands (16 bits), what the guest wrote
 * (16), bytes of the note (32), its address (64), little-endian.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/nvram/fw_cfg.h"
#include "util/byte_order.h"

#define FILE_NAME   "etc/vmcoreinfo"
#define FILE_BYTES  16
#define FORMAT_ELF  1
enum { HOST_FORMAT = 0, GUEST_FORMAT = 2 };

typedef struct VmCoreInfo {
    Device parent;
    uint8_t file[FILE_BYTES];
    bool is_written;
} VmCoreInfo;
DECLARE_CAST(VmCoreInfo, VMCOREINFO)

/* All of it, in one piece, with a format. */
static void written(void *opaque, size_t offset, size_t bytes)
{
    VmCoreInfo *v = opaque;

    v->is_written = offset == 0 && bytes == FILE_BYTES && load_le16(v->file + GUEST_FORMAT);
}

static void was_reset(void *opaque)
{
    VmCoreInfo *v = opaque;

    memset(v->file, 0, sizeof(v->file));
    store_le16(v->file + HOST_FORMAT, FORMAT_ELF);
    v->is_written = false;
}

static bool vmcoreinfo_realize(Device *dev, Error **errp)
{
    VmCoreInfo *v = VMCOREINFO(dev);
    Device *fw_cfg = fw_cfg_find();
    FwCfgBlob blob = { .data = v->file, .size = sizeof(v->file), .is_borrowed = true,
                       .is_writable = true, .written = written, .opaque = v };

    if (!fw_cfg || !fw_cfg_has_dma(fw_cfg)) {
        return error_set(errp, "vmcoreinfo device requires fw_cfg with DMA");
    }
    if (fw_cfg_file(fw_cfg, FILE_NAME)) {
        return error_set(errp, "at most one vmcoreinfo device is permitted");
    }
    was_reset(v);
    if (!fw_cfg_add_file(fw_cfg, FILE_NAME, &blob, errp)) {
        return false;
    }
    reset_register(was_reset, v);
    return true;
}

static void vmcoreinfo_unrealize(Device *dev)
{
    reset_unregister(was_reset, dev);
}

static const VMField vmcoreinfo_fields[] = {
    VM_BUFFER(VmCoreInfo, file), VM_BOOL(VmCoreInfo, is_written),
};

static const DeviceType vmcoreinfo_type = {
    .name = "vmcoreinfo",
    .doc = "Where a guest's VMCOREINFO note is",
    .parent = TYPE_DEVICE,
    .size = sizeof(VmCoreInfo),
    .access = DEVICE_ACCESS_USER,
    .category = DEVICE_CATEGORY_MISC,
    .is_not_hotpluggable = true,
    .realize = vmcoreinfo_realize,
    .unrealize = vmcoreinfo_unrealize,
    .vmstate = VMSTATE(vmcoreinfo_fields, .version = 1),
};
DEVICE_TYPE(vmcoreinfo_type)
