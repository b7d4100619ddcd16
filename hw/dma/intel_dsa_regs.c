/*
 * intel-dsa: the registers of BAR 0 (Data Streaming Accelerator Architecture Specification,
 * chapter 9) as 4-byte rows. Aligned accesses of 1 to 8 bytes; the bytes that a write leaves out
 * keep their value. What is configuration is writable only in the states that each row's function
 * names; everything else is dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "util/log.h"

#define REGISTER_BYTES 0x10000
#define VERSION        0x100
#define OFFSET_MSIXPERM 0x400
#define OFFSET_GRPCFG   0x600
#define OFFSET_WQCFG    0x800
#define OFFSETS_LOW    (UINT64_C(OFFSET_MSIXPERM / 0x100) << 32 | (OFFSET_WQCFG / 0x100) << 16 |   \
                        OFFSET_GRPCFG / 0x100)
#define COMMAND_BITS_ALWAYS  0x1ffe /* 1 to 12 */
#define COMMAND_BITS_HANDLES 0x6000 /* 13, 14 */
#define MSIXPERM_BITS  0xfffff00c
#define EVLSTATUS_HEAD 0xffff
#define EVLSTATUS_PENDING BIT(30) /* of the high half */
#define MODE_ALWAYS    (0xffffff0 | DSA_MODE_DEDICATED | DSA_MODE_BOF | DSA_MODE_PASID |           \
                        DSA_MODE_PRIVILEGED)
#define MODE_BY_GUEST  (DSA_MODE_DEDICATED | DSA_MODE_PASID | DSA_MODE_PRIVILEGED | 0xfffff00)
#define LIMITS_BITS    0x1ff
#define OCCUPANCY_IRQ_BITS   0x1ffff
#define OCCUPANCY_LIMIT_BITS 0x1ffff
#define WQ_MODE_SUPPORT BIT(29)
#define DEFAULT_XFER_SHIFT 21
#define DEFAULT_BATCH_SHIFT 5

/* --- capabilities --- */

uint64_t dsa_gencap(const IntelDsa *dsa)
{
    return 0x107 | (dsa->has_int_handles ? DSA_GENCAP_CMDCAP : 0) |
           (dsa->has_event_log ? DSA_GENCAP_EVENT_LOG : 0) | dsa->max_xfer_shift << 16 |
           dsa->max_batch_shift << 21 | (dsa->is_configurable ? DSA_GENCAP_CONFIGURABLE : 0);
}

static unsigned wq_dwords(const IntelDsa *dsa)
{
    return dsa->has_wq_opcfg ? 16 : 8;
}

/* Sizes, shared and dedicated mode, priorities, occupancy and its interrupt. */
static uint64_t wqcap(const IntelDsa *dsa)
{
    return dsa->wq_size | dsa->wq_count << 16 | (uint64_t)dsa->has_wq_opcfg << 24 |
           UINT64_C(0x3b) << 48 | (dsa->has_wq_ats_control ? DSA_WQCAP_ATS_CONTROL : 0) |
           (dsa->has_wq_opcfg ? DSA_WQCAP_OPCFG : 0);
}

static uint64_t grpcap(const IntelDsa *dsa)
{
    return dsa->group_count | dsa->read_buffers << 8 | (dsa->read_buffers ? 0x30000 : 0);
}

static uint64_t half(uint64_t quad, unsigned n)
{
    return n ? quad >> 32 : quad & UINT32_MAX;
}

static uint64_t read_version(Device *dev, unsigned n)
{
    return VERSION;
}

static uint64_t read_gencap(Device *dev, unsigned n)
{
    return half(dsa_gencap(INTEL_DSA(dev)), n);
}

static uint64_t read_wqcap(Device *dev, unsigned n)
{
    return half(wqcap(INTEL_DSA(dev)), n);
}

static uint64_t read_grpcap(Device *dev, unsigned n)
{
    return half(grpcap(INTEL_DSA(dev)), n);
}

static uint64_t read_engcap(Device *dev, unsigned n)
{
    return n ? 0 : INTEL_DSA(dev)->engine_count;
}

static uint64_t read_opcap(Device *dev, unsigned n)
{
    return n < 2 ? half(INTEL_DSA(dev)->opcap, n) : 0;
}

static uint64_t read_offsets(Device *dev, unsigned n)
{
    return n < 2 ? half(OFFSETS_LOW, n) : 0;
}

static uint64_t read_gensts(Device *dev, unsigned n)
{
    return INTEL_DSA(dev)->state | INTEL_DSA(dev)->reset_type << 2;
}

