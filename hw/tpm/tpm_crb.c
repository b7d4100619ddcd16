/*
 * tpm-crb: a TPM with the command response buffer of TCG's PC Client Platform TPM Profile (PTP 1.05,
 * chapter 6.5.3). It has locality 0 and goes idle slowly, which is as fast as asked; it makes no
 * interrupts, as the profile permits. A command is carried out in the idle state, too, where the
 * profile says nothing happens: guests of QEMU's, and its tests, do not wake it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/tpm/tpm_port.h"
#include "util/byte_order.h"

enum {
    REG_LOC_STATE = 0x00, REG_LOC_CTRL = 0x08, REG_LOC_STS = 0x0c, REG_INTF_ID = 0x30,
    REG_INTF_ID_HIGH = 0x34, REG_CTRL_REQ = 0x40, REG_CTRL_STS = 0x44, REG_CTRL_CANCEL = 0x48,
    REG_CTRL_START = 0x4c, REG_CTRL_CMD_SIZE = 0x58, REG_CTRL_CMD_LADDR = 0x5c,
    REG_CTRL_RSP_SIZE = 0x64, REG_CTRL_RSP_LADDR = 0x68, REG_DATA_BUFFER = 0x80,
};
#define BUFFER_BYTES           (TPM_CRB_BYTES - REG_DATA_BUFFER)

#define LOC_STATE_ESTABLISHED  BIT(0) /* low when it is established */
#define LOC_STATE_ASSIGNED     BIT(1)
#define LOC_STATE_VALID        BIT(7)
#define LOC_CTRL_REQUEST       BIT(0)
#define LOC_CTRL_RELINQUISH    BIT(1)
#define LOC_CTRL_SEIZE         BIT(2)
#define LOC_CTRL_RESET_ESTABLISHMENT BIT(3)
#define LOC_STS_GRANTED        BIT(0)
#define LOC_STS_BEEN_SEIZED    BIT(1)
#define REQ_COMMAND_READY      BIT(0)
#define REQ_GO_IDLE            BIT(1)
#define CTRL_STS_FAILED        BIT(0)
#define CTRL_STS_IDLE          BIT(1)
#define START_INVOKE           BIT(0)
#define CANCEL_INVOKE          BIT(0)

/* Interface type and version 1, 64 bytes at once, has CRB and uses it. */
#define INTF_ID                (1u | 1u << 4 | 3u << 11 | 1u << 14 | 1u << 17)
#define INTF_ID_VENDOR         0x1014

typedef struct TpmCrb {
    Device parent;
    TpmPort port;
    MemoryRegion region;
    bool is_assigned, is_granted, is_idle, has_failed;
    uint32_t start;        /* START_INVOKE while a command is carried out */
    uint8_t data[BUFFER_BYTES];
} TpmCrb;
DECLARE_CAST(TpmCrb, TPM_CRB)

/* --- commands --- */

static void invoke(TpmCrb *s)
{
    uint32_t bytes = tpm_message_bytes(s->data);

    if (s->start || !s->is_granted) {
        return;
    }
    if (bytes < TPM_HEADER_BYTES || bytes > BUFFER_BYTES) {
        s->has_failed = true;
        return;
    }
    s->start = START_INVOKE;
    memcpy(s->port.buffer, s->data, bytes);
    tpm_port_run(&s->port, 0, bytes);
}

static void crb_answered(void *opaque, TpmRequest *request)
{
    TpmCrb *s = TPM_CRB(opaque);

    s->start = 0;
    memcpy(s->data, request->buffer, request->answer_bytes);
    if (!s->port.is_started) {
        s->has_failed = true;
    }
}

/* --- registers --- */

static void loc_ctrl_write(TpmCrb *s, uint32_t value)
{
    switch (value) {
    case LOC_CTRL_REQUEST:
        s->is_assigned = s->is_granted = true;
        break;
    case LOC_CTRL_RELINQUISH:
        s->is_assigned = s->is_granted = false;
        break;
    case LOC_CTRL_RESET_ESTABLISHMENT: /* not from locality 0 */
    case LOC_CTRL_SEIZE:               /* from nobody: there is one locality */
        break;
    }
}

static void ctrl_req_write(TpmCrb *s, uint32_t value)
{
    if (value == REQ_COMMAND_READY) {
        s->is_idle = false;
    } else if (value == REQ_GO_IDLE && !s->start) {
        s->is_idle = true;
    }
}

static void register_write_at(TpmCrb *s, unsigned reg, uint32_t value)
{
    switch (reg) {
    case REG_LOC_CTRL:
        loc_ctrl_write(s, value);
        break;
    case REG_CTRL_REQ:
        ctrl_req_write(s, value);
        break;
    case REG_CTRL_CANCEL:
        if (value == CANCEL_INVOKE && s->start) {
            tpm_backend_cancel(s->port.backend);
        }
        break;
    case REG_CTRL_START:
        if (value == START_INVOKE) {
            invoke(s);
        }
        break;
    }
}

static uint32_t register_value(const TpmCrb *s, unsigned reg)
{
    switch (reg) {
    case REG_LOC_STATE:
        return LOC_STATE_VALID | (s->is_assigned ? LOC_STATE_ASSIGNED : 0) |
               (s->port.is_established ? 0 : LOC_STATE_ESTABLISHED);
    case REG_LOC_STS:        return s->is_granted ? LOC_STS_GRANTED : 0;
    case REG_INTF_ID:        return INTF_ID;
    case REG_INTF_ID_HIGH:   return INTF_ID_VENDOR;
    case REG_CTRL_STS:
        return (s->has_failed ? CTRL_STS_FAILED : 0) | (s->is_idle ? CTRL_STS_IDLE : 0);
    case REG_CTRL_START:     return s->start;
    case REG_CTRL_CMD_SIZE:
    case REG_CTRL_RSP_SIZE:  return BUFFER_BYTES;
    case REG_CTRL_CMD_LADDR:
    case REG_CTRL_RSP_LADDR: return TPM_ADDRESS + REG_DATA_BUFFER;
    default:                 return 0;
    }
}

