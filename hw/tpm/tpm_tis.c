/*
 * tpm-tis: a TPM with the FIFO interface of TCG's PC Client Platform TPM Profile (PTP 1.05, chapter 6;
 * for TPM 1.2 the TIS 1.3): five localities of a page each, one of which is active.
 *
 * Left out: what localities 4 and up do with the TPM's hash commands, which only a CPU sends; the
 * choice of another interface; legacy ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"
#include "hw/tpm/tpm_port.h"
#include "util/byte_order.h"

enum {
    REG_ACCESS = 0x00, REG_INT_ENABLE = 0x08, REG_INT_VECTOR = 0x0c, REG_INT_STATUS = 0x10,
    REG_INTF_CAPABILITY = 0x14, REG_STS = 0x18, REG_DATA_FIFO = 0x24, REG_INTERFACE_ID = 0x30,
    REG_XDATA_FIFO = 0x80, REG_XDATA_FIFO_LAST = 0xbc, REG_DID_VID = 0xf00, REG_RID = 0xf04,
};

#define ACCESS_VALID         BIT(7)
#define ACCESS_ACTIVE        BIT(5)
#define ACCESS_BEEN_SEIZED   BIT(4)
#define ACCESS_SEIZE         BIT(3)
#define ACCESS_PENDING       BIT(2)
#define ACCESS_REQUEST_USE   BIT(1)
#define ACCESS_ESTABLISHMENT BIT(0) /* low when it is established */

#define STS_VALID            BIT(7)
#define STS_COMMAND_READY    BIT(6)
#define STS_GO               BIT(5)
#define STS_DATA_AVAILABLE   BIT(4)
#define STS_EXPECT           BIT(3)
#define STS_SELFTEST_DONE    BIT(2)
#define STS_RESPONSE_RETRY   BIT(1)
#define STS_BURST_SHIFT      8
#define STS_CANCEL           BIT(24)
#define STS_RESET_ESTABLISHMENT BIT(25)
#define STS_FAMILY_2_0       BIT(26)

#define INT_ENABLED          BIT(31)
#define INT_POLARITY         (3u << 3)
#define INT_DATA_AVAILABLE   BIT(0)
#define INT_STS_VALID        BIT(1)
#define INT_LOCALITY_CHANGED BIT(2)
#define INT_COMMAND_READY    BIT(7)
#define INT_SUPPORTED                                                                              \
    (INT_DATA_AVAILABLE | INT_STS_VALID | INT_LOCALITY_CHANGED | INT_COMMAND_READY)

#define CAPABILITY_LOW_LEVEL BIT(4)
#define CAPABILITY_64_BYTES  (3u << 9)
#define CAPABILITY_VERSION(n) ((n) << 28) /* 2: TIS 1.3, 3: PTP */

#define INTERFACE_5_LOCALITIES BIT(8)
#define INTERFACE_HAS_FIFO   BIT(13)
#define INTERFACE_LOCKED     BIT(19)
#define INTERFACE_NONE       UINT32_MAX /* TIS 1.3 */

#define DID_VID              0x00011014
#define RID                  0x01
#define NO_LOCALITY          0xff
#define LOCALITY_SHIFT       12

typedef enum TisState {
    TIS_IDLE, TIS_READY, TIS_RECEPTION, TIS_EXECUTION, TIS_COMPLETION, TIS_STATES
} TisState;

typedef struct TisLocality {
    uint8_t access;        /* without what is computed */
    uint32_t enabled, pending; /* interrupts */
} TisLocality;

typedef struct TpmTis {
    IsaDevice parent;
    TpmPort port;
    MemoryRegion region;
    IrqLine line;
    uint32_t irq;
    TisLocality localities[TPM_LOCALITIES];
    uint8_t active, next;  /* NO_LOCALITY: none; next: when what is aborted has ended */
    bool is_aborting;
    TisState state;        /* of the active locality */
    uint8_t sts;           /* likewise */
    bool is_selftested, is_interface_locked;
    uint16_t pos;          /* in the buffer: written, or read */
    uint16_t answer_bytes;
} TpmTis;
DECLARE_CAST(TpmTis, TPM_TIS)

static bool is_locality(uint8_t locality)
{
    return locality < TPM_LOCALITIES;
}

static bool is_2_0(const TpmTis *s)
{
    return s->port.backend->version == TPM_VERSION_2_0;
}

/* --- interrupts --- */