static uint64_t read_zero(Device *dev, unsigned n)
{
    return 0;
}

static uint64_t read_cmdcap(Device *dev, unsigned n)
{
    return INTEL_DSA(dev)->has_int_handles ? COMMAND_BITS_ALWAYS | COMMAND_BITS_HANDLES : 0;
}

/* --- configuration of the device and of groups --- */

static bool is_disabled(const IntelDsa *dsa)
{
    return dsa->state == DSA_DISABLED;
}

static void set_bits(uint32_t *field, uint32_t mask, uint32_t value)
{
    *field = (*field & ~mask) | (value & mask);
}

static void write_gencfg(Device *dev, unsigned n, uint64_t value)
{
    IntelDsa *dsa = INTEL_DSA(dev);
    uint32_t mask = DSA_GENCFG_LIMIT | DSA_GENCFG_USER_IRQS |
                    (dsa->has_event_log ? DSA_GENCFG_EVENT_LOG : 0);

    if (is_disabled(dsa)) {
        set_bits(&dsa->gencfg, mask, value);
    }
}

static void write_command(Device *dev, unsigned n, uint64_t value)
{
    dsa_command(INTEL_DSA(dev), value);
}

static void write_evlcfg(Device *dev, unsigned n, uint64_t value)
{
    static const uint32_t masks[4] = { 0xfffff003, UINT32_MAX, UINT32_MAX, 0xf };
    IntelDsa *dsa = INTEL_DSA(dev);

    if (is_disabled(dsa) && dsa->has_event_log) {
        set_bits(&dsa->evlcfg[n], masks[n], value);
    }
}

static void write_evlstatus(Device *dev, unsigned n, uint64_t value)
{
    IntelDsa *dsa = INTEL_DSA(dev);

    if (!dsa->has_event_log) {
        return;
    }
    if (n) {
        dsa->evlstatus[1] &= ~(uint32_t)(value & EVLSTATUS_PENDING);
    } else {
        set_bits(&dsa->evlstatus[0], EVLSTATUS_HEAD, value);
        dsa_kick(dsa); /* an engine may wait for room */
    }
}

static void write_grpcfg(Device *dev, unsigned n, uint64_t value)
{
    IntelDsa *dsa = INTEL_DSA(dev);

    if (is_disabled(dsa) && dsa->is_configurable) {
        dsa->grpcfg[n] = value;
    }
}

static uint64_t read_msixperm(Device *dev, unsigned n)
{
    return n < dsa_vectors(INTEL_DSA(dev)) ? INTEL_DSA(dev)->msixperm[n] : 0;
}

static void write_msixperm(Device *dev, unsigned n, uint64_t value)
{
    if (n < dsa_vectors(INTEL_DSA(dev))) {
        INTEL_DSA(dev)->msixperm[n] = value & MSIXPERM_BITS;
    }
}

/* --- work queues --- */

/* Rows are by the shortest form: where a WQ and a dword of it are depends on WQCAP. */
static uint32_t *find_wqcfg(IntelDsa *dsa, unsigned n, unsigned *wq, unsigned *dword)
{
    *wq = n / wq_dwords(dsa);
    *dword = n % wq_dwords(dsa);
    return *wq < dsa->wq_count ? dsa_wqcfg(dsa, *wq, *dword) : NULL;
}

static uint64_t read_wqcfg(Device *dev, unsigned n)
{
    IntelDsa *dsa = INTEL_DSA(dev);
    unsigned wq, dword;
    uint32_t *field = find_wqcfg(dsa, n, &wq, &dword);

    if (!field) {
        return 0;
    }
    if (dword != DSA_WQ_STATE) {
        return *field;
    }
    return *field | dsa->wqs[wq].count | (dsa->is_configurable ? 0 : WQ_MODE_SUPPORT) |
           (uint32_t)dsa->wqs[wq].state << 30;
}

static uint32_t mode_bits(const IntelDsa *dsa)
{
    return (dsa->is_configurable ? MODE_ALWAYS : MODE_BY_GUEST) |
           (dsa->has_wq_ats_control ? DSA_MODE_NO_ATS : 0);
}