static uint64_t crb_read(void *opaque, uint64_t offset, unsigned bytes)
{
    TpmCrb *s = opaque;

    if (offset >= REG_DATA_BUFFER) {
        return load_bytes(s->data + (offset - REG_DATA_BUFFER), bytes, ENDIAN_LITTLE);
    }
    return register_value(s, offset & ~3u) >> 8 * (offset & 3) & UINT32_MAX >> (32 - 8 * bytes);
}

/* While a command is carried out the buffer is the TPM's. */
static void crb_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    TpmCrb *s = opaque;

    if (offset < REG_DATA_BUFFER) {
        register_write_at(s, offset & ~3u, value << 8 * (offset & 3));
    } else if (!s->start) {
        store_bytes(s->data + (offset - REG_DATA_BUFFER), bytes, ENDIAN_LITTLE, value);
    }
}

static const MemoryOps crb_ops = {
    .read = crb_read, .write = crb_write, .endian = ENDIAN_LITTLE, .impl.max = 4,
};

/* --- life --- */

static void crb_init(Object *obj)
{
    memory_region_init_io(&TPM_CRB(obj)->region, obj, &crb_ops, "tpm-crb-mmio", TPM_CRB_BYTES);
    tpm_port_init(&TPM_CRB(obj)->port, DEVICE(obj));
}

static void crb_finalize(Object *obj)
{
    tpm_port_finalize(&TPM_CRB(obj)->port);
    memory_region_clear(&TPM_CRB(obj)->region);
}

static bool crb_realize(Device *dev, Error **errp)
{
    TpmCrb *s = TPM_CRB(dev);
    TpmBackend *backend = s->port.backend;

    if (backend && backend->version != TPM_VERSION_2_0) {
        return error_set(errp, "tpm-crb: TPM back end '%s' is no TPM 2.0",
                         tpm_backend_id(backend));
    }
    if (!tpm_port_realize(&s->port, memory_region_system(), BUFFER_BYTES, crb_answered, errp)) {
        return false;
    }
    memory_region_add(memory_region_system(), TPM_ADDRESS, &s->region);
    return true;
}

static void crb_unrealize(Device *dev)
{
    memory_region_remove(memory_region_system(), &TPM_CRB(dev)->region);
    tpm_port_unrealize(&TPM_CRB(dev)->port, memory_region_system());
}

static void crb_reset(Device *dev)
{
    TpmCrb *s = TPM_CRB(dev);

    tpm_port_reset(&s->port);
    s->is_assigned = s->is_granted = s->has_failed = false;
    s->is_idle = true;
    s->start = 0;
    memset(s->data, 0, sizeof(s->data));
}

static bool crb_pre_save(void *opaque, Error **errp)
{
    return tpm_port_pre_save(&TPM_CRB(opaque)->port, errp);
}

static bool crb_post_load(void *opaque, int version, Error **errp)
{
    return tpm_port_post_load(&TPM_CRB(opaque)->port, errp);
}

static bool crb_has_ppi(void *opaque)
{
    return TPM_CRB(opaque)->port.has_ppi;
}

static TpmVersion crb_version(Device *dev)
{
    return TPM_CRB(dev)->port.backend->version;
}

static bool crb_device_has_ppi(Device *dev)
{
    return TPM_CRB(dev)->port.has_ppi;
}

static const TpmDevice crb_device = { crb_version, crb_device_has_ppi };

static const VMField crb_ppi_fields[] = { VM_STRUCT(TpmCrb, port, tpm_ppi_state) };
static const VMState crb_ppi = VMSTATE_INIT(crb_ppi_fields, .name = "tpm-crb/ppi", .version = 1,
                                            .needed = crb_has_ppi);
/* A command is answered before the state is saved: `start` is 0. */
static const VMField crb_fields[] = {
    VM_STRUCT(TpmCrb, port, tpm_port_state), VM_BOOL(TpmCrb, is_assigned),
    VM_BOOL(TpmCrb, is_granted), VM_BOOL(TpmCrb, is_idle), VM_BOOL(TpmCrb, has_failed),
    VM_BUFFER(TpmCrb, data),
};
static const Property crb_props[] = { PROP_TPMDEV(TpmCrb, port), PROP_TPM_PPI(TpmCrb, port) };

static const DeviceType crb_type = {
    .name = TYPE_TPM_CRB,
    .doc = "TPM with the command response buffer interface",
    .parent = TYPE_DEVICE,
    .size = sizeof(TpmCrb),
    .category = DEVICE_CATEGORY_MISC,
    .interfaces = (const InterfaceImpl[]){ { TYPE_TPM_DEVICE, &crb_device }, { 0 } },
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(crb_props),
    .vmstate = VMSTATE(crb_fields, .version = 1, .pre_save = crb_pre_save,
                       .post_load = crb_post_load, .subsections = VM_SUBSECTIONS(&crb_ppi)),
    .init = crb_init,
    .finalize = crb_finalize,
    .realize = crb_realize,
    .unrealize = crb_unrealize,
    .reset_hold = crb_reset,
};
DEVICE_TYPE(crb_type)
