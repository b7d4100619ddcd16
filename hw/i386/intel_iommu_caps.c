/*
 * intel-iommu: properties against each other, and the capability registers they make.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#define IRO             0xf  /* IOTLB registers at 0xf0 */
#define MHMV            15
#define CAP_ND          6    /* 16 bits of domain id */
#define CAP_FRO         (UINT64_C(0x22) << 24)
#define CAP_SSLPS       (UINT64_C(3) << 34)
#define CAP_MAMV        ((uint64_t)VTD_MAX_AM << 48)
#define CAP_DRAIN       (UINT64_C(3) << 54)
#define CAP_ESRTPS      BIT64(63)
#define MOST_PASID_BITS 20

static bool is_first_stage_width(uint8_t bits)
{
    return bits == 48 || bits == 57;
}

/* "modern", and what of it the user did not say otherwise. */
static void expand_mode(IntelIommu *unit)
{
    if (unit->scalable != VTD_SCALABLE_MODERN) {
        return;
    }
    if (!unit->is_first_stage_set) {
        unit->has_first_stage = true;
    }
    if (!unit->is_pasid_set) {
        unit->pasid_bits = MOST_PASID_BITS;
    }
    if (!unit->is_vcmd_set) {
        unit->vcmd = VTD_VCMD_3_3;
    }
}

static bool check_scalable(const IntelIommu *unit, Error **errp)
{
    bool is_scalable = unit->scalable != VTD_SCALABLE_OFF;

    if (unit->has_first_stage && !is_scalable) {
        return error_set(errp, "x-flts is only available in scalable mode");
    }
    if (is_scalable && !unit->dma_drain) {
        return error_set(errp, "Need to set dma-drain for scalable mode");
    }
    if (unit->pasid_bits && !is_scalable) {
        return error_set(errp, "pasid-bits needs scalable mode: set x-scalable-mode");
    }
    if (unit->pasid_bits > MOST_PASID_BITS) {
        return error_set(errp, "pasid-bits=%u is more than %u", unit->pasid_bits, MOST_PASID_BITS);
    }
    if (unit->vcmd != VTD_VCMD_OFF && !unit->pasid_bits) {
        return error_set(errp, "x-vcmd needs pasid-bits");
    }
    return !unit->has_nesting || unit->has_first_stage ||
           error_set(errp, "x-nesting needs x-flts");
}

static bool choose_width(IntelIommu *unit, Error **errp)
{
    uint8_t bits = unit->address_bits;

    if (!bits) {
        bits = unit->address_bits = unit->has_first_stage ? 48 : unit->usual_address_bits;
    }
    if (unit->has_first_stage) {
        return is_first_stage_width(bits) ||
               error_set(errp, "Scalable mode(flts=on): supported values for aw-bits are 48 and 57, "
                         "not %u", bits);
    }
    return bits == 39 || bits == 48 ||
           error_set(errp, "%s: supported values for aw-bits are: 39, 48, not %u",
                     unit->scalable == VTD_SCALABLE_OFF ? "Legacy mode" :
                                                          "Scalable mode(flts=off)", bits);
}

/* Shared virtual addressing needs all of it; what lacks is named. */
static bool check_svm(const IntelIommu *unit, Error **errp)
{
    const struct {
        bool is_there;
        const char *name;
    } needs[] = {
        { unit->device_iotlb, "device-iotlb" }, { unit->has_first_stage, "x-flts" },
        { unit->dma_translation, "dma-translation" }, { unit->pasid_bits, "pasid-bits" },
    };

    for (size_t i = 0; unit->has_svm && i < ARRAY_SIZE(needs); i++) {
        if (!needs[i].is_there) {
            return error_set(errp, "svm needs %s", needs[i].name);
        }
    }
    return true;
}

/* No interrupt controller of ours is in a kernel: auto is on for remapping, off for EIM, which the
 * interface ties to one. */
