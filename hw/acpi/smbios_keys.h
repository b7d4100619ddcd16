/*
 * The keys of -smbios type=N: type, constant, name, kind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_SMBIOS_KEYS_H
#define HW_ACPI_SMBIOS_KEYS_H

#define SMBIOS_KEYS(K)                                                                             \
    K(0, BIOS_VENDOR, "vendor", TEXT)                                                              \
    K(0, BIOS_VERSION, "version", TEXT)                                                            \
    K(0, BIOS_DATE, "date", TEXT)                                                                  \
    K(0, BIOS_RELEASE, "release", RELEASE)                                                         \
    K(0, BIOS_UEFI, "uefi", BOOL)                                                                  \
    K(1, SYSTEM_MANUFACTURER, "manufacturer", TEXT)                                                \
    K(1, SYSTEM_PRODUCT, "product", TEXT)                                                          \
    K(1, SYSTEM_VERSION, "version", TEXT)                                                          \
    K(1, SYSTEM_SERIAL, "serial", TEXT)                                                            \
    K(1, SYSTEM_UUID, "uuid", UUID)                                                                \
    K(1, SYSTEM_SKU, "sku", TEXT)                                                                  \
    K(1, SYSTEM_FAMILY, "family", TEXT)                                                            \
    K(2, BOARD_MANUFACTURER, "manufacturer", TEXT)                                                 \
    K(2, BOARD_PRODUCT, "product", TEXT)                                                           \
    K(2, BOARD_VERSION, "version", TEXT)                                                           \
    K(2, BOARD_SERIAL, "serial", TEXT)                                                             \
    K(2, BOARD_ASSET, "asset", TEXT)                                                               \
    K(2, BOARD_LOCATION, "location", TEXT)                                                         \
    K(3, CHASSIS_MANUFACTURER, "manufacturer", TEXT)                                               \
    K(3, CHASSIS_VERSION, "version", TEXT)                                                         \
    K(3, CHASSIS_SERIAL, "serial", TEXT)                                                           \
    K(3, CHASSIS_ASSET, "asset", TEXT)                                                             \
    K(3, CHASSIS_SKU, "sku", TEXT)                                                                 \
    K(4, CPU_SOCK_PFX, "sock_pfx", TEXT)                                                           \
    K(4, CPU_MANUFACTURER, "manufacturer", TEXT)                                                   \
    K(4, CPU_VERSION, "version", TEXT)                                                             \
    K(4, CPU_SERIAL, "serial", TEXT)                                                               \
    K(4, CPU_ASSET, "asset", TEXT)                                                                 \
    K(4, CPU_PART, "part", TEXT)                                                                   \
    K(4, CPU_MAX_SPEED, "max-speed", U16)                                                          \
    K(4, CPU_CURRENT_SPEED, "current-speed", U16)                                                  \
    K(4, CPU_PROCESSOR_FAMILY, "processor-family", U16)                                            \
    K(4, CPU_PROCESSOR_ID, "processor-id", U64)                                                    \
    K(8, PORT_INTERNAL, "internal_reference", TEXT)                                                \
    K(8, PORT_EXTERNAL, "external_reference", TEXT)                                                \
    K(8, PORT_CONNECTOR, "connector_type", U8)                                                     \
    K(8, PORT_TYPE, "port_type", U8)                                                               \
    K(9, SLOT_DESIGNATION, "slot_designation", TEXT)                                               \
    K(9, SLOT_TYPE, "slot_type", U8)                                                               \
    K(9, SLOT_WIDTH, "slot_data_bus_width", U8)                                                    \
    K(9, SLOT_USAGE, "current_usage", U8)                                                          \
    K(9, SLOT_LENGTH, "slot_length", U8)                                                           \
    K(9, SLOT_ID, "slot_id", U16)                                                                  \
    K(9, SLOT_CHARACTERISTICS1, "slot_characteristics1", U8)                                       \
    K(9, SLOT_CHARACTERISTICS2, "slot_characteristics2", U8)                                       \
    K(9, SLOT_PCI_DEVICE, "pci_device", TEXT)                                                      \
    K(11, OEM_VALUE, "value", TEXT)                                                                \
    K(11, OEM_PATH, "path", TEXT)                                                                  \
    K(17, DIMM_LOC_PFX, "loc_pfx", TEXT)                                                           \
    K(17, DIMM_BANK, "bank", TEXT)                                                                 \
    K(17, DIMM_MANUFACTURER, "manufacturer", TEXT)                                                 \
    K(17, DIMM_SERIAL, "serial", TEXT)                                                             \
    K(17, DIMM_ASSET, "asset", TEXT)                                                               \
    K(17, DIMM_PART, "part", TEXT)                                                                 \
    K(17, DIMM_SPEED, "speed", U16)

#define SMBIOS_KEY_ENUM(type, key, name, kind) SMBIOS_##key,
typedef enum SmbiosKey { SMBIOS_KEYS(SMBIOS_KEY_ENUM) SMBIOS_KEY_COUNT } SmbiosKey;

/* What was said of one thing: indexed by SmbiosKey, NULL where nothing was. */
typedef struct SmbiosValues {
    char *text[SMBIOS_KEY_COUNT];
} SmbiosValues;

#define SMBIOS_TYPE_MAX 256

struct SmbiosOptions {
    SmbiosValues values;     /* of types that are said once; the last word wins */
    GPtrArray *ports, *slots; /* SmbiosValues each */
    GPtrArray *oem_strings;
    GByteArray *structures;  /* of files, complete */
    unsigned structure_count, largest_structure;
    bool has_fields[SMBIOS_TYPE_MAX], has_structure[SMBIOS_TYPE_MAX];
};

/* A number that was checked when it was given; `otherwise` if it was not. */
uint64_t smbios_number(const SmbiosValues *values, SmbiosKey key, uint64_t otherwise);

#endif