/* What a write may change of a WQ now. */
static uint32_t writable_wqcfg(IntelDsa *dsa, unsigned wq, unsigned dword)
{
    bool is_open = dsa->wqs[wq].state == DSA_DISABLED;

    switch (dword) {
    case DSA_WQ_SIZE:
        return is_disabled(dsa) && dsa->is_configurable ? 0xffff : 0;
    case DSA_WQ_THRESHOLD:
        return 0xffff;
    case DSA_WQ_MODE:
        return is_open ? mode_bits(dsa) : 0;
    case DSA_WQ_LIMITS:
        return is_open && dsa->is_configurable ? LIMITS_BITS : 0;
    case DSA_WQ_OCCUPANCY_IRQ:
        return is_open ? OCCUPANCY_IRQ_BITS : 0;
    case DSA_WQ_OCCUPANCY_LIMIT:
        return *dsa_wqcfg(dsa, wq, dword) & DSA_OCCUPANCY_ENABLE ? DSA_OCCUPANCY_ENABLE :
                                                                   OCCUPANCY_LIMIT_BITS;
    case DSA_WQ_STATE:
    case DSA_WQ_STATE + 1:
        return 0;
    }
    return is_open && dsa->is_configurable ? UINT32_MAX : 0;
}

static void write_wqcfg(Device *dev, unsigned n, uint64_t value)
{
    IntelDsa *dsa = INTEL_DSA(dev);
    unsigned wq, dword;
    uint32_t *field = find_wqcfg(dsa, n, &wq, &dword);

    if (!field) {
        return;
    }
    set_bits(field, writable_wqcfg(dsa, wq, dword), value);
    if (dword == DSA_WQ_STATE) {
        *field &= ~(uint32_t)(value & DSA_OCCUPANCY_DONE);
    }
    if (dword == DSA_WQ_STATE || dword == DSA_WQ_OCCUPANCY_LIMIT) {
        dsa_check_occupancy(dsa, wq);
    }
}

static const RegDef dsa_registers[] = {
    REG_COMPUTED(0x00, "VERSION", .read = read_version),
    REG_COMPUTED(0x10, "GENCAP", .read = read_gencap, .count = 2),
    REG_COMPUTED(0x20, "WQCAP", .read = read_wqcap, .count = 2),
    REG_COMPUTED(0x30, "GRPCAP", .read = read_grpcap, .count = 2),
    REG_COMPUTED(0x38, "ENGCAP", .read = read_engcap, .count = 2),
    REG_COMPUTED(0x40, "OPCAP", .read = read_opcap, .count = 8),
    REG_COMPUTED(0x60, "OFFSETS", .read = read_offsets, .count = 4),
    REG(0x80, "GENCFG", IntelDsa, gencfg, .write = write_gencfg),
    REG(0x88, "GENCTRL", IntelDsa, genctrl, .writable = 7),
    REG_COMPUTED(0x90, "GENSTS", .read = read_gensts),
    REG(0x98, "INTCAUSE", IntelDsa, intcause, .clear_on_1 = UINT32_MAX),
    REG_COMPUTED(0xa0, "CMD", .read = read_zero, .write = write_command),
    REG(0xa8, "CMDSTATUS", IntelDsa, cmdstatus),
    REG_COMPUTED(0xb0, "CMDCAP", .read = read_cmdcap),
    REG(0xc0, "SWERROR", IntelDsa, swerror[0], .clear_on_1 = 3),
    { .at = 0xc4, .name = "SWERROR", .field = offsetof(IntelDsa, swerror[1]), .field_size = 4,
      .count = 7 },
    REG_BANK(0xe0, "EVLCFG", IntelDsa, evlcfg, 4, .write = write_evlcfg),
    REG_BANK(0xf0, "EVLSTATUS", IntelDsa, evlstatus, 2, .write = write_evlstatus),
    REG_BANK(OFFSET_MSIXPERM, "MSIXPERM", IntelDsa, msixperm, DSA_VECTORS, .stride = 8,
             .read = read_msixperm, .write = write_msixperm),
    REG_BANK(OFFSET_GRPCFG, "GRPCFG", IntelDsa, grpcfg, DSA_MAX_GROUPS * DSA_GROUP_DWORDS,
             .write = write_grpcfg),
    REG_BANK(OFFSET_WQCFG, "WQCFG", IntelDsa, wqcfg, DSA_MAX_WQS * DSA_WQ_DWORDS,
             .read = read_wqcfg, .write = write_wqcfg),
};
const RegisterMap dsa_register_map = REG_MAP(dsa_registers, .size = REGISTER_BYTES, .width = 4,
                                             .endian = ENDIAN_LITTLE);

/* --- accesses --- */

