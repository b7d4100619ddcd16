/*
 * intel-dsa: what a descriptor is refused for, in a fixed order: the specification leaves it open.
 * What an operation permits is a row of a table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#define BYTES(first, last) (UINT64_MAX >> (63 - (last)) & UINT64_MAX << (first))
#define CACHES    (DSA_CACHE | DSA_READBACK)
#define NO_SUPPRESS (BIT(18) | BIT(19)) /* of a drain's own readbacks */
#define CRC_FLAGS (DSA_CRC_SEED | DSA_CRC_PLAIN | DSA_CRC_MSB)
#define RECORDED  (DSA_CRAV | DSA_RCR)
#define DELTA_SIZE_MOST   0x80000
#define DELTA_RECORD_LEAST 80
#define DELTA_ENTRY_BYTES  10
#define PASID_RESERVED 0x7ff00000

typedef struct Operation {
    uint32_t flags;    /* beside those that all have */
    uint32_t required;
    uint64_t reserved; /* bytes */
    bool is_there;
} Operation;

static const Operation operations[DSA_OPCODES] = {
    [DSA_NOOP] = { 0, 0, BYTES(16, 35) | BYTES(38, 63), true },
    [DSA_BATCH] = { DSA_TC_1, 0, BYTES(24, 31) | BYTES(38, 63), true },
    [DSA_DRAIN] = { NO_SUPPRESS, 0, BYTES(16, 35) | BYTES(38, 63), true },
    [DSA_MOVE] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2, 0, BYTES(38, 63), true },
    [DSA_FILL] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_2, 0, BYTES(38, 63), true },
    [DSA_COMPARE] = { DSA_BOF | DSA_CHECK | DSA_TC_1 | DSA_TC_2, RECORDED,
                      BYTES(38, 39) | BYTES(41, 63), true },
    [DSA_COMPARE_PATTERN] = { DSA_BOF | DSA_CHECK | DSA_TC_1, RECORDED,
                              BYTES(38, 39) | BYTES(41, 63), true },
    [DSA_CREATE_DELTA] = { DSA_BOF | DSA_CHECK | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2 |
                               DSA_TC_3, RECORDED,
                           BYTES(38, 39) | BYTES(52, 55) | BYTES(57, 63), true },
    [DSA_APPLY_DELTA] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2, 0,
                          BYTES(38, 39) | BYTES(44, 63), true },
    [DSA_DUALCAST] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2 | DSA_TC_3, 0,
                       BYTES(38, 39) | BYTES(48, 63), true },
    [DSA_CRC] = { DSA_BOF | DSA_TC_1 | DSA_TC_3 | CRC_FLAGS, RECORDED,
                  BYTES(24, 31) | BYTES(38, 39) | BYTES(44, 63), true },
    [DSA_COPY_CRC] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2 | DSA_TC_3 | CRC_FLAGS,
                       RECORDED, BYTES(38, 39) | BYTES(44, 63), true },
    [DSA_DIF_CHECK] = { DSA_BOF | DSA_TC_1, RECORDED,
                        BYTES(24, 31) | BYTES(38, 39) | BYTES(41, 41) | BYTES(43, 47) |
                            BYTES(56, 63), true },
    [DSA_DIF_INSERT] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2, 0,
                         BYTES(38, 40) | BYTES(43, 55), true },
    [DSA_DIF_STRIP] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2, 0,
                        BYTES(38, 39) | BYTES(41, 41) | BYTES(43, 47) | BYTES(56, 63), true },
    [DSA_DIF_UPDATE] = { DSA_BOF | CACHES | DSA_STRICT | DSA_TC_1 | DSA_TC_2, 0,
                         BYTES(38, 39) | BYTES(43, 47), true },
    [DSA_CACHE_FLUSH] = { DSA_BOF | DSA_READBACK | DSA_STRICT | DSA_TC_2, 0,
                          BYTES(16, 23) | BYTES(38, 63), true },
};

static bool is_crc(unsigned opcode)
{
    return opcode == DSA_CRC || opcode == DSA_COPY_CRC;
}

static uint32_t wqcfg_of(IntelDsa *dsa, const DsaRun *run, unsigned dword)
{
    return *dsa_wqcfg(dsa, run->d.wq, dword);
}

static bool is_user(const DsaRun *run)
{
    return run->d.has_pasid && !run->d.is_privileged;
}

/* --- opcode, flags, reserved fields --- */

