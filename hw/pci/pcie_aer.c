/*
 * Advanced error reporting (PCI Express Base 5.0, 6.2 and 7.8.4): status, masks, severity, header
 * log with more than one entry, and error messages on their way up to the root port.
 *
 * What a root port would tell the platform's error logic (system errors by Root Control) ends
 * there: no board has such logic.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie_parts.h"

#define STATUS_SYSTEM_ERROR 0x4000 /* signaled (status), received (secondary status) */

static const VMField error_fields[] = {
    VM_U32(PcieAerError, status),      VM_U16(PcieAerError, source_id),
    VM_BOOL(PcieAerError, has_header), VM_BOOL(PcieAerError, has_prefix),
    VM_ARRAY(PcieAerError, header),    VM_ARRAY(PcieAerError, prefix),
};
static const VMState error_state = VMSTATE_INIT(error_fields, .version = 1);

static bool count_fits(void *opaque, int version)
{
    const PcieAerLog *log = opaque;

    return log->used <= log->limit;
}
static const VMField log_fields[] = {
    VM_U16(PcieAerLog, used),
    VM_STRUCT_HELD(PcieAerLog, errors, limit, error_state),
    VM_VALIDATE("used fits", count_fits),
};
static const VMState log_state = VMSTATE_INIT(log_fields, .version = 1);

static const VMField state_fields[] = { VM_STRUCT(PcieState, aer, log_state) };
static const VMState state_state = VMSTATE_INIT(state_fields, .version = 1);

static bool has_log(void *opaque)
{
    PciDevice *dev = opaque;

    return dev->pcie && dev->pcie->aer.used;
}
static const VMField pcie_fields[] = { VM_STRUCT_POINTER(PciDevice, pcie, state_state) };
const VMState pci_pcie_state =
    VMSTATE_INIT(pcie_fields, .name = "aer-log", .version = 1, .needed = has_log);

/* --- registers --- */

static unsigned cap_of(const PciDevice *dev)
{
    return dev->pcie ? dev->pcie->aer_cap : 0;
}

static uint32_t get(const PciDevice *dev, unsigned reg)
{
    return load_le32(dev->config + cap_of(dev) + reg);
}

static void put(PciDevice *dev, unsigned reg, uint32_t value)
{
    store_le32(dev->config + cap_of(dev) + reg, value);
}

static void set_masks(PciDevice *dev, unsigned reg, uint32_t writable, uint32_t clear_on_1)
{
    store_le32(dev->writable + cap_of(dev) + reg, writable);
    store_le32(dev->clear_on_1 + cap_of(dev) + reg, clear_on_1);
}

/* Without the log of prefixes where there are none. */
static unsigned aer_bytes(const PciDevice *dev)
{
    return pcie_has_caps_2(dev) ? PCI_ERR_BYTES : PCI_ERR_PREFIX_LOG;
}

static void init_registers(PciDevice *dev, bool has_queue)
{
    uint32_t caps = PCI_ERR_CAP_ECRC_GENC | PCI_ERR_CAP_ECRC_CHKC |
                    (has_queue ? PCI_ERR_CAP_MHRC : 0);

    put(dev, PCI_ERR_UNCOR_SEVERITY, PCI_ERR_UNC_FATAL);
    put(dev, PCI_ERR_COR_MASK, PCI_ERR_COR_MASKED);
    put(dev, PCI_ERR_CAP, caps);
    set_masks(dev, PCI_ERR_UNCOR_STATUS, 0, PCI_ERR_UNC_ALL);
    set_masks(dev, PCI_ERR_UNCOR_MASK, PCI_ERR_UNC_ALL, 0);
    set_masks(dev, PCI_ERR_UNCOR_SEVERITY, PCI_ERR_UNC_ALL, 0);
    set_masks(dev, PCI_ERR_COR_STATUS, 0, PCI_ERR_COR_ALL);
    set_masks(dev, PCI_ERR_COR_MASK, PCI_ERR_COR_ALL, 0);
    set_masks(dev, PCI_ERR_CAP,
              PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE | (has_queue ? PCI_ERR_CAP_MHRE : 0),
              0);
    memset(dev->fixed + cap_of(dev) + 4, 0, aer_bytes(dev) - 4);
    store_le32(dev->fixed + cap_of(dev) + PCI_ERR_CAP, caps);
}

