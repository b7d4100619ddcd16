/*
 * intel-dsa: what Enable Device and Enable WQ look at before they do it (chapter 3.12 of the
 * specification). Each check is a row with the error it gives; the first that fails is reported.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

typedef struct DeviceCheck {
    bool (*is_good)(IntelDsa *dsa);
    uint8_t error;
} DeviceCheck;

/* Group flags */
#define FLAG_GLOBAL      BIT64(7)
#define FLAGS_KNOWN      UINT64_C(0x0ff0ffbf)

static uint64_t group_flags(const IntelDsa *dsa, unsigned group)
{
    return dsa_group_quad(dsa, group, 5);
}

static unsigned reserved_buffers(const IntelDsa *dsa, unsigned group)
{
    return group_flags(dsa, group) >> 8 & 0xff;
}

static unsigned allowed_buffers(const IntelDsa *dsa, unsigned group)
{
    return group_flags(dsa, group) >> 20 & 0xff;
}

static bool is_bus_master(IntelDsa *dsa)
{
    return load_le16(dsa->parent.config + PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static bool has_page_credits(IntelDsa *dsa)
{
    uint32_t credits = dsa_page_credits(dsa);

    return !pcie_pri_is_enabled(&dsa->parent) || credits;
}

/* Translation requests that nobody would answer. */
static bool is_ats_served(IntelDsa *dsa)
{
    return !pcie_ats_is_enabled(&dsa->parent) || pcie_ats_is_served(&dsa->parent);
}

static bool fit_sizes(IntelDsa *dsa)
{
    uint32_t sum = 0;

    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        sum += *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE);
    }
    return sum <= dsa->wq_size;
}

static bool are_groups_whole(IntelDsa *dsa)
{
    for (unsigned group = 0; group < dsa->group_count; group++) {
        if (!dsa_group_wqs(dsa, group) != !dsa_group_engines(dsa, group)) {
            return false;
        }
    }
    for (unsigned n = dsa->group_count * DSA_GROUP_DWORDS; n < ARRAY_SIZE(dsa->grpcfg); n++) {
        if (dsa->grpcfg[n]) {
            return false;
        }
    }
    return true;
}

/* Bits of quads 1 to 3 are of WQs that no device of ours has. */
static bool are_wqs_grouped(IntelDsa *dsa)
{
    uint64_t seen = 0, sized = 0;

    for (unsigned group = 0; group < dsa->group_count; group++) {
        uint64_t wqs = dsa_group_wqs(dsa, group);

        if (wqs & seen || dsa_group_quad(dsa, group, 1) | dsa_group_quad(dsa, group, 2) |
                              dsa_group_quad(dsa, group, 3)) {
            return false;
        }
        seen |= wqs;
    }
    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        sized |= *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE) ? BIT64(wq) : 0;
    }
    return seen == sized;
}

static bool are_engines_grouped(IntelDsa *dsa)
{
    uint64_t seen = 0;

    for (unsigned group = 0; group < dsa->group_count; group++) {
        uint64_t engines = dsa_group_engines(dsa, group);

        if (engines & seen || engines >> dsa->engine_count) {
            return false;
        }
        seen |= engines;
    }
    return true;
}

static bool are_flags_known(IntelDsa *dsa)
{
    for (unsigned group = 0; group < dsa->group_count; group++) {
        if (group_flags(dsa, group) & ~FLAGS_KNOWN || dsa_group_quad(dsa, group, 6) |
                                                          dsa_group_quad(dsa, group, 7)) {
            return false;
        }
    }
    return true;
}

/* Four buffers are the least an engine works with. */
static bool do_buffers_fit(IntelDsa *dsa)
{
    unsigned reserved = 0, limit = dsa->gencfg & DSA_GENCFG_LIMIT, limited = 0;

    for (unsigned group = 0; group < dsa->group_count; group++) {
        unsigned engines = __builtin_popcountll(dsa_group_engines(dsa, group));

        reserved += engines ? reserved_buffers(dsa, group) : 0;
        limited += group_flags(dsa, group) & FLAG_GLOBAL ? 4 * engines : 0;
    }
    if (!dsa->read_buffers) {
        return true;
    }
    if (reserved > dsa->read_buffers || limit > dsa->read_buffers || (limited && limit < limited)) {
        return false;
    }
    for (unsigned group = 0; group < dsa->group_count; group++) {
        unsigned engines = __builtin_popcountll(dsa_group_engines(dsa, group));
        unsigned own = reserved_buffers(dsa, group), allowed = allowed_buffers(dsa, group);

        if (engines && (allowed < 4 * engines || allowed < own ||
                        allowed > own + dsa->read_buffers - reserved)) {
            return false;
        }
    }
    return true;
}

