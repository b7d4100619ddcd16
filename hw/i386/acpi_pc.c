/*
 * ACPI tables of `pc` and `q35` as files of fw_cfg. They tell where firmware put things, so they
 * are made again when a guest selects one of the files for the first time after a reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_build.h"
#include "acpi_tpm.h"
#include "hw/acpi/nvdimm.h"
#include "hw/acpi/piix4_pm.h"
#include "hw/acpi/user_tables.h"
#include "hw/core/reset.h"
#include "hw/nvram/fw_cfg.h"
#include "ich9_lpc.h"
#include "pc_machine.h"
#include "util/byte_order.h"

#define PIIX4_PMBA     0x40
#define PIIX4_SCI_GSI  9
#define PM_BASE        0xffc0u
#define ICH9_PM_BASE   0xff80u
#define PMBASE_AT      0x40
#define PCIEXBAR_AT    0x60
#define PCIEXBAR_EN    BIT(0)
#define HPET_ID        0x8086a201
/* Files have fixed sizes: what they may grow by when firmware has been at work. */
#define TABLES_STEP    (128 * KiB)
#define LOADER_STEP    (4 * KiB)
#define RSDP_BYTES     20
enum { OEM_ID_AT = 10, OEM_TABLE_ID_AT = 16 }; /* in a table's header */

static const char *const files[] = { ACPI_TABLES_FILE, ACPI_RSDP_FILE, ACPI_LOADER_FILE };

struct AcpiPc {
    PcMachine *pc;
    struct {
        uint8_t *data;
        size_t size;
    } blobs[ARRAY_SIZE(files)];
    bool is_current; /* since the last reset */
    AcpiNvdimm *nvdimm; /* NULL: the machine takes none */
    GPtrArray *user_tables; /* of GByteArray */
};
typedef struct AcpiPc AcpiPc;

/* --- the description --- */

static void describe_piix4(AcpiBoard *board, Device *pm)
{
    board->pm_port = load_le32(PCI_DEVICE(pm)->config + PIIX4_PMBA) & PM_BASE;
    board->gpe_port = PIIX4_GPE0_PORT;
    board->gpe_bytes = PIIX4_GPE0_BYTES;
    board->command_port = PIIX4_APM_PORT;
    board->enable_command = PIIX4_ACPI_ENABLE;
    board->disable_command = PIIX4_ACPI_DISABLE;
    board->sci_gsi = PIIX4_SCI_GSI;
}

static void describe_ich9(AcpiBoard *board, Device *lpc)
{
    board->is_express = true;
    board->pm_port = load_le32(PCI_DEVICE(lpc)->config + PMBASE_AT) & ICH9_PM_BASE;
    board->gpe_port = board->pm_port + ICH9_PM_GPE0;
    board->gpe_bytes = ICH9_PM_GPE0_BYTES;
    board->command_port = ICH9_APM_PORT;
    board->enable_command = ICH9_ACPI_ENABLE;
    board->disable_command = ICH9_ACPI_DISABLE;
    board->sci_gsi = ich9_lpc_sci_gsi(ICH9_LPC(lpc));
    board->has_reset_port = true;
    board->tells_firmware_of_new_cpus = ICH9_LPC(lpc)->smi.negotiated & ICH9_SMI_CPU_HOTPLUG;
    board->leaves_ejection_to_firmware = ICH9_LPC(lpc)->smi.negotiated & ICH9_SMI_CPU_HOTUNPLUG;
}

static void describe_power(AcpiBoard *board, const PcMachine *pc)
{
    Device *dev = pc->parent.acpi_device;

    if (object_is_a(dev, TYPE_PIIX4_PM)) {
        describe_piix4(board, dev);
    } else {
        describe_ich9(board, dev);
    }
    board->has_s3 = !object_get_int(dev, "disable_s3");
    board->has_s4 = !object_get_int(dev, "disable_s4");
    board->s4_type = object_get_int(dev, "s4_val");
    if (!x86_is_on(pc->parent.smm)) { /* nobody answers: the guest finds ACPI on */
        board->command_port = board->enable_command = board->disable_command = 0;
    }
    board->hotplug = acpi_hotplug_of_machine();
    board->has_pci_hotplug = board->hotplug && board->hotplug->pci.bus_count;
}