static void init_root(PciDevice *dev, uint8_t vector)
{
    dev->pcie->has_root_errors = true;
    dev->pcie->aer_vector = vector;
    set_masks(dev, PCI_ERR_ROOT_COMMAND,
              PCI_ERR_ROOT_COMMAND_COR | PCI_ERR_ROOT_COMMAND_NONFATAL |
                  PCI_ERR_ROOT_COMMAND_FATAL, 0);
    set_masks(dev, PCI_ERR_ROOT_STATUS, 0, 0x7f);
}

bool pcie_aer_init(PciDevice *dev, const PcieAerSpec *spec, Error **errp)
{
    assert(dev->express_cap);
    if (spec->log_max > PCIE_AER_LOG_MAX) {
        return error_set(errp, "Invalid aer_log_max %d. The max number of aer log is %d",
                         spec->log_max, PCIE_AER_LOG_MAX);
    }
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(PCI_EXT_CAP_ID_AER, spec->version), spec->at,
                             aer_bytes(dev), errp)) {
        return false;
    }
    dev->pcie->aer_cap = spec->at;
    dev->pcie->aer.limit = spec->log_max;
    dev->pcie->aer.errors = g_new0(PcieAerError, spec->log_max);
    init_registers(dev, spec->log_max);
    if (pcie_type(dev) == PCIE_ROOT_PORT) {
        init_root(dev, spec->vector);
    }
    return true;
}

/* --- the log --- */

static bool is_log_taken(const PciDevice *dev)
{
    return get(dev, PCI_ERR_UNCOR_STATUS) & BIT(get(dev, PCI_ERR_CAP) & PCI_ERR_CAP_FEP);
}

/* In the log, bytes are in the order in which they were on the link. */
static void show_words(PciDevice *dev, unsigned reg, const uint32_t *words, bool is_there)
{
    for (unsigned i = 0; i < 4; i++) {
        store_be32(dev->config + cap_of(dev) + reg + 4 * i, is_there ? words[i] : 0);
    }
}

static void show_prefix(PciDevice *dev, const uint32_t *words, bool is_there)
{
    if (pcie_has_caps_2(dev)) {
        show_words(dev, PCI_ERR_PREFIX_LOG, words, is_there);
    }
}

static void show(PciDevice *dev, const PcieAerError *error)
{
    bool has_prefix = error->has_prefix && error->has_header &&
                      pcie_caps_2(dev) & PCI_EXP_DEVCAP2_EETLPP;
    uint32_t caps = get(dev, PCI_ERR_CAP) & ~(PCI_ERR_CAP_FEP | PCI_ERR_CAP_TLP_PREFIX);

    caps |= has_prefix ? PCI_ERR_CAP_TLP_PREFIX : 0;
    put(dev, PCI_ERR_CAP, caps | (uint32_t)g_bit_nth_lsf(error->status, -1));
    show_words(dev, PCI_ERR_HEADER_LOG, error->header, error->has_header);
    show_prefix(dev, error->prefix, has_prefix);
}

/* False: the queue is full. */
static bool queue(PciDevice *dev, const PcieAerError *error)
{
    PcieAerLog *log = &dev->pcie->aer;

    if (!(get(dev, PCI_ERR_CAP) & PCI_ERR_CAP_MHRE)) {
        return true; /* only the first is of interest */
    }
    if (log->used == log->limit) {
        return false;
    }
    log->errors[log->used++] = *error;
    return true;
}

/* The next one in the queue whose bit is still set comes up. */
static void show_next(PciDevice *dev)
{
    PcieAerLog *log = &dev->pcie->aer;

    while (log->used) {
        PcieAerError error = log->errors[0];

        memmove(log->errors, log->errors + 1, --log->used * sizeof(error));
        if (get(dev, PCI_ERR_UNCOR_STATUS) & error.status) {
            show(dev, &error);
            return;
        }
    }
    put(dev, PCI_ERR_CAP, get(dev, PCI_ERR_CAP) & ~(PCI_ERR_CAP_FEP | PCI_ERR_CAP_TLP_PREFIX));
    show_words(dev, PCI_ERR_HEADER_LOG, NULL, false);
    show_prefix(dev, NULL, false);
}