static bool is_log_good(IntelDsa *dsa)
{
    uint64_t base = (dsa->evlcfg[0] & 0xfffff000) | (uint64_t)dsa->evlcfg[1] << 32;
    uint64_t entries = dsa->evlcfg[2] & 0xffff;

    return !(dsa->gencfg & DSA_GENCFG_EVENT_LOG) ||
           (entries >= 64 && base <= UINT64_MAX - entries * 64 + 1);
}

static bool is_log_permitted(IntelDsa *dsa)
{
    uint32_t who = dsa->evlcfg[0];

    return !(dsa->gencfg & DSA_GENCFG_EVENT_LOG) ||
           ((!(who & 1) || pcie_pasid_is_enabled(&dsa->parent)) &&
            (!(who & 2) || dsa_may_be_privileged(dsa)));
}

unsigned dsa_check_device(IntelDsa *dsa)
{
    static const DeviceCheck checks[] = {
        { is_bus_master, 0x12 },       { has_page_credits, 0x13 }, { fit_sizes, 0x14 },
        { are_groups_whole, 0x15 },    { are_wqs_grouped, 0x16 },
        { are_engines_grouped, 0x17 }, { do_buffers_fit, 0x18 },   { are_flags_known, 0x11 },
        { is_log_good, 0x19 },         { is_ats_served, 0x1a },
        { is_log_permitted, 0x1b },
    };

    if (dsa->state == DSA_HALTED) {
        return 0x05;
    }
    if (dsa->state != DSA_DISABLED) {
        return 0x10;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
        if (!checks[i].is_good(dsa)) {
            return checks[i].error;
        }
    }
    return 0;
}

/* --- work queues --- */

static bool is_mode_good(IntelDsa *dsa, uint32_t mode, unsigned *error)
{
    bool is_dedicated = mode & DSA_MODE_DEDICATED, has_pasid = mode & DSA_MODE_PASID;

    *error = !(mode & 0xf0) ? 0x23 :
             mode & DSA_MODE_BOF && !pcie_pri_is_enabled(&dsa->parent) ? 0x25 :
             (!is_dedicated && !has_pasid) ||
                     (has_pasid && !pcie_pasid_is_enabled(&dsa->parent)) ? 0x26 :
             is_dedicated && has_pasid && mode & DSA_MODE_PRIVILEGED &&
                     !dsa_may_be_privileged(dsa) ? 0x2a :
             mode & DSA_MODE_NO_ATS && !dsa->has_wq_ats_control ? 0x2c : 0;
    return !*error;
}

static bool are_operations_there(IntelDsa *dsa, unsigned wq)
{
    uint64_t asked = *dsa_wqcfg(dsa, wq, DSA_WQ_OPCFG) |
                     (uint64_t)*dsa_wqcfg(dsa, wq, DSA_WQ_OPCFG + 1) << 32;
    uint32_t more = 0;

    for (unsigned dword = DSA_WQ_OPCFG + 2; dword < DSA_WQ_DWORDS; dword++) {
        more |= *dsa_wqcfg(dsa, wq, dword);
    }
    return !dsa->has_wq_opcfg || !(asked & ~dsa->opcap || more);
}

static bool is_handle_good(IntelDsa *dsa, unsigned wq)
{
    uint32_t irq = *dsa_wqcfg(dsa, wq, DSA_WQ_OCCUPANCY_IRQ);

    return !(*dsa_wqcfg(dsa, wq, DSA_WQ_OCCUPANCY_LIMIT) & DSA_OCCUPANCY_ENABLE) ||
           irq < dsa_vectors(dsa); /* bit 16 asks for a table that is not there */
}

unsigned dsa_check_wq(IntelDsa *dsa, unsigned wq)
{
    uint32_t limits, batch;
    unsigned error;

    if (dsa->state != DSA_ENABLED) {
        return 0x20;
    }
    if (wq >= dsa->wq_count) {
        return 0x02;
    }
    if (dsa->wqs[wq].state != DSA_DISABLED) {
        return 0x21;
    }
    if (!*dsa_wqcfg(dsa, wq, DSA_WQ_SIZE)) {
        return 0x22;
    }
    if (!is_mode_good(dsa, *dsa_wqcfg(dsa, wq, DSA_WQ_MODE), &error)) {
        return error;
    }
    limits = *dsa_wqcfg(dsa, wq, DSA_WQ_LIMITS);
    batch = limits >> 5;
    return batch > dsa->max_batch_shift || (!batch && dsa->opcap & BIT64(DSA_BATCH)) ? 0x27 :
           (limits & 0x1f) > dsa->max_xfer_shift ? 0x28 :
           !is_handle_good(dsa, wq) ? 0x2b :
           !are_operations_there(dsa, wq) ? 0x2d : 0;
}