static void describe_ecam(AcpiBoard *board, const PcMachine *pc)
{
    static const uint64_t lengths[] = { 256 * MiB, 128 * MiB, 64 * MiB, 0 };
    const PciDevice *mch = board->root->devices[0];
    uint64_t value = mch && board->is_express ? load_le64(mch->config + PCIEXBAR_AT) : 0;

    if (value & PCIEXBAR_EN) {
        board->ecam_bytes = lengths[value >> 1 & 3];
        board->ecam.base = value & ~(board->ecam_bytes - 1) & ~(uint64_t)(64 * MiB - 1);
        board->ecam.last_bus = board->ecam_bytes ? (board->ecam_bytes / MiB) - 1 : 0;
        board->ecam.last_bus = MIN(board->ecam.last_bus,
                                   x86_bus_numbers(&pc->parent, &pc->host->parent, true) - 1);
    }
}

/* A licence (SLIC) is good on a machine whose tables are of the same maker. */
static void describe_oem(AcpiBoard *board, const X86Machine *x86)
{
    g_strlcpy(board->oem.id, x86->oem_id, sizeof(board->oem.id));
    g_strlcpy(board->oem.table_id, x86->oem_table_id, sizeof(board->oem.table_id));
    for (guint i = 0; i < board->user_tables->len; i++) {
        const GByteArray *table = board->user_tables->pdata[i];

        if (!memcmp(table->data, "SLIC", 4)) {
            memcpy(board->oem.id, table->data + OEM_ID_AT, sizeof(board->oem.id) - 1);
            memcpy(board->oem.table_id, table->data + OEM_TABLE_ID_AT,
                   sizeof(board->oem.table_id) - 1);
        }
    }
}

static void describe(AcpiBoard *board, PcMachine *pc)
{
    X86Machine *x86 = &pc->parent;

    *board = (AcpiBoard){ .machine = &x86->parent, .ioapic_address = X86_IOAPIC_ADDR,
                          .has_pics = x86_is_on(x86->pic), .root = pc->host->parent.bus,
                          .isa_bridge = pc->isa_bridge, .isa = pc->isa,
                          .hole32 = pc_host_hole32(pc->host), .hole64 = pc_host_hole64(pc->host),
                          .below_4g_bytes = x86->below_4g_bytes,
                          .above_4g_base = x86->above_4g_base,
                          .above_4g_bytes = x86->above_4g_bytes, .has_hpet = pc->has_hpet,
                          .has_8042 = pc->has_i8042, .hpet_id = HPET_ID,
                          .has_nvdimm = pc->has_nvdimm, .fw_cfg = x86->fw_cfg,
                          .user_tables = pc->acpi->user_tables };
    describe_oem(board, x86);
    describe_power(board, pc);
    describe_ecam(board, pc);
}

/* --- the files --- */

static AcpiLinker *build(PcMachine *pc)
{
    AcpiLinker *linker = acpi_linker_new();
    AcpiBoard board;

    describe(&board, pc);
    acpi_build(linker, &board);
    return linker;
}

/* Borrowed from the linker, but for the script. */
static GByteArray *content(const AcpiLinker *linker, const char *file)
{
    return strcmp(file, ACPI_LOADER_FILE) ? g_byte_array_ref(acpi_linker_find(linker, file)) :
                                            acpi_linker_script(linker);
}