/* --- messages --- */

typedef enum Severity { CORRECTABLE, NONFATAL, FATAL } Severity;

static uint32_t wanted_by_root(const PciDevice *dev)
{
    static const uint32_t seen[] = { PCI_ERR_ROOT_COR_RCV, PCI_ERR_ROOT_NONFATAL_RCV,
                                     PCI_ERR_ROOT_FATAL_RCV };
    uint32_t wanted = 0;

    for (Severity s = CORRECTABLE; s <= FATAL; s++) {
        wanted |= get(dev, PCI_ERR_ROOT_COMMAND) & BIT(s) ? seen[s] : 0;
    }
    return get(dev, PCI_ERR_ROOT_STATUS) & wanted;
}

bool pcie_aer_wants_irq(const PciDevice *dev)
{
    return dev->pcie->has_root_errors && wanted_by_root(dev);
}

static uint32_t status_after(uint32_t status, Severity severity)
{
    if (severity == CORRECTABLE) {
        return status | (status & PCI_ERR_ROOT_COR_RCV ? PCI_ERR_ROOT_MULTI_COR_RCV :
                                                         PCI_ERR_ROOT_COR_RCV);
    }
    if (status & PCI_ERR_ROOT_UNCOR_RCV) {
        status |= PCI_ERR_ROOT_MULTI_UNCOR_RCV;
    } else if (severity == FATAL) {
        status |= PCI_ERR_ROOT_FIRST_FATAL;
    }
    return status | PCI_ERR_ROOT_UNCOR_RCV |
           (severity == FATAL ? PCI_ERR_ROOT_FATAL_RCV : PCI_ERR_ROOT_NONFATAL_RCV);
}

static void arrive(PciDevice *root, Severity severity, uint16_t source)
{
    uint32_t old = get(root, PCI_ERR_ROOT_STATUS);
    bool is_first = !(old & (severity == CORRECTABLE ? PCI_ERR_ROOT_COR_RCV :
                                                       PCI_ERR_ROOT_UNCOR_RCV));
    uint32_t before = wanted_by_root(root);

    put(root, PCI_ERR_ROOT_STATUS, status_after(old, severity));
    if (is_first) {
        store_le16(root->config + cap_of(root) + (severity == CORRECTABLE ?
                                                      PCI_ERR_ROOT_COR_SOURCE :
                                                      PCI_ERR_ROOT_UNCOR_SOURCE), source);
    }
    if (wanted_by_root(root) & ~before && msix_is_enabled(root)) {
        msix_notify(root, root->pcie->aer_vector);
    } else if (wanted_by_root(root) & ~before) {
        msi_notify(root, root->pcie->aer_vector);
    }
    pcie_port_update_intx(root);
}

static void mark(PciDevice *dev, unsigned at, uint16_t bits)
{
    store_le16(dev->config + at, load_le16(dev->config + at) | bits);
}