static bool check_interrupts(IntelIommu *unit, Error **errp)
{
    bool remaps = unit->intremap != ON_OFF_AUTO_VALUE_OFF;

    unit->intremap = remaps ? ON_OFF_AUTO_VALUE_ON : ON_OFF_AUTO_VALUE_OFF;
    if (unit->buggy_eim) {
        warn_report("intel-iommu: x-buggy-eim is for machines of very old versions");
    }
    if (unit->eim == ON_OFF_AUTO_VALUE_AUTO) {
        unit->eim = unit->buggy_eim && remaps ? ON_OFF_AUTO_VALUE_ON : ON_OFF_AUTO_VALUE_OFF;
    }
    if (unit->eim == ON_OFF_AUTO_VALUE_ON && !remaps) {
        return error_set(errp, "eim=on cannot be selected without intremap=on");
    }
    return !unit->has_posting || remaps ||
           error_set(errp, "x-posted-interrupts cannot be selected without intremap=on");
}

static uint64_t bit_if(bool condition, unsigned bit)
{
    return condition ? BIT64(bit) : 0;
}

static uint64_t make_cap(const IntelIommu *unit)
{
    uint64_t cap = CAP_ND | CAP_FRO | CAP_SSLPS | CAP_MAMV | CAP_ESRTPS | BIT64(VTD_CAP_PSI);

    cap |= (uint64_t)(unit->address_bits - 1) << VTD_CAP_MGAW;
    if (unit->dma_translation) { /* SAGAW: 3 and 4 levels; 5 with 57 bits */
        cap |= BIT64(9) | bit_if(unit->address_bits >= 48, 10) |
               bit_if(unit->address_bits == 57, 11);
    }
    return cap | bit_if(unit->caching_mode, VTD_CAP_CM) | (unit->dma_drain ? CAP_DRAIN : 0) |
           bit_if(unit->has_first_stage && unit->has_fs1gp, VTD_CAP_FS1GP) |
           bit_if(unit->has_first_stage && unit->has_fs5lp, VTD_CAP_FS5LP) |
           bit_if(unit->has_posting, VTD_CAP_PI);
}

static uint64_t make_ecap(const IntelIommu *unit)
{
    uint64_t ecap = BIT64(VTD_ECAP_QI) | IRO << 8;
    bool is_scalable = unit->scalable != VTD_SCALABLE_OFF, is_first = unit->has_first_stage;

    ecap |= bit_if(unit->device_iotlb, VTD_ECAP_DT) | bit_if(unit->pt, VTD_ECAP_PT) |
            bit_if(unit->snoop_control, VTD_ECAP_SC) |
            bit_if(unit->has_coherent_walks, VTD_ECAP_C);
    if (unit->intremap == ON_OFF_AUTO_VALUE_ON) {
        ecap |= BIT64(VTD_ECAP_IR) | (uint64_t)MHMV << 20 |
                bit_if(unit->eim == ON_OFF_AUTO_VALUE_ON, VTD_ECAP_EIM);
    }
    if (is_scalable) {
        ecap |= BIT64(VTD_ECAP_SMTS);
        ecap |= is_first ? BIT64(VTD_ECAP_FSTS) : BIT64(VTD_ECAP_SRS) | BIT64(VTD_ECAP_SSTS);
        ecap |= unit->has_nesting ? BIT64(VTD_ECAP_NEST) | BIT64(VTD_ECAP_SSTS) : 0;
    }
    if (unit->pasid_bits) {
        ecap |= BIT64(VTD_ECAP_PASID) | (uint64_t)(unit->pasid_bits - 1) << VTD_ECAP_PSS;
    }
    if (unit->has_svm) {
        ecap |= BIT64(VTD_ECAP_PRS) | BIT64(VTD_ECAP_PDS) | BIT64(VTD_ECAP_NWFS);
    }
    /* Walks of software are coherent, which the peer says only where Linux asks for it. */
    ecap |= bit_if(unit->has_svm || (unit->has_coherent_walks && is_scalable), VTD_ECAP_SMPWCS);
    return ecap | bit_if(unit->vcmd != VTD_VCMD_OFF, VTD_ECAP_VCS);
}

bool vtd_init_caps(IntelIommu *unit, Error **errp)
{
    expand_mode(unit);
    if (!check_interrupts(unit, errp) || !check_scalable(unit, errp) || !choose_width(unit, errp) ||
        !check_svm(unit, errp)) {
        return false;
    }
    unit->cap = make_cap(unit);
    unit->ecap = make_ecap(unit);
    return true;
}
