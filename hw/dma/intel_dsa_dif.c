/*
 * intel-dsa: data integrity fields: 8 bytes behind each block (a guard, an application tag, a
 * reference tag, big-endian) that are checked, inserted, stripped or replaced. Progress is whole
 * blocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#define FIELD_BYTES 8u
#define BLOCK_MOST  4104u
#define POLYNOMIAL  0x8bb7
/* Flags, of a side */
#define REF_FIXED    BIT(7)
#define REF_PASS     BIT(6) /* source: do not check; destination: as it was */
#define GUARD_PASS   BIT(5)
#define APP_MOVES    BIT(4)
#define APP_PASS     BIT(3) /* of a destination */
#define SKIP_APP_REF BIT(3) /* of a source: all ones mean no check */
#define SKIP_APP     BIT(2)
#define SKIP_ALL     BIT(1)
#define ALL_IS_ERROR BIT(0)
/* Flags of all blocks */
#define SEED_ONES    BIT(2)
#define GUARD_INVERTED BIT(3)
/* Status */
#define BAD_GUARD BIT(0)
#define BAD_APP   BIT(1)
#define BAD_REF   BIT(2)
#define BAD_ALL   BIT(3)

enum { SOURCE, TARGET };

typedef struct Field {
    uint16_t guard, app;
    uint32_t ref;
} Field;

static bool has_source_field(const DsaRun *run)
{
    return dsa_opcode(run) != DSA_DIF_INSERT;
}

static bool has_target(const DsaRun *run)
{
    return dsa_opcode(run) != DSA_DIF_CHECK;
}

static bool has_target_field(const DsaRun *run)
{
    return dsa_opcode(run) == DSA_DIF_INSERT || dsa_opcode(run) == DSA_DIF_UPDATE;
}

static uint8_t side_flags(const DsaRun *run, unsigned side)
{
    return run->d.bytes[40 + side];
}

static uint16_t app_mask(const DsaRun *run, unsigned side)
{
    return load_le16(run->d.bytes + 52 + 8 * side);
}

static uint32_t data_bytes(const DsaRun *run)
{
    static const uint32_t sizes[4] = { 512, 520, 4096, 4104 };

    return sizes[run->d.bytes[42] & 3];
}

/* What the transfer size counts in; 0: no DIF operation. */
uint32_t dsa_dif_block(const DsaRun *run)
{
    unsigned opcode = dsa_opcode(run);

    return opcode < DSA_DIF_CHECK || opcode > DSA_DIF_UPDATE ? 0 :
           data_bytes(run) + (has_source_field(run) ? FIELD_BYTES : 0);
}

uint64_t dsa_dif_target_bytes(const DsaRun *run)
{
    uint64_t blocks = dsa_size(run) / dsa_dif_block(run);

    return blocks * (data_bytes(run) + has_target_field(run) * FIELD_BYTES);
}

/* --- fields --- */

/* What each high byte of the register leaves behind. */
static uint16_t guard_table[256];

static void CONSTRUCTOR make_guard_table(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint16_t crc = byte << 8;

        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc << 1 ^ (crc & 0x8000 ? POLYNOMIAL : 0);
        }
        guard_table[byte] = crc;
    }
}

static Field load_field(const uint8_t *at)
{
    return (Field){ load_be16(at), load_be16(at + 2), load_be32(at + 4) };
}

static void store_field(uint8_t *at, Field field)
{
    store_be16(at, field.guard);
    store_be16(at + 2, field.app);
    store_be32(at + 4, field.ref);
}

static uint16_t guard_of(const DsaRun *run, const uint8_t *data, uint32_t bytes)
{
    uint8_t flags = run->d.bytes[42];
    uint16_t crc = flags & SEED_ONES ? 0xffff : 0;

    for (uint32_t i = 0; i < bytes; i++) {
        crc = crc << 8 ^ guard_table[crc >> 8 ^ data[i]];
    }
    return flags & GUARD_INVERTED ? ~crc : crc;
}

/* The field that a side should have for these data by now. */
static Field expected(const DsaRun *run, unsigned side, const uint8_t *data)
{
    return (Field){ guard_of(run, data, data_bytes(run)),
                    run->blocks_app[side] & ~app_mask(run, side), run->blocks_ref[side] };
}

