/*
 * intel-dsa: operations on ranges of bytes. Each is done in chunks that cross a page of none of its
 * operands: a chunk is read, worked on and written as a whole, or not counted. Operations with
 * units of their own (delta records, DIF blocks) are in files of their own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "util/crc32c.h"

#define CHUNK_BYTES 4096u

typedef struct Chunk {
    uint32_t at;    /* offset in the operands */
    uint32_t bytes;
} Chunk;

/* False in *goes_on: it is known how this ends. */
typedef DsaStep ChunkFn(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on);

static uint64_t source(const DsaRun *run)
{
    return dsa_quad(run, 16);
}

static uint64_t target(const DsaRun *run)
{
    return dsa_quad(run, 24);
}

static DsaSpan span(DsaOperand operand, uint64_t addr, Chunk chunk)
{
    return (DsaSpan){ operand, addr + chunk.at, chunk.bytes };
}

/* --- what is done to a chunk --- */

static DsaStep move(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on)
{
    uint8_t buf[CHUNK_BYTES];
    DsaStep step = dsa_read(dsa, run, span(DSA_OP_1, source(run), chunk), buf);

    return step != DSA_DONE ? step :
                              dsa_write(dsa, run, span(DSA_OP_3, target(run), chunk), buf);
}

static void repeat_pattern(uint8_t *buf, uint64_t pattern, Chunk chunk)
{
    for (uint32_t i = 0; i < chunk.bytes; i++) {
        buf[i] = pattern >> 8 * ((chunk.at + i) % 8);
    }
}

static DsaStep fill(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on)
{
    uint8_t buf[CHUNK_BYTES];

    repeat_pattern(buf, source(run), chunk);
    return dsa_write(dsa, run, span(DSA_OP_3, target(run), chunk), buf);
}

/* The first difference ends it: bytes completed are those before. */
static void find_difference(DsaRun *run, const uint8_t *a, const uint8_t *b, uint32_t bytes,
                            bool *goes_on)
{
    uint32_t same = 0;

    if (!memcmp(a, b, bytes)) {
        return;
    }
    while (a[same] == b[same]) {
        same++;
    }
    run->result = 1;
    run->done += same;
    *goes_on = false;
}

static DsaStep compare(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on)
{
    uint8_t a[CHUNK_BYTES], b[CHUNK_BYTES];
    DsaStep step = dsa_read(dsa, run, span(DSA_OP_1, source(run), chunk), a);

    step = step != DSA_DONE ? step : dsa_read(dsa, run, span(DSA_OP_2, target(run), chunk), b);
    if (step == DSA_DONE) {
        find_difference(run, a, b, chunk.bytes, goes_on);
    }
    return step;
}

static DsaStep compare_pattern(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on)
{
    uint8_t a[CHUNK_BYTES], b[CHUNK_BYTES];
    DsaStep step = dsa_read(dsa, run, span(DSA_OP_1, source(run), chunk), a);

    if (step == DSA_DONE) {
        repeat_pattern(b, target(run), chunk);
        find_difference(run, a, b, chunk.bytes, goes_on);
    }
    return step;
}

/* Both destinations are reached before either is written, so that they have as many bytes. */
static DsaStep dualcast(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on)
{
    DsaSpan first = span(DSA_OP_3, target(run), chunk);
    DsaSpan second = span(DSA_OP_4, dsa_quad(run, 40), chunk);
    uint8_t buf[CHUNK_BYTES];
    DsaStep step = dsa_read(dsa, run, span(DSA_OP_1, source(run), chunk), buf);

    step = step != DSA_DONE ? step : dsa_touch(dsa, run, second, true);
    step = step != DSA_DONE ? step : dsa_write(dsa, run, first, buf);
    return step != DSA_DONE ? step : dsa_write(dsa, run, second, buf);
}

static uint32_t reverse32(uint32_t value)
{
    uint32_t reversed = 0;

    for (unsigned bit = 0; bit < 32; bit++) {
        reversed |= (value >> bit & 1) << (31 - bit);
    }
    return reversed;
}

static void reverse_bytes(uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = reverse32(bytes[i]) >> 24;
    }
}

/* A plain one has the register itself in its fields, its high bit first. */
static void update_crc(DsaRun *run, uint8_t *bytes, uint32_t count)
{
    uint32_t flags = dsa_flags(run);
    uint32_t crc = flags & DSA_CRC_PLAIN ? ~reverse32(run->value) : run->value;

    if (flags & DSA_CRC_MSB) {
        reverse_bytes(bytes, count);
    }
    crc = crc32c(crc, bytes, count);
    run->value = flags & DSA_CRC_PLAIN ? reverse32(~crc) : crc;
}

static DsaStep crc(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on)
{
    uint8_t buf[CHUNK_BYTES];
    DsaStep step = dsa_read(dsa, run, span(DSA_OP_1, source(run), chunk), buf);

    if (step == DSA_DONE && dsa_opcode(run) == DSA_COPY_CRC) {
        step = dsa_write(dsa, run, span(DSA_OP_3, target(run), chunk), buf);
    }
    if (step == DSA_DONE) {
        update_crc(run, buf, chunk.bytes);
    }
    return step;
}

static DsaStep flush(IntelDsa *dsa, DsaRun *run, Chunk chunk, bool *goes_on)
{
    return dsa_touch(dsa, run, span(DSA_OP_3, target(run), chunk), true);
}

/* --- the operations: their addresses, by place in the descriptor --- */

