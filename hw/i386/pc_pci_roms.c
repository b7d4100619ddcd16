/*
 * Option ROMs of PCI functions that have no BAR for them (rombar=0): firmware finds them in fw_cfg,
 * as it did before functions had ROM BARs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/data_files.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci_host.h"
#include "pc_machine.h"

#define CLASS_VGA 0x0300

typedef struct Offer {
    Device *fw_cfg;
    Error **errp;
    bool has_failed;
} Offer;

static bool offer(Device *fw_cfg, const PciDevice *dev, Error **errp)
{
    bool is_vga = load_le16(dev->config + PCI_CLASS_DEVICE) == CLASS_VGA;
    g_autofree char *base = g_path_get_basename(dev->romfile);
    g_autofree char *name = g_strdup_printf("%s/%s", is_vga ? "vgaroms" : "genroms", base);
    GByteArray *bytes;
    FwCfgBlob blob = { 0 };

    if (fw_cfg_file(fw_cfg, name)) {
        return true; /* another function's, the same */
    }
    if (!data_file_read(dev->romfile, "option ROM", &bytes, errp)) {
        return false;
    }
    blob.size = bytes->len;
    blob.data = g_byte_array_free(bytes, FALSE);
    if (!fw_cfg_add_file(fw_cfg, name, &blob, errp)) {
        g_free(blob.data);
        return false;
    }
    return true;
}

static void offer_one(void *opaque, PciDevice *dev)
{
    Offer *o = opaque;

    if (!o->has_failed && !dev->rombar && dev->romfile && *dev->romfile) {
        o->has_failed = !offer(o->fw_cfg, dev, o->errp);
    }
}

bool pc_offer_pci_roms(PcMachine *pc, Error **errp)
{
    Offer all = { pc->parent.fw_cfg, errp };
    g_autoptr(GPtrArray) hosts = pci_hosts();

    for (guint i = 0; i < hosts->len && all.fw_cfg; i++) {
        pci_bus_each(PCI_HOST(hosts->pdata[i])->bus, offer_one, &all);
    }
    return !all.has_failed;
}