static bool is_permitted(IntelDsa *dsa, const DsaRun *run)
{
    unsigned opcode = dsa_opcode(run);
    uint64_t there = dsa->opcap;

    if (dsa->has_wq_opcfg) {
        there &= wqcfg_of(dsa, run, DSA_WQ_OPCFG) |
                 (uint64_t)wqcfg_of(dsa, run, DSA_WQ_OPCFG + 1) << 32;
    }
    return opcode < DSA_OPCODES && operations[opcode].is_there && there & BIT64(opcode) &&
           !(run->is_member && (opcode == DSA_BATCH || opcode == DSA_DRAIN));
}

static uint32_t bad_flags(IntelDsa *dsa, const DsaRun *run)
{
    const Operation *op = &operations[dsa_opcode(run)];
    uint32_t flags = dsa_flags(run);
    uint32_t allowed = op->flags | DSA_CRAV | DSA_RCI | (run->is_member ? DSA_FENCE : 0);
    uint32_t missing = op->required & ~flags;

    if (flags & DSA_CRAV) {
        allowed |= DSA_RCR | DSA_TC_CR;
    }
    if (!(wqcfg_of(dsa, run, DSA_WQ_MODE) & DSA_MODE_BOF)) {
        allowed &= ~DSA_BOF;
    }
    if (is_user(run) && !(dsa->gencfg & DSA_GENCFG_USER_IRQS)) {
        allowed &= ~DSA_RCI;
    }
    if (is_crc(dsa_opcode(run)) && !(flags & DSA_CRC_SEED)) {
        allowed &= ~DSA_TC_3;
    }
    if (dsa_opcode(run) == DSA_DRAIN && !(flags & (DSA_RCR | DSA_RCI))) {
        missing |= DSA_RCR;
    }
    return (flags & ~allowed) | missing;
}

static bool has_reserved(const DsaRun *run)
{
    uint64_t reserved = operations[dsa_opcode(run)].reserved;
    uint32_t flags = dsa_flags(run);

    if (is_crc(dsa_opcode(run)) && flags & DSA_CRC_SEED) {
        reserved = (reserved | BYTES(40, 47)) & ~BYTES(48, 55);
    }
    reserved |= flags & DSA_RCI ? 0 : BYTES(36, 37);
    reserved |= flags & DSA_CRAV ? 0 : BYTES(8, 15);
    for (unsigned at = 0; at < 64; at++) {
        if (reserved & BIT64(at) && run->d.bytes[at]) {
            return true;
        }
    }
    return false;
}

static bool has_reserved_pasid(IntelDsa *dsa, const DsaRun *run)
{
    return !run->is_member && !(wqcfg_of(dsa, run, DSA_WQ_MODE) & DSA_MODE_DEDICATED) &&
           dsa_long(run, 0) & PASID_RESERVED;
}

/* --- sizes --- */

static unsigned check_sizes(IntelDsa *dsa, const DsaRun *run)
{
    uint32_t size = dsa_size(run), limits = wqcfg_of(dsa, run, DSA_WQ_LIMITS);
    uint64_t most = BIT64(limits & 0x1f);

    switch (dsa_opcode(run)) {
    case DSA_NOOP:
    case DSA_DRAIN:
        return 0;
    case DSA_BATCH:
        return size < 2 || size > BIT64(limits >> 5) ? DSA_BAD_COUNT : 0;
    }
    if (!size || size > most || (dsa_opcode(run) == DSA_CREATE_DELTA && size > DELTA_SIZE_MOST) ||
        (dsa_dif_block(run) && size % dsa_dif_block(run))) {
        return DSA_BAD_SIZE;
    }
    if (dsa_opcode(run) == DSA_CREATE_DELTA) {
        return dsa_long(run, 48) < DELTA_RECORD_LEAST || dsa_long(run, 48) > most ? DSA_BAD_DELTA :
                                                                                   0;
    }
    if (dsa_opcode(run) == DSA_APPLY_DELTA) {
        return dsa_long(run, 40) < DELTA_ENTRY_BYTES || dsa_long(run, 40) > most ? DSA_BAD_DELTA :
                                                                                  0;
    }
    return 0;
}

/* --- alignment and overlap --- */

static unsigned check_alignment(const DsaRun *run)
{
    uint64_t a = dsa_quad(run, 16), b = dsa_quad(run, 24);

    switch (dsa_opcode(run)) {
    case DSA_BATCH:
        return a % 64 ? DSA_BAD_LIST : 0;
    case DSA_CREATE_DELTA:
        return (a | b | dsa_size(run)) % 8 ? DSA_BAD_ALIGNMENT : 0;
    case DSA_APPLY_DELTA:
        return (b | dsa_size(run)) % 8 ? DSA_BAD_ALIGNMENT : 0;
    case DSA_CRC:
    case DSA_COPY_CRC:
        return dsa_flags(run) & DSA_CRC_SEED && dsa_quad(run, 48) % 4 ? DSA_BAD_ALIGNMENT : 0;
    case DSA_DUALCAST:
        return (b ^ dsa_quad(run, 40)) & 0xfff ? DSA_BAD_DUALCAST : 0;
    }
    return 0;
}

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
    return b - a < a_bytes || a - b < b_bytes;
}