static void raise_irq(TpmTis *s, uint8_t locality, uint32_t reasons)
{
    TisLocality *l = is_locality(locality) ? &s->localities[locality] : NULL;

    if (l && l->enabled & INT_ENABLED && l->enabled & reasons) {
        l->pending |= l->enabled & reasons;
        irq_raise(&s->line);
    }
}

static void update_line(TpmTis *s)
{
    bool is_up = false;

    for (unsigned i = 0; i < TPM_LOCALITIES; i++) {
        is_up |= s->localities[i].enabled & INT_ENABLED && s->localities[i].pending;
    }
    irq_set(&s->line, is_up);
}

/* --- localities --- */

static void become_ready(TpmTis *s)
{
    s->state = TIS_READY;
    s->sts = STS_COMMAND_READY;
    s->pos = 0;
    raise_irq(s, s->active, INT_COMMAND_READY);
}

static void become_idle(TpmTis *s)
{
    s->state = TIS_IDLE;
    s->sts = 0;
    s->pos = 0;
}

static void activate(TpmTis *s, uint8_t next)
{
    bool is_seized = is_locality(next) && s->localities[next].access & ACCESS_SEIZE;
    uint8_t before = s->active;

    if (before == next) {
        return;
    }
    if (is_locality(before)) {
        s->localities[before].access &= is_seized ? ~ACCESS_ACTIVE
                                                  : ~(ACCESS_ACTIVE | ACCESS_REQUEST_USE);
        s->localities[before].access |= is_seized ? ACCESS_BEEN_SEIZED : 0;
    }
    s->active = next;
    become_idle(s);
    if (is_locality(next)) {
        s->localities[next].access |= ACCESS_ACTIVE;
        s->localities[next].access &= ~(ACCESS_REQUEST_USE | ACCESS_SEIZE);
        raise_irq(s, next, INT_LOCALITY_CHANGED);
    }
}

static void finish_abort(TpmTis *s)
{
    s->is_aborting = false;
    if (s->next == s->active && is_locality(s->active)) {
        become_ready(s);
    } else {
        activate(s, s->next);
    }
}

/* Ends what the active locality does; then `next` goes on, which may be the same. */
static void abort_for(TpmTis *s, uint8_t next)
{
    s->next = next;
    if (tpm_backend_is_busy(s->port.backend)) {
        s->is_aborting = true;
        tpm_backend_cancel(s->port.backend);
    } else {
        finish_abort(s);
    }
}

/* The highest locality that asked for use, or none. */
static uint8_t next_in_line(const TpmTis *s)
{
    for (int i = TPM_LOCALITIES - 1; i >= 0; i--) {
        if (s->localities[i].access & ACCESS_REQUEST_USE) {
            return i;
        }
    }
    return NO_LOCALITY;
}

static void give_up(TpmTis *s, uint8_t locality)
{
    if (s->active == locality) {
        abort_for(s, next_in_line(s));
    } else {
        s->localities[locality].access &= ~ACCESS_REQUEST_USE;
    }
}

/* Only from a lower one, and not if one above is about to. */
static void seize(TpmTis *s, uint8_t locality)
{
    if (is_locality(s->active) && locality <= s->active) {
        return;
    }
    for (unsigned i = locality; i < TPM_LOCALITIES; i++) {
        if (s->localities[i].access & ACCESS_SEIZE) {
            return;
        }
    }
    for (unsigned i = 0; i < locality; i++) {
        s->localities[i].access &= ~ACCESS_SEIZE;
    }
    s->localities[locality].access |= ACCESS_SEIZE;
    abort_for(s, locality);
}

static void request_use(TpmTis *s, uint8_t locality)
{
    if (!is_locality(s->active)) {
        activate(s, locality);
    } else if (s->active != locality) {
        s->localities[locality].access |= ACCESS_REQUEST_USE;
    }
}

static void access_write(TpmTis *s, uint8_t locality, uint8_t value)
{
    if (value & ACCESS_SEIZE) {
        value &= ~(ACCESS_REQUEST_USE | ACCESS_ACTIVE);
    }
    if (value & ACCESS_ACTIVE) {
        give_up(s, locality);
    }
    if (value & ACCESS_BEEN_SEIZED) {
        s->localities[locality].access &= ~ACCESS_BEEN_SEIZED;
    }
    if (value & ACCESS_SEIZE) {
        seize(s, locality);
    }
    if (value & ACCESS_REQUEST_USE) {
        request_use(s, locality);
    }
}

static uint8_t access_read(const TpmTis *s, uint8_t locality)
{
    uint8_t value = ACCESS_VALID | (s->localities[locality].access & ~ACCESS_SEIZE);

    for (unsigned i = 0; i < TPM_LOCALITIES; i++) {
        if (i != locality && s->localities[i].access & ACCESS_REQUEST_USE) {
            value |= ACCESS_PENDING;
        }
    }
    return value | (s->port.is_established ? 0 : ACCESS_ESTABLISHMENT);
}