static uint32_t read_dword(IntelDsa *dsa, uint64_t at)
{
    unsigned n;

    return register_find(&dsa_register_map, at, &n) ?
           register_read(&dsa->parent.parent, &dsa_register_map, at) : 0;
}

static uint64_t registers_read(void *opaque, uint64_t at, unsigned bytes)
{
    IntelDsa *dsa = opaque;
    uint64_t value = read_dword(dsa, at & ~UINT64_C(3));

    if (bytes == 8) {
        value |= (uint64_t)read_dword(dsa, at + 4) << 32;
    }
    return value >> 8 * (at & 3);
}

/* Bits that act when they are written as 1 are not among those that a narrow write repeats. */
static void write_dword(IntelDsa *dsa, uint64_t at, uint32_t value, uint32_t mask)
{
    static const struct { uint16_t at; uint32_t bits; } acts[] = {
        { 0x98, UINT32_MAX }, { 0xa0, UINT32_MAX }, { 0xc0, 3 }, { 0xf4, EVLSTATUS_PENDING },
    };
    uint32_t kept = ~mask;
    unsigned n;

    if (!register_find(&dsa_register_map, at, &n)) {
        guest_error(DSA_TYPE ": write of no register at 0x%" PRIx64, at);
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(acts); i++) {
        kept &= acts[i].at == at ? ~acts[i].bits : UINT32_MAX;
    }
    if (mask != UINT32_MAX) {
        value = (value & mask) | (read_dword(dsa, at) & kept);
    }
    register_write(&dsa->parent.parent, &dsa_register_map, at, value);
}

static void registers_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    unsigned shift = 8 * (at & 3);
    uint32_t mask = bytes < 4 ? (BIT(8 * bytes) - 1) << shift : UINT32_MAX;

    write_dword(opaque, at & ~UINT64_C(3), (uint32_t)value << shift, mask);
    if (bytes == 8) {
        write_dword(opaque, at + 4, value >> 32, UINT32_MAX);
    }
}

const MemoryOps dsa_register_ops = {
    .read = registers_read, .write = registers_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 8 }, .impl = { .min = 1, .max = 8 },
};

/* --- initial values --- */

static void deal_out(IntelDsa *dsa)
{
    unsigned wqs = MIN(dsa->wq_count, dsa->wq_size);

    for (unsigned wq = 0; wq < wqs; wq++) {
        *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE) = dsa->wq_size / wqs;
        *dsa_wqcfg(dsa, wq, DSA_WQ_THRESHOLD) = dsa->wq_size / wqs;
        *dsa_wqcfg(dsa, wq, DSA_WQ_MODE) = DSA_MODE_DEDICATED | 1 << 4;
        *dsa_wqcfg(dsa, wq, DSA_WQ_LIMITS) =
            MIN(dsa->max_xfer_shift, DEFAULT_XFER_SHIFT) |
            MIN(dsa->max_batch_shift, DEFAULT_BATCH_SHIFT) << 5;
    }
    dsa->grpcfg[0] = half(BIT64(wqs) - 1, 0);
    dsa->grpcfg[1] = half(BIT64(wqs) - 1, 1);
    dsa->grpcfg[8] = half(BIT64(dsa->engine_count) - 1, 0);
    dsa->grpcfg[9] = half(BIT64(dsa->engine_count) - 1, 1);
}

/* A device that cannot be configured comes with all it has in one group, all WQs alike. */
void dsa_reset_registers(IntelDsa *dsa)
{
    dsa->gencfg = dsa->read_buffers;
    dsa->genctrl = dsa->intcause = 0;
    memset(dsa->evlcfg, 0, sizeof(dsa->evlcfg));
    memset(dsa->msixperm, 0, sizeof(dsa->msixperm));
    memset(dsa->grpcfg, 0, sizeof(dsa->grpcfg));
    memset(dsa->wqcfg, 0, sizeof(dsa->wqcfg));
    for (unsigned group = 0; group < dsa->group_count; group++) {
        dsa->grpcfg[group * DSA_GROUP_DWORDS + 10] = dsa->read_buffers << 20;
    }
    for (unsigned wq = 0; wq < dsa->wq_count && dsa->has_wq_opcfg; wq++) {
        *dsa_wqcfg(dsa, wq, DSA_WQ_OPCFG) = half(dsa->opcap, 0);
        *dsa_wqcfg(dsa, wq, DSA_WQ_OPCFG + 1) = half(dsa->opcap, 1);
    }
    if (!dsa->is_configurable) {
        deal_out(dsa);
    }
}