static void advance(DsaRun *run, unsigned side)
{
    run->blocks_app[side] += side_flags(run, side) & APP_MOVES ? 1 : 0;
    run->blocks_ref[side] += side_flags(run, side) & REF_FIXED ? 0 : 1;
}

static bool is_skipped(uint8_t flags, Field found, uint8_t *status)
{
    bool is_app = found.app == 0xffff, is_ref = found.ref == UINT32_MAX;

    if (flags & SKIP_ALL && is_app && is_ref && found.guard == 0xffff) {
        *status = flags & ALL_IS_ERROR ? BAD_ALL : 0;
        return true;
    }
    return (flags & SKIP_APP && is_app) || (flags & SKIP_APP_REF && is_app && is_ref);
}

/* 0: the block is good. */
static uint8_t check_block(const DsaRun *run, const uint8_t *block)
{
    uint8_t flags = side_flags(run, SOURCE), status = 0;
    uint16_t mask = app_mask(run, SOURCE);
    Field found = load_field(block + data_bytes(run)), wanted;

    if (is_skipped(flags, found, &status)) {
        return status;
    }
    wanted = expected(run, SOURCE, block);
    return (!(flags & GUARD_PASS) && found.guard != wanted.guard ? BAD_GUARD : 0) |
           (mask != 0xffff && (found.app & ~mask) != wanted.app ? BAD_APP : 0) |
           (!(flags & REF_PASS) && found.ref != wanted.ref ? BAD_REF : 0);
}

/* In the block's field: what it had passes through where the flags say so. */
static void renew_field(const DsaRun *run, uint8_t *block)
{
    uint8_t flags = has_source_field(run) ? side_flags(run, TARGET) : 0;
    Field old = load_field(block + data_bytes(run)), renewed = expected(run, TARGET, block);

    store_field(block + data_bytes(run),
                (Field){ flags & GUARD_PASS ? old.guard : renewed.guard,
                         flags & APP_PASS ? old.app : renewed.app,
                         flags & REF_PASS ? old.ref : renewed.ref });
}

/* --- blocks --- */

static DsaStep one_block(IntelDsa *dsa, DsaRun *run)
{
    uint8_t block[BLOCK_MOST + FIELD_BYTES] = { 0 };
    uint32_t in = dsa_dif_block(run), out = data_bytes(run) + has_target_field(run) * FIELD_BYTES;
    uint64_t number = run->done / in;
    DsaStep step = dsa_read(dsa, run, (DsaSpan){ DSA_OP_1, dsa_quad(run, 16) + run->done, in },
                            block);

    if (step != DSA_DONE) {
        return step;
    }
    run->result = has_source_field(run) ? check_block(run, block) : 0;
    if (run->result) {
        run->status = DSA_DIF_ERROR;
        return DSA_FAILS;
    }
    if (has_target_field(run)) {
        renew_field(run, block);
    }
    if (has_target(run)) {
        step = dsa_write(dsa, run, (DsaSpan){ DSA_OP_3, dsa_quad(run, 24) + number * out, out },
                         block);
    }
    if (step == DSA_DONE) {
        run->done += in;
        advance(run, SOURCE);
        advance(run, TARGET);
    }
    return step;
}

static void take_seeds(DsaRun *run)
{
    for (unsigned side = 0; side < 2; side++) {
        run->blocks_ref[side] = dsa_long(run, 48 + 8 * side);
        run->blocks_app[side] = load_le16(run->d.bytes + 54 + 8 * side);
    }
    run->is_prepared = true;
}

DsaStep dsa_dif(IntelDsa *dsa, DsaRun *run, uint32_t *budget)
{
    if (!run->is_prepared) {
        take_seeds(run);
    }
    while (run->done < dsa_size(run)) {
        DsaStep step;

        if (!*budget) {
            return DSA_MORE;
        }
        step = one_block(dsa, run);
        if (step != DSA_DONE) {
            return step;
        }
        dsa_engine_of(dsa, run)->tries = 0;
        *budget -= MIN(*budget, dsa_dif_block(run));
    }
    return DSA_DONE;
}