/* --- commands --- */

static void execute(TpmTis *s)
{
    s->state = TIS_EXECUTION;
    s->sts = 0;
    tpm_port_run(&s->port, s->active, s->pos);
}

/* A self-test command of either family that went well. */
static bool is_selftest(const TpmTis *s, const TpmRequest *request)
{
    return request->answer_bytes >= TPM_HEADER_BYTES && load_be32(request->buffer + 6) == 0;
}

static void tis_answered(void *opaque, TpmRequest *request)
{
    TpmTis *s = TPM_TIS(opaque);

    s->is_selftested |= is_selftest(s, request);
    if (s->is_aborting) {
        finish_abort(s);
        return;
    }
    s->answer_bytes = request->answer_bytes;
    s->pos = 0;
    s->state = TIS_COMPLETION;
    s->sts = STS_VALID | STS_DATA_AVAILABLE;
    raise_irq(s, s->active, INT_DATA_AVAILABLE | INT_STS_VALID);
}

static void command_ready(TpmTis *s)
{
    switch (s->state) {
    case TIS_IDLE: case TIS_COMPLETION: case TIS_READY:
        become_ready(s);
        break;
    case TIS_RECEPTION: case TIS_EXECUTION:
        abort_for(s, s->active);
        break;
    case TIS_STATES:
        break;
    }
}

static void sts_write(TpmTis *s, uint8_t locality, uint32_t value)
{
    if (s->active != locality || s->is_aborting) {
        return;
    }
    if (value & STS_CANCEL && s->state == TIS_EXECUTION && is_2_0(s)) {
        tpm_backend_cancel(s->port.backend);
    }
    if (value & STS_RESET_ESTABLISHMENT && locality >= 3 && is_2_0(s)) {
        tpm_port_reset_established(&s->port, locality);
    }
    switch (value & (STS_COMMAND_READY | STS_GO | STS_RESPONSE_RETRY)) {
    case STS_COMMAND_READY:
        command_ready(s);
        break;
    case STS_GO:
        if (s->state == TIS_RECEPTION && !(s->sts & STS_EXPECT)) {
            execute(s);
        }
        break;
    case STS_RESPONSE_RETRY:
        if (s->state == TIS_COMPLETION) {
            s->pos = 0;
            s->sts = STS_VALID | STS_DATA_AVAILABLE;
        }
        break;
    }
}

/* How many bytes the FIFO gives or takes now. A read of one byte sees no count of 0x100. */
static uint32_t burst_count(const TpmTis *s, unsigned bytes)
{
    uint32_t count = s->state == TIS_COMPLETION ? s->answer_bytes - s->pos
                                                : s->port.user.buffer_bytes - s->pos;

    return bytes == 1 ? MIN(count, 0xff) : MIN(count, 0xffff);
}

static uint32_t sts_read(const TpmTis *s, uint8_t locality, unsigned bytes)
{
    if (s->active != locality) {
        return UINT32_MAX;
    }
    return s->sts | (s->is_selftested ? STS_SELFTEST_DONE : 0) |
           burst_count(s, bytes) << STS_BURST_SHIFT | (is_2_0(s) ? STS_FAMILY_2_0 : 0);
}

/* --- the FIFO --- */

static uint8_t fifo_get(TpmTis *s, uint8_t locality)
{
    uint8_t byte;

    if (s->active != locality || s->state != TIS_COMPLETION || s->pos >= s->answer_bytes) {
        return 0xff;
    }
    byte = s->port.buffer[s->pos++];
    if (s->pos == s->answer_bytes) {
        s->sts = STS_VALID;
        raise_irq(s, locality, INT_STS_VALID);
    }
    return byte;
}

static void note_received(TpmTis *s)
{
    bool was_valid = s->sts & STS_VALID;

    if (s->pos < TPM_HEADER_BYTES || tpm_message_bytes(s->port.buffer) > s->pos) {
        s->sts = STS_EXPECT | STS_VALID;
        return;
    }
    s->sts = STS_VALID;
    if (!was_valid) {
        raise_irq(s, s->active, INT_STS_VALID);
    }
}