static bool do_overlap(const DsaRun *run)
{
    uint64_t a = dsa_quad(run, 16), b = dsa_quad(run, 24), c = dsa_quad(run, 40);
    uint64_t size = dsa_size(run);

    switch (dsa_opcode(run)) {
    case DSA_COPY_CRC:
        return overlap(a, size, b, size);
    case DSA_DUALCAST:
        return overlap(a, size, b, size) || overlap(a, size, c, size) || overlap(b, size, c, size);
    case DSA_CREATE_DELTA:
        return overlap(a, size, c, dsa_long(run, 48)) || overlap(b, size, c, dsa_long(run, 48));
    case DSA_APPLY_DELTA:
        return overlap(a, dsa_long(run, 40), b, size);
    case DSA_DIF_INSERT:
    case DSA_DIF_STRIP:
    case DSA_DIF_UPDATE:
        return overlap(a, size, b, dsa_dif_target_bytes(run));
    }
    return false;
}

/* --- traffic classes --- */

/* Of the group that a WQ is in: its flags choose two, A and B. */
static uint32_t classes_of(const IntelDsa *dsa, unsigned wq)
{
    unsigned group = 0;

    while (group + 1 < dsa->group_count && !(dsa_group_wqs(dsa, group) >> wq & 1)) {
        group++;
    }
    return dsa_group_quad(dsa, group, 5) & 0x3f;
}

/* `selectors`: DSA_TC_* of the addresses that are used; set, they mean B. */
static bool are_classes_there(IntelDsa *dsa, const DsaRun *run, uint32_t selectors)
{
    uint32_t classes = classes_of(dsa, run->d.wq), there = dsa_traffic_classes(dsa);
    bool uses_a = selectors & ~dsa_flags(run), uses_b = selectors & dsa_flags(run);

    return (!uses_a || there >> (classes & 7) & 1) && (!uses_b || there >> (classes >> 3) & 1);
}

static uint32_t data_selectors(const DsaRun *run)
{
    bool has_seed = !is_crc(dsa_opcode(run)) || dsa_flags(run) & DSA_CRC_SEED;

    return operations[dsa_opcode(run)].flags &
           (DSA_TC_1 | DSA_TC_2 | (has_seed ? DSA_TC_3 : 0));
}

/* --- interrupts --- */

static bool is_handle_good(IntelDsa *dsa, const DsaRun *run)
{
    unsigned handle = load_le16(run->d.bytes + 36);
    uint32_t permission;

    if (handle >= dsa_vectors(dsa) ||
        (dsa->has_int_handles && !(dsa->handles & BIT64(handle)))) {
        return false;
    }
    permission = dsa->msixperm[handle];
    return !(permission & BIT(3)) == !run->d.has_pasid &&
           (!run->d.has_pasid || permission >> 12 == run->d.pasid);
}

bool dsa_may_interrupt(IntelDsa *dsa, const DsaRun *run)
{
    return dsa_flags(run) & DSA_RCI && is_handle_good(dsa, run) &&
           (!is_user(run) || dsa->gencfg & DSA_GENCFG_USER_IRQS);
}

unsigned dsa_check(IntelDsa *dsa, DsaRun *run)
{
    uint32_t flags = dsa_flags(run);
    unsigned error;

    if (flags & DSA_CRAV && dsa_cra(run) % 32) {
        return DSA_BAD_CRA;
    }
    if (!is_permitted(dsa, run)) {
        return DSA_BAD_OPCODE;
    }
    run->info = bad_flags(dsa, run);
    if (run->info) {
        return DSA_BAD_FLAGS;
    }
    if (has_reserved(run) || has_reserved_pasid(dsa, run)) {
        return DSA_BAD_RESERVED;
    }
    if (run->d.is_privileged && !dsa_may_be_privileged(dsa)) {
        return DSA_BAD_PRIVILEGE;
    }
    if (flags & DSA_CRAV && !are_classes_there(dsa, run, DSA_TC_CR)) {
        return DSA_BAD_CLASS;
    }
    error = check_sizes(dsa, run);
    error = error ? error : check_alignment(run);
    if (error) {
        return error;
    }
    if (do_overlap(run)) {
        return DSA_OVERLAP;
    }
    if (flags & DSA_RCI && !is_handle_good(dsa, run)) {
        return DSA_BAD_HANDLE;
    }
    return are_classes_there(dsa, run, data_selectors(run)) ? 0 : DSA_BAD_CLASS;
}