#define AT(place) (1u << (place) / 8)

typedef struct RangeOp {
    ChunkFn *chunk;
    uint8_t places;
} RangeOp;

static const RangeOp range_ops[DSA_OPCODES] = {
    [DSA_MOVE] = { move, AT(16) | AT(24) },
    [DSA_FILL] = { fill, AT(24) },
    [DSA_COMPARE] = { compare, AT(16) | AT(24) },
    [DSA_COMPARE_PATTERN] = { compare_pattern, AT(16) },
    [DSA_DUALCAST] = { dualcast, AT(16) | AT(24) | AT(40) },
    [DSA_CRC] = { crc, AT(16) },
    [DSA_COPY_CRC] = { crc, AT(16) | AT(24) },
    [DSA_CACHE_FLUSH] = { flush, AT(24) },
};

/* A move onto its own end goes from the end. */
static bool is_backward(const DsaRun *run)
{
    return dsa_opcode(run) == DSA_MOVE && target(run) - source(run) < dsa_size(run) &&
           target(run) != source(run);
}

static Chunk next_chunk(const DsaRun *run, uint8_t places, bool backward)
{
    uint32_t size = dsa_size(run), bytes = MIN(size - run->done, CHUNK_BYTES);

    for (unsigned place = 16; place < 64; place += 8) {
        uint64_t addr = dsa_quad(run, place);
        uint32_t limit = backward ? (addr + size - run->done - 1) % CHUNK_BYTES + 1 :
                                    CHUNK_BYTES - (addr + run->done) % CHUNK_BYTES;

        if (places & AT(place)) {
            bytes = MIN(bytes, limit);
        }
    }
    return (Chunk){ backward ? size - run->done - bytes : run->done, bytes };
}

/* What comes before the first byte: the seed. */
static DsaStep prepare(IntelDsa *dsa, DsaRun *run)
{
    unsigned opcode = dsa_opcode(run);
    uint8_t seed[4];
    DsaStep step;

    if (opcode == DSA_CRC || opcode == DSA_COPY_CRC) {
        run->value = dsa_long(run, 40);
        if (dsa_flags(run) & DSA_CRC_SEED) {
            step = dsa_read(dsa, run, (DsaSpan){ DSA_OP_2, dsa_quad(run, 48), 4 }, seed);
            if (step != DSA_DONE) {
                return step;
            }
            run->value = load_le32(seed);
        }
    }
    run->is_prepared = true;
    return DSA_DONE;
}

static DsaStep run_range(IntelDsa *dsa, DsaRun *run, uint32_t *budget)
{
    const RangeOp *op = &range_ops[dsa_opcode(run)];
    bool goes_on = true, backward = is_backward(run);
    DsaStep step = run->is_prepared ? DSA_DONE : prepare(dsa, run);

    while (step == DSA_DONE && goes_on && run->done < dsa_size(run)) {
        Chunk chunk = next_chunk(run, op->places, backward);

        if (!*budget) {
            return DSA_MORE;
        }
        step = op->chunk(dsa, run, chunk, &goes_on);
        if (step == DSA_DONE) {
            run->done += goes_on ? chunk.bytes : 0;
            *budget -= MIN(*budget, chunk.bytes);
            dsa_engine_of(dsa, run)->tries = 0;
        }
    }
    if (step == DSA_FAILS && backward) {
        run->result = 1;
    }
    return step;
}

/* --- the end --- */

static bool is_compare(unsigned opcode)
{
    return opcode == DSA_COMPARE || opcode == DSA_COMPARE_PATTERN;
}

static unsigned final_status(const DsaRun *run)
{
    bool is_checked = dsa_flags(run) & DSA_CHECK;

    if (is_checked && is_compare(dsa_opcode(run)) && run->result != (run->d.bytes[40] & 1)) {
        return DSA_FALSE;
    }
    if (is_checked && dsa_opcode(run) == DSA_CREATE_DELTA &&
        !(run->d.bytes[56] & BIT(run->result))) {
        return DSA_FALSE;
    }
    return DSA_SUCCESS;
}

/* The last byte written is looked at once more, by the way that data took. */
static DsaStep read_back(IntelDsa *dsa, DsaRun *run)
{
    uint64_t bytes = dsa_dif_block(run) ? dsa_dif_target_bytes(run) : dsa_size(run);
    DsaSpan last = { DSA_OP_3, target(run) + bytes - 1, 1 };

    if (dsa_opcode(run) == DSA_CREATE_DELTA) {
        last.addr = dsa_quad(run, 40) + run->value - 1;
    }
    return run->done && dsa_flags(run) & DSA_READBACK ? dsa_touch(dsa, run, last, true) : DSA_DONE;
}

DsaStep dsa_execute(IntelDsa *dsa, DsaRun *run, uint32_t *budget)
{
    unsigned opcode = dsa_opcode(run);
    DsaStep step = DSA_DONE;

    if (range_ops[opcode].chunk) {
        step = run_range(dsa, run, budget);
    } else if (opcode == DSA_CREATE_DELTA) {
        step = dsa_create_delta(dsa, run, budget);
    } else if (opcode == DSA_APPLY_DELTA) {
        step = dsa_apply_delta(dsa, run, budget);
    } else if (opcode != DSA_NOOP) {
        step = dsa_dif(dsa, run, budget);
    }
    if (step == DSA_DONE && !run->status) {
        step = read_back(dsa, run);
        run->status = step == DSA_DONE ? final_status(run) : run->status;
    }
    return step;
}