static void fifo_put(TpmTis *s, uint8_t locality, uint8_t byte)
{
    if (s->active != locality || s->is_aborting) {
        return;
    }
    if (s->state == TIS_READY) {
        s->state = TIS_RECEPTION;
        s->sts = STS_EXPECT;
    }
    if (s->state != TIS_RECEPTION || !(s->sts & STS_EXPECT)) {
        return;
    }
    if (s->pos < s->port.user.buffer_bytes) {
        s->port.buffer[s->pos++] = byte;
        note_received(s);
    } else {
        s->sts = STS_VALID; /* it cannot be that long: the TPM will say so */
    }
}

static bool is_fifo(unsigned reg)
{
    return reg == REG_DATA_FIFO || (reg >= REG_XDATA_FIFO && reg <= REG_XDATA_FIFO_LAST);
}

/* --- registers --- */

static uint32_t interface_id(const TpmTis *s)
{
    return is_2_0(s) ? INTERFACE_5_LOCALITIES | INTERFACE_HAS_FIFO |
                           (s->is_interface_locked ? INTERFACE_LOCKED : 0)
                     : INTERFACE_NONE;
}

static uint32_t register_value(const TpmTis *s, uint8_t locality, unsigned reg, unsigned bytes)
{
    switch (reg) {
    case REG_ACCESS:          return access_read(s, locality);
    case REG_INT_ENABLE:      return s->localities[locality].enabled;
    case REG_INT_VECTOR:      return s->irq;
    case REG_INT_STATUS:      return s->localities[locality].pending;
    case REG_STS:             return sts_read(s, locality, bytes);
    case REG_INTERFACE_ID:    return interface_id(s);
    case REG_DID_VID:         return DID_VID;
    case REG_RID:             return RID;
    case REG_INTF_CAPABILITY:
        return INT_SUPPORTED | CAPABILITY_LOW_LEVEL | CAPABILITY_64_BYTES |
               CAPABILITY_VERSION(is_2_0(s) ? 3u : 2u);
    default:                  return UINT32_MAX;
    }
}

static uint64_t tis_read(void *opaque, uint64_t offset, unsigned bytes)
{
    TpmTis *s = opaque;
    uint8_t locality = offset >> LOCALITY_SHIFT;
    unsigned reg = offset & 0xffc;
    uint32_t value = 0;

    if (!is_fifo(reg)) {
        value = register_value(s, locality, reg, bytes) >> 8 * (offset & 3);
        return value & UINT32_MAX >> (32 - 8 * bytes);
    }
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint32_t)fifo_get(s, locality) << 8 * i;
    }
    return value;
}

static void int_enable_write(TpmTis *s, uint8_t locality, uint32_t value)
{
    if (s->active == locality) {
        s->localities[locality].enabled = value & (INT_ENABLED | INT_POLARITY | INT_SUPPORTED);
        update_line(s);
    }
}

static void int_status_write(TpmTis *s, uint8_t locality, uint32_t value)
{
    if (s->active == locality) {
        s->localities[locality].pending &= ~value;
        update_line(s);
    }
}

static void tis_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    TpmTis *s = opaque;
    uint8_t locality = offset >> LOCALITY_SHIFT;
    unsigned reg = offset & 0xffc;
    uint32_t word = value << 8 * (offset & 3);

    switch (reg) {
    case REG_ACCESS:
        access_write(s, locality, word);
        break;
    case REG_INT_ENABLE:
        int_enable_write(s, locality, word);
        break;
    case REG_INT_STATUS:
        int_status_write(s, locality, word);
        break;
    case REG_STS:
        sts_write(s, locality, word);
        break;
    case REG_INTERFACE_ID:
        s->is_interface_locked |= (word & INTERFACE_LOCKED) != 0;
        break;
    default:
        for (unsigned i = 0; is_fifo(reg) && i < bytes; i++) {
            fifo_put(s, locality, value >> 8 * i);
        }
    }
}

static const MemoryOps tis_ops = {
    .read = tis_read, .write = tis_write, .endian = ENDIAN_LITTLE, .impl.max = 4,
    .valid = { .max = 4, .unaligned = true }, /* drivers read the burst count by itself */
};

/* --- life --- */

static void tis_init(Object *obj)
{
    memory_region_init_io(&TPM_TIS(obj)->region, obj, &tis_ops, "tpm-tis-mmio", TPM_TIS_BYTES);
    tpm_port_init(&TPM_TIS(obj)->port, DEVICE(obj));
}

static void tis_finalize(Object *obj)
{
    tpm_port_finalize(&TPM_TIS(obj)->port);
    memory_region_clear(&TPM_TIS(obj)->region);
}