/* A bridge hears it on its far side; false: it goes no further. */
static bool forward(PciDevice *bridge, Severity severity)
{
    if (severity != CORRECTABLE) {
        mark(bridge, PCI_SEC_STATUS, STATUS_SYSTEM_ERROR);
    }
    if (!(load_le16(bridge->config + PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CONTROL_SERR)) {
        return false;
    }
    if (severity != CORRECTABLE &&
        load_le16(bridge->config + PCI_COMMAND) & PCI_COMMAND_SERR) {
        mark(bridge, PCI_STATUS, STATUS_SYSTEM_ERROR);
    }
    return true;
}

/* Up to a root port, if there is one: integrated endpoints have none. */
static void send(PciDevice *dev, Severity severity, uint16_t source)
{
    bool is_going = true;

    while (is_going && dev) {
        if (dev->pcie && dev->pcie->has_root_errors) {
            arrive(dev, severity, source);
            return;
        }
        dev = pci_device_bus(dev)->bridge;
        is_going = dev && forward(dev, severity);
    }
}

/* --- errors --- */

static bool is_enabled(const PciDevice *dev, Severity severity)
{
    bool by_serr = severity != CORRECTABLE &&
                   load_le16(dev->config + PCI_COMMAND) & PCI_COMMAND_SERR;

    return by_serr || pcie_get16(dev, PCI_EXP_DEVCTL) & (PCI_EXP_DEVCTL_CERE << severity);
}

static void report(PciDevice *dev, Severity severity, const PcieAerError *error)
{
    if (severity != CORRECTABLE && load_le16(dev->config + PCI_COMMAND) & PCI_COMMAND_SERR) {
        mark(dev, PCI_STATUS, STATUS_SYSTEM_ERROR);
    }
    if (is_enabled(dev, severity)) {
        send(dev, severity, error->source_id);
    }
}

/* Sets the status; false: it is masked. */
static bool note_correctable(PciDevice *dev, uint32_t status)
{
    if (!cap_of(dev)) {
        return true;
    }
    put(dev, PCI_ERR_COR_STATUS, get(dev, PCI_ERR_COR_STATUS) | status);
    return !(get(dev, PCI_ERR_COR_MASK) & status);
}

static void correctable(PciDevice *dev, const PcieAerError *error)
{
    pcie_change16(dev, PCI_EXP_DEVSTA, 0, PCI_EXP_DEVSTA_CED);
    if (note_correctable(dev, error->status)) {
        report(dev, CORRECTABLE, error);
    }
}

/* Logs it; false: it is masked. */
static bool note_uncorrectable(PciDevice *dev, const PcieAerError *error)
{
    if (!cap_of(dev)) {
        return true;
    }
    if (get(dev, PCI_ERR_UNCOR_MASK) & error->status) {
        put(dev, PCI_ERR_UNCOR_STATUS, get(dev, PCI_ERR_UNCOR_STATUS) | error->status);
        return false;
    }
    if (!is_log_taken(dev)) {
        put(dev, PCI_ERR_UNCOR_STATUS, get(dev, PCI_ERR_UNCOR_STATUS) | error->status);
        show(dev, error);
        return true;
    }
    put(dev, PCI_ERR_UNCOR_STATUS, get(dev, PCI_ERR_UNCOR_STATUS) | error->status);
    if (!queue(dev, error)) {
        correctable(dev, &(PcieAerError){ .status = PCI_ERR_COR_HL_OVERFLOW,
                                          .source_id = error->source_id });
    }
    return true;
}

static Severity severity_of(const PciDevice *dev, uint32_t status)
{
    uint32_t fatal = cap_of(dev) ? get(dev, PCI_ERR_UNCOR_SEVERITY) : PCI_ERR_UNC_FATAL;

    return fatal & status ? FATAL : NONFATAL;
}

static void uncorrectable(PciDevice *dev, const PcieAerError *error)
{
    Severity severity = severity_of(dev, error->status);
    bool is_advisory = error->is_advisory && severity == NONFATAL;

    pcie_change16(dev, PCI_EXP_DEVSTA, 0,
                  is_advisory ? PCI_EXP_DEVSTA_CED : PCI_EXP_DEVSTA_CED << severity);
    if (error->status == PCI_ERR_UNC_UNSUP) {
        pcie_change16(dev, PCI_EXP_DEVSTA, 0, PCI_EXP_DEVSTA_URD);
    }
    if (!is_advisory) {
        if (note_uncorrectable(dev, error)) {
            report(dev, severity, error);
        }
    } else if (note_correctable(dev, PCI_ERR_COR_ADV_NONFATAL)) {
        if (note_uncorrectable(dev, error)) {
            report(dev, CORRECTABLE, error);
        }
    } else if (cap_of(dev)) {
        put(dev, PCI_ERR_UNCOR_STATUS, get(dev, PCI_ERR_UNCOR_STATUS) | error->status);
    }
}

static const struct {
    const char *name;
    uint32_t status;
    bool is_correctable;
} names[] = {
    { "DLP", PCI_ERR_UNC_DLP },
    { "SDN", PCI_ERR_UNC_SDN },
    { "POISON_TLP", PCI_ERR_UNC_POISON_TLP },
    { "FCP", PCI_ERR_UNC_FCP },
    { "COMP_TIME", PCI_ERR_UNC_COMP_TIME },
    { "COMP_ABORT", PCI_ERR_UNC_COMP_ABORT },
    { "UNX_COMP", PCI_ERR_UNC_UNX_COMP },
    { "RX_OVER", PCI_ERR_UNC_RX_OVER },
    { "MALF_TLP", PCI_ERR_UNC_MALF_TLP },
    { "ECRC", PCI_ERR_UNC_ECRC },
    { "UNSUP", PCI_ERR_UNC_UNSUP },
    { "ACSV", PCI_ERR_UNC_ACSV },
    { "INTN", PCI_ERR_UNC_INTN },
    { "MCBTLP", PCI_ERR_UNC_MCBTLP },
    { "ATOP_EBLOCKED", PCI_ERR_UNC_ATOPEG },
    { "TLP_PRF_BLOCKED", PCI_ERR_UNC_TLPPRE },
    { "RCVR", PCI_ERR_COR_RCVR, true },
    { "BAD_TLP", PCI_ERR_COR_BAD_TLP, true },
    { "BAD_DLLP", PCI_ERR_COR_BAD_DLLP, true },
    { "REP_ROLL", PCI_ERR_COR_REP_ROLL, true },
    { "REP_TIMER", PCI_ERR_COR_REP_TIMER, true },
    { "ADV_NONFATAL", PCI_ERR_COR_ADV_NONFATAL, true },
    { "INTERNAL", PCI_ERR_COR_INTERNAL, true },
    { "HL_OVERFLOW", PCI_ERR_COR_HL_OVERFLOW, true },
};

bool pcie_aer_find(const char *name, uint32_t *status, bool *is_correctable)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i].name, name)) {
            *status = names[i].status;
            *is_correctable = names[i].is_correctable;
            return true;
        }
    }
    return false;
}

