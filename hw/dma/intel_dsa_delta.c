/*
 * intel-dsa: delta records: for each 8-byte word that differs, its offset in words (2 bytes) and
 * what it becomes (8 bytes). Progress of both directions is whole entries.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#define WORD_BYTES  8u
#define ENTRY_BYTES 10u
#define CHUNK_BYTES 4096u

enum { RESULT_EQUAL, RESULT_RECORDED, RESULT_OVERFLOW };

static uint32_t chunk_bytes(const DsaRun *run)
{
    uint32_t at = run->done, left = dsa_size(run) - at;
    uint32_t a = CHUNK_BYTES - (dsa_quad(run, 16) + at) % CHUNK_BYTES;
    uint32_t b = CHUNK_BYTES - (dsa_quad(run, 24) + at) % CHUNK_BYTES;

    return MIN(left, MIN(a, b));
}

/* One chunk of words: what is compared but not recorded is not done. */
static DsaStep compare_words(IntelDsa *dsa, DsaRun *run, uint32_t bytes, bool *is_full)
{
    uint8_t a[CHUNK_BYTES], b[CHUNK_BYTES], entry[ENTRY_BYTES];
    uint32_t start = run->done;
    DsaStep step = dsa_read(dsa, run, (DsaSpan){ DSA_OP_1, dsa_quad(run, 16) + start, bytes }, a);

    step = step != DSA_DONE ? step :
           dsa_read(dsa, run, (DsaSpan){ DSA_OP_2, dsa_quad(run, 24) + start, bytes }, b);
    for (uint32_t at = 0; step == DSA_DONE && at < bytes && !*is_full; at += WORD_BYTES) {
        DsaSpan place = { DSA_OP_3, dsa_quad(run, 40) + run->value, ENTRY_BYTES };

        if (memcmp(a + at, b + at, WORD_BYTES)) {
            if (run->value + ENTRY_BYTES > dsa_long(run, 48)) {
                *is_full = true;
                break;
            }
            store_le16(entry, (start + at) / WORD_BYTES);
            memcpy(entry + 2, b + at, WORD_BYTES);
            step = dsa_write(dsa, run, place, entry);
            if (step != DSA_DONE) {
                break;
            }
            run->value += ENTRY_BYTES;
        }
        run->done = start + at + WORD_BYTES;
    }
    return step;
}

DsaStep dsa_create_delta(IntelDsa *dsa, DsaRun *run, uint32_t *budget)
{
    bool is_full = false;

    while (run->done < dsa_size(run) && !is_full) {
        uint32_t before = run->done;
        DsaStep step;

        if (!*budget) {
            return DSA_MORE;
        }
        step = compare_words(dsa, run, chunk_bytes(run), &is_full);
        if (run->done != before) {
            dsa_engine_of(dsa, run)->tries = 0;
        }
        *budget -= MIN(*budget, run->done - before);
        run->result = run->value ? RESULT_RECORDED : RESULT_EQUAL;
        if (step != DSA_DONE) {
            return step;
        }
    }
    if (is_full) {
        run->result = RESULT_OVERFLOW;
    } else {
        run->done = 0; /* nothing is left to resume */
    }
    return DSA_DONE;
}

/* --- apply --- */

static DsaStep apply_entry(IntelDsa *dsa, DsaRun *run)
{
    uint8_t entry[ENTRY_BYTES];
    DsaSpan from = { DSA_OP_1, dsa_quad(run, 16) + run->done, ENTRY_BYTES };
    DsaStep step = dsa_read(dsa, run, from, entry);
    DsaSpan to = { DSA_OP_3, dsa_quad(run, 24), WORD_BYTES };
    uint32_t word = load_le16(entry);

    if (step != DSA_DONE) {
        return step;
    }
    if (word + 1 <= run->last_offset) {
        run->status = DSA_DELTA_ORDER;
        return DSA_FAILS;
    }
    if (word * WORD_BYTES >= dsa_size(run)) {
        run->status = DSA_DELTA_RANGE;
        return DSA_FAILS;
    }
    to.addr += word * WORD_BYTES;
    step = dsa_write(dsa, run, to, entry + 2);
    if (step == DSA_DONE) {
        run->last_offset = word + 1;
        run->done += ENTRY_BYTES;
    }
    return step;
}

DsaStep dsa_apply_delta(IntelDsa *dsa, DsaRun *run, uint32_t *budget)
{
    while (run->done + ENTRY_BYTES <= dsa_long(run, 40)) {
        DsaStep step;

        if (!*budget) {
            return DSA_MORE;
        }
        step = apply_entry(dsa, run);
        if (step != DSA_DONE) {
            return step;
        }
        dsa_engine_of(dsa, run)->tries = 0;
        *budget -= MIN(*budget, ENTRY_BYTES);
    }
    return DSA_DONE;
}