static bool tis_realize(Device *dev, Error **errp)
{
    TpmTis *s = TPM_TIS(dev);
    MemoryRegion *memory = isa_device_bus(&s->parent)->memory;

    if (!isa_device_connect(&s->parent, &s->line, s->irq, errp) ||
        !tpm_port_realize(&s->port, memory, TPM_BUFFER_BYTES_MAX, tis_answered, errp)) {
        return false;
    }
    memory_region_add(memory, TPM_ADDRESS, &s->region);
    return true;
}

static void tis_unrealize(Device *dev)
{
    TpmTis *s = TPM_TIS(dev);
    MemoryRegion *memory = isa_device_bus(&s->parent)->memory;

    memory_region_remove(memory, &s->region);
    tpm_port_unrealize(&s->port, memory);
}

static void tis_reset(Device *dev)
{
    TpmTis *s = TPM_TIS(dev);

    tpm_port_reset(&s->port);
    memset(s->localities, 0, sizeof(s->localities));
    for (unsigned i = 0; i < TPM_LOCALITIES; i++) {
        s->localities[i].enabled = 1u << 3; /* low level */
    }
    s->active = s->next = NO_LOCALITY;
    s->is_aborting = s->is_selftested = s->is_interface_locked = false;
    s->answer_bytes = 0;
    become_idle(s);
    update_line(s);
}

static bool tis_pre_save(void *opaque, Error **errp)
{
    return tpm_port_pre_save(&TPM_TIS(opaque)->port, errp);
}

static bool tis_post_load(void *opaque, int version, Error **errp)
{
    TpmTis *s = opaque;

    if (s->state == TIS_EXECUTION || s->pos > sizeof(s->port.buffer) ||
        s->answer_bytes > sizeof(s->port.buffer) ||
        (s->state == TIS_COMPLETION && s->pos > s->answer_bytes) ||
        (!is_locality(s->active) && s->active != NO_LOCALITY)) {
        return error_set(errp, "tpm-tis: the saved state is not one that a TPM can be in");
    }
    update_line(s);
    return tpm_port_post_load(&s->port, errp);
}

static bool tis_has_ppi(void *opaque)
{
    return TPM_TIS(opaque)->port.has_ppi;
}

static TpmVersion tis_version(Device *dev)
{
    return TPM_TIS(dev)->port.backend->version;
}

static bool tis_device_has_ppi(Device *dev)
{
    return TPM_TIS(dev)->port.has_ppi;
}

static const TpmDevice tis_device = { tis_version, tis_device_has_ppi };

static const VMField locality_fields[] = {
    VM_U8(TisLocality, access), VM_U32(TisLocality, enabled), VM_U32(TisLocality, pending),
};
static const VMState locality_state = VMSTATE_INIT(locality_fields, .version = 1);
static const VMField tis_ppi_fields[] = { VM_STRUCT(TpmTis, port, tpm_ppi_state) };
static const VMState tis_ppi = VMSTATE_INIT(tis_ppi_fields, .name = "tpm-tis/ppi", .version = 1,
                                            .needed = tis_has_ppi);
static const VMField tis_fields[] = {
    VM_STRUCT(TpmTis, port, tpm_port_state), VM_STRUCT_ARRAY(TpmTis, localities, locality_state),
    VM_U8(TpmTis, active), VM_ENUM(TpmTis, state, TIS_STATES), VM_U8(TpmTis, sts),
    VM_BOOL(TpmTis, is_selftested), VM_BOOL(TpmTis, is_interface_locked), VM_U16(TpmTis, pos),
    VM_U16(TpmTis, answer_bytes),
};
static const Property tis_props[] = {
    PROP_U32("irq", TpmTis, irq, .initial = 5, .max = ISA_IRQS - 1, .doc = "Its interrupt"),
    PROP_TPMDEV(TpmTis, port),
    PROP_TPM_PPI(TpmTis, port),
};

static const DeviceType tis_type = {
    .name = TYPE_TPM_TIS,
    .doc = "TPM with the FIFO interface",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(TpmTis),
    .category = DEVICE_CATEGORY_MISC,
    .interfaces = (const InterfaceImpl[]){ { TYPE_TPM_DEVICE, &tis_device }, { 0 } },
    .properties = PROPERTIES(tis_props),
    .vmstate = VMSTATE(tis_fields, .version = 1, .pre_save = tis_pre_save,
                       .post_load = tis_post_load, .subsections = VM_SUBSECTIONS(&tis_ppi)),
    .init = tis_init,
    .finalize = tis_finalize,
    .realize = tis_realize,
    .unrealize = tis_unrealize,
    .reset_hold = tis_reset,
};
DEVICE_TYPE(tis_type)