bool pcie_aer_inject(PciDevice *dev, const PcieAerError *error, Error **errp)
{
    uint32_t known = error->is_correctable ? PCI_ERR_COR_ALL : PCI_ERR_UNC_ALL;

    if (!dev->express_cap) {
        return error_set(errp, "the device doesn't support pci express.");
    }
    if (!(error->status & known) || error->status & (error->status - 1)) {
        return error_set(errp, "failed to inject error: Invalid argument");
    }
    if (error->is_correctable) {
        correctable(dev, error);
    } else {
        uncorrectable(dev, error);
    }
    return true;
}

/* --- what a guest writes --- */

/* With fewer messages than it could send, it sends all as the first. */
static void update_message(PciDevice *dev)
{
    uint32_t status = get(dev, PCI_ERR_ROOT_STATUS) & ~(31u << PCI_ERR_ROOT_MESSAGE_SHIFT);
    uint32_t vector = dev->msi_cap && dev->pcie->aer_vector >= msi_vectors(dev) ?
                      0 : dev->pcie->aer_vector;

    put(dev, PCI_ERR_ROOT_STATUS, status | vector << PCI_ERR_ROOT_MESSAGE_SHIFT);
}

void pcie_aer_written(PciDevice *dev, unsigned at, unsigned bytes)
{
    unsigned cap = cap_of(dev);

    if (cap && dev->pcie->has_root_errors) {
        update_message(dev);
    }
    if (!cap || !pci_range_touches(at, bytes, cap, aer_bytes(dev))) {
        return;
    }
    if (!(get(dev, PCI_ERR_CAP) & PCI_ERR_CAP_MHRE)) {
        dev->pcie->aer.used = 0;
    }
    if (pci_range_touches(at, bytes, cap + PCI_ERR_UNCOR_STATUS, 4) && !is_log_taken(dev)) {
        show_next(dev);
    }
    if (dev->pcie->has_root_errors) {
        pcie_port_update_intx(dev);
    }
}

/* What reset of the masks leaves: the log. All of it is sticky: only power takes it away. */
void pcie_aer_reset(PciDevice *dev)
{
    if (cap_of(dev) && dev->pcie->has_root_errors) {
        update_message(dev);
    }
    if (cap_of(dev) && !dev->keeps_sticky) {
        dev->pcie->aer.used = 0;
        show_next(dev);
        if (dev->pcie->has_root_errors) {
            put(dev, PCI_ERR_ROOT_COR_SOURCE, 0);
        }
    }
}