static void fill(AcpiPc *acpi)
{
    g_autoptr(AcpiLinker) linker = build(acpi->pc);

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        g_autoptr(GByteArray) bytes = content(linker, files[i]);

        if (bytes->len > acpi->blobs[i].size) {
            warn_report("%s has outgrown its %zu bytes: it tells of things as they were", files[i],
                        acpi->blobs[i].size);
            return;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        g_autoptr(GByteArray) bytes = content(linker, files[i]);

        memcpy(acpi->blobs[i].data, bytes->data, bytes->len);
        memset(acpi->blobs[i].data + bytes->len, 0, acpi->blobs[i].size - bytes->len);
    }
}

static void selected(void *opaque)
{
    AcpiPc *acpi = opaque;

    if (!acpi->is_current) {
        acpi->is_current = true;
        fill(acpi);
    }
}

static void was_reset(void *opaque)
{
    ((AcpiPc *)opaque)->is_current = false;
}

static bool add_files(AcpiPc *acpi, Error **errp)
{
    static const size_t steps[ARRAY_SIZE(files)] = { TABLES_STEP, RSDP_BYTES, LOADER_STEP };
    g_autoptr(AcpiLinker) linker = build(acpi->pc);

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        g_autoptr(GByteArray) bytes = content(linker, files[i]);
        FwCfgBlob blob = { .select = selected, .opaque = acpi };

        blob.size = acpi->blobs[i].size = ROUND_UP(bytes->len, steps[i]);
        blob.data = acpi->blobs[i].data = g_malloc0(blob.size);
        if (!fw_cfg_add_file(acpi->pc->parent.fw_cfg, files[i], &blob, errp)) {
            g_free(blob.data);
            return false;
        }
    }
    return true;
}

/* Firmware places the page; what it holds then does not matter. */
static bool add_nvdimm(AcpiPc *acpi, Error **errp)
{
    FwCfgBlob page = { .size = ACPI_NVDIMM_PAGE_BYTES };

    if (!acpi->pc->has_nvdimm || !acpi->pc->parent.parent.memory.slots) {
        return true;
    }
    page.data = g_malloc0(page.size);
    if (!fw_cfg_add_file(acpi->pc->parent.fw_cfg, ACPI_NVDIMM_PAGE_FILE, &page, errp)) {
        g_free(page.data);
        return false;
    }
    acpi->nvdimm = acpi_nvdimm_new(&acpi->pc->parent.parent);
    return true;
}

void acpi_pc_nvdimm_changed(PcMachine *pc)
{
    if (pc->acpi && pc->acpi->nvdimm) {
        acpi_nvdimm_changed(pc->acpi->nvdimm);
    }
}

static bool take_user_tables(AcpiPc *acpi, Error **errp)
{
    const GPtrArray *given = acpi->pc->parent.parent.options.acpi_tables;

    acpi->user_tables = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    for (guint i = 0; i < given->len; i++) {
        GByteArray *table = acpi_user_table_new(given->pdata[i], errp);

        if (!table) {
            return false;
        }
        g_ptr_array_add(acpi->user_tables, table);
    }
    return true;
}

bool acpi_pc_init(PcMachine *pc, Error **errp)
{
    AcpiPc *acpi;

    if (!pc->parent.acpi_device || !pc->parent.fw_cfg) {
        return true;
    }
    acpi = g_new0(AcpiPc, 1);
    acpi->pc = pc;
    pc->acpi = acpi;
    reset_register(was_reset, acpi);
    return take_user_tables(acpi, errp) && add_files(acpi, errp) && add_nvdimm(acpi, errp) &&
           acpi_tpm_add_files(pc->parent.fw_cfg, errp);
}

void acpi_pc_clear(PcMachine *pc)
{
    if (pc->acpi) {
        reset_unregister(was_reset, pc->acpi);
        g_clear_pointer(&pc->acpi->nvdimm, acpi_nvdimm_free);
        g_ptr_array_unref(pc->acpi->user_tables);
        g_clear_pointer(&pc->acpi, g_free);
    }
}
