/*
 * The TPM in tables and fw_cfg: a device, the TPM2 table with room for firmware's event log, where
 * the physical presence interface is. TCG ACPI Specification 1.2, PC Client Platform TPM Profile
 * 1.05. Not told of: TPM 1.2's TCPA table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_tpm.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/tpm/tpm.h"
#include "util/byte_order.h"

#define LOG_FILE    "etc/tpm/log"
#define CONFIG_FILE "etc/tpm/config"
enum { CONFIG_ADDRESS = 0, CONFIG_VERSION = 4, CONFIG_PPI_VERSION = 5, CONFIG_BYTES };
enum { CONFIG_TPM_1_2 = 1, CONFIG_TPM_2 = 2, CONFIG_PPI_1_30 = 1 };

static bool is_tpm2(Device *tpm)
{
    return tpm && tpm_version(tpm) == TPM_VERSION_2_0;
}

static bool is_crb(Device *tpm)
{
    return object_is_a(tpm, TYPE_TPM_CRB);
}

Aml *acpi_tpm_terms(void)
{
    Device *tpm = tpm_find();
    uint32_t bytes;

    if (!tpm) {
        return NULL;
    }
    bytes = is_crb(tpm) ? TPM_CRB_BYTES : TPM_TIS_BYTES;
    return aml_device("\\_SB.TPM",
                      is_tpm2(tpm) ? aml_name("_HID", aml_string("MSFT0101")) :
                                     aml_name("_HID", aml_eisaid("PNP0C31")),
                      aml_name("_UID", aml_int(1)), aml_name("_STA", aml_int(0xf)),
                      aml_name("_CRS", aml_resource_template(aml_memory32_fixed(
                                           AML_READ_WRITE, TPM_ADDRESS, bytes))),
                      tpm_has_ppi(tpm) ? acpi_tpm_ppi_terms() : NULL);
}

void acpi_add_tpm_tables(AcpiTables *t)
{
    Device *tpm = tpm_find();
    AcpiTpm2 table = { .platform_class = TPM2_CLASS_CLIENT, .log_file = LOG_FILE,
                       .log_bytes = TPM_LOG_BYTES };
    GByteArray *log;

    if (!is_tpm2(tpm)) {
        return;
    }
    table.start_method = is_crb(tpm) ? TPM2_START_CRB : TPM2_START_TIS;
    table.control_area = is_crb(tpm) ? TPM_CRB_CONTROL : 0;
    log = acpi_linker_blob(acpi_tables_linker(t), LOG_FILE, 1, ACPI_ZONE_HIGH);
    g_byte_array_set_size(log, TPM_LOG_BYTES);
    memset(log->data, 0, log->len);
    acpi_tables_add_tpm2(t, &table);
}

static bool add_file(Device *fw_cfg, const char *name, void *data, size_t bytes, Error **errp)
{
    FwCfgBlob blob = { .data = data, .size = bytes };

    if (!fw_cfg_add_file(fw_cfg, name, &blob, errp)) {
        g_free(data);
        return false;
    }
    return true;
}

static uint8_t *make_config(Device *tpm)
{
    uint8_t *config = g_malloc0(CONFIG_BYTES);

    store_le32(config + CONFIG_ADDRESS, TPM_PPI_ADDRESS);
    config[CONFIG_VERSION] = is_tpm2(tpm) ? CONFIG_TPM_2 : CONFIG_TPM_1_2;
    config[CONFIG_PPI_VERSION] = CONFIG_PPI_1_30;
    return config;
}

bool acpi_tpm_add_files(Device *fw_cfg, Error **errp)
{
    Device *tpm = tpm_find();

    if (!tpm) {
        return true;
    }
    return add_file(fw_cfg, LOG_FILE, g_malloc0(TPM_LOG_BYTES), TPM_LOG_BYTES, errp) &&
           (!tpm_has_ppi(tpm) ||
            add_file(fw_cfg, CONFIG_FILE, make_config(tpm), CONFIG_BYTES, errp));
}
