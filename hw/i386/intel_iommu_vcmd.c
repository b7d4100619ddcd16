/*
 * intel-iommu: the virtual command interface, by which a guest allocates and frees PASIDs. Both
 * layouts there have been: VT-d 3.0's, and that of 3.3 and later.
 *
 * A command runs with a write of 8 bytes, or of the lower 4 with what the upper were last.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "trace.h"

#define CAP_ALLOCATES BIT64(0)
enum { COMMAND_ALLOC = 1, COMMAND_FREE = 2 };

static const struct VcmdLayout {
    uint8_t cap, command, operand_b, response; /* offsets */
    uint8_t operand_shift, status_shift, result_shift;
    uint8_t none_left, is_invalid; /* status codes; 1: undefined command */
} layouts[] = {
    [VTD_VCMD_3_0] = { 0x00, 0x10, 0xff, 0x20, 8, 1, 8, 2, 2 },
    [VTD_VCMD_3_3] = { 0x30, 0x00, 0x08, 0x10, 16, 1, 16, 16, 16 },
};

/* PASID 0 is no process's. */
static uint32_t pasid_limit(const IntelIommu *unit)
{
    return BIT(unit->pasid_bits);
}

bool vtd_is_pasid_allocated(const IntelIommu *unit, uint32_t pasid)
{
    return unit->pasids && pasid && pasid < pasid_limit(unit) && unit->pasids[pasid / 64] >> pasid % 64 & 1;
}

static HostIommuDevice *find_allocator(IntelIommu *unit)
{
    HostIommuDevice *found = NULL;

    vtd_each_space(unit, vtd_find_allocator, &found);
    return found;
}

static uint32_t find_free(IntelIommu *unit)
{
    for (uint32_t word = unit->pasid_from; word < unit->pasid_words; word++) {
        unsigned long taken = unit->pasids[word] | (word ? 0 : 1);
        uint32_t pasid = word * 64 + (~taken ? __builtin_ctzl(~taken) : 64);

        unit->pasid_from = word;
        if (~taken) {
            return pasid < pasid_limit(unit) ? pasid : 0;
        }
    }
    return 0;
}

/* One that the guest could not name goes back. */
static uint32_t allocate_from(IntelIommu *unit, HostIommuDevice *host)
{
    uint32_t pasid, limit = pasid_limit(unit);

    if (!host_iommu_alloc_pasid(host, 1, limit - 1, &pasid, NULL)) {
        return 0;
    }
    if (pasid >= limit) {
        host_iommu_free_pasid(host, pasid, NULL);
        return 0;
    }
    return pasid;
}

/* 0: there is none. */
static uint32_t allocate(IntelIommu *unit)
{
    HostIommuDevice *host = find_allocator(unit);
    uint32_t pasid = host ? allocate_from(unit, host) : find_free(unit);

    if (pasid) {
        unit->pasids[pasid / 64] |= 1ul << pasid % 64;
    }
    return pasid;
}

static bool release(IntelIommu *unit, uint32_t pasid)
{
    HostIommuDevice *host = find_allocator(unit);
    g_autoptr(Error) err = NULL;

    if (!vtd_is_pasid_allocated(unit, pasid)) {
        return false;
    }
    unit->pasids[pasid / 64] &= ~(1ul << pasid % 64);
    unit->pasid_from = MIN(unit->pasid_from, pasid / 64);
    vtd_unbind_pasid(unit, pasid);
    if (host && !host_iommu_free_pasid(host, pasid, &err)) {
        warn_report("intel-iommu: PASID %u: %s", pasid, error_text(err));
    }
    return true;
}

static void run(IntelIommu *unit, uint64_t value)
{
    const struct VcmdLayout *l = &layouts[unit->vcmd];
    uint32_t operand = value >> l->operand_shift & 0xfffff;
    uint64_t pasid = 0, status = 0;

    switch (value & 0xff) {
    case 0:
        break;
    case COMMAND_ALLOC:
        pasid = allocate(unit);
        status = pasid ? 0 : l->none_left;
        break;
    case COMMAND_FREE:
        status = release(unit, operand) ? 0 : l->is_invalid;
        break;
    default:
        status = 1;
    }
    unit->vcrsp = pasid << l->result_shift | status << l->status_shift;
    trace_vtd_vcmd(value, unit->vcrsp);
}

/* --- registers --- */

static uint64_t vcmd_read(void *opaque, uint64_t at, unsigned bytes)
{
    const IntelIommu *unit = opaque;
    const struct VcmdLayout *l = &layouts[unit->vcmd];
    uint64_t value = 0;

    if ((at & ~UINT64_C(7)) == l->cap) {
        value = CAP_ALLOCATES;
    } else if ((at & ~UINT64_C(7)) == l->response) {
        value = unit->vcrsp;
    } else if ((at & ~UINT64_C(7)) == l->operand_b) {
        value = unit->vcmd_operand;
    }
    return bytes == 8 ? value : (uint32_t)(value >> 8 * (at & 4));
}

static void vcmd_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    IntelIommu *unit = opaque;
    const struct VcmdLayout *l = &layouts[unit->vcmd];

    if (at == l->command + 4u) {
        unit->vcmd_upper = value;
    } else if (at == l->command) {
        if (bytes == 8) {
            unit->vcmd_upper = value >> 32;
        }
        run(unit, (uint64_t)unit->vcmd_upper << 32 | (uint32_t)value);
    } else if ((at & ~UINT64_C(7)) == l->operand_b) {
        unsigned shift = 8 * (at & 4);
        uint64_t mask = bytes == 8 ? UINT64_MAX : UINT64_C(0xffffffff) << shift;

        unit->vcmd_operand = (unit->vcmd_operand & ~mask) | (value << shift & mask);
    }
}

static const MemoryOps vcmd_ops = {
    .read = vcmd_read, .write = vcmd_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 4, .max = 8 }, .impl = { .min = 4, .max = 8 },
};

void vtd_vcmd_init(IntelIommu *unit)
{
    memory_region_init_io(&unit->vcmd_region, (Object *)unit, &vcmd_ops, "intel-iommu-vcmd",
                          VTD_VCMD_BYTES);
    unit->pasid_count = pasid_limit(unit);
    unit->pasid_words = (unit->pasid_count + 63) / 64;
    unit->pasids = g_new0(unsigned long, unit->pasid_words);
}

void vtd_vcmd_reset(IntelIommu *unit)
{
    HostIommuDevice *host;

    unit->vcmd_operand = unit->vcrsp = unit->vcmd_upper = 0;
    if (!unit->pasids) {
        return;
    }
    host = find_allocator(unit);
    for (uint32_t pasid = 1; host && pasid < pasid_limit(unit); pasid++) {
        if (vtd_is_pasid_allocated(unit, pasid)) {
            host_iommu_free_pasid(host, pasid, NULL);
        }
    }
    memset(unit->pasids, 0, unit->pasid_words * sizeof(unsigned long));
    unit->pasid_from = 0;
}
