/*
 * The rules of SVE vector lengths: a length brings along all smaller powers of two; without a
 * power of two there is nothing longer either.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sve.h"

#define ALL_LENGTHS    ((uint32_t)BIT(ARM_SVE_LENGTHS) - 1)
#define POWERS_OF_TWO  (BIT(0) | BIT(1) | BIT(3) | BIT(7) | BIT(15))

/* The lowest of a set that is not empty, in bits. */
static unsigned lowest_bits(uint32_t set)
{
    return (__builtin_ctz(set) + 1) * 128;
}

/* All lengths up to the n-th. */
static uint32_t up_to(unsigned n)
{
    return ALL_LENGTHS & (uint32_t)(BIT64(n) - 1);
}

static bool cannot(const char *what, uint32_t set, const char *hint, Error **errp)
{
    error_set(errp, "cannot %s sve%u", what, lowest_bits(set));
    error_hint(errp, "%s", hint);
    return false;
}

/* The longest the user wants; 0: no matter. */
static unsigned longest_wanted(const ArmSveChoice *choice)
{
    if (choice->max_vq) {
        return choice->max_vq;
    }
    return choice->wanted ? 32 - __builtin_clz(choice->wanted) : 0;
}

static bool check_names(const ArmSveChoice *choice, uint32_t supported, Error **errp)
{
    uint32_t beyond = choice->max_vq ? choice->wanted & ~up_to(choice->max_vq) : 0;

    if (!choice->is_on && choice->wanted) {
        return cannot("enable", choice->wanted, "SVE is off.", errp);
    }
    if (choice->wanted & ~supported) {
        return cannot("enable", choice->wanted & ~supported,
                      "This CPU does not support the vector length.", errp);
    }
    return !beyond || cannot("enable", beyond, "It is longer than sve-max-vq.", errp);
}

bool arm_sve_resolve(const ArmSveChoice *choice, uint32_t supported, uint32_t *lengths,
                     Error **errp)
{
    unsigned longest = longest_wanted(choice);
    uint32_t missing = choice->refused & POWERS_OF_TWO;
    uint32_t set;

    if (!check_names(choice, supported, errp)) {
        return false;
    }
    if (!choice->is_on) {
        *lengths = 0;
        return true;
    }
    if (longest) {
        uint32_t needed = (POWERS_OF_TWO & up_to(longest)) | BIT(longest - 1);

        if (choice->refused & needed) {
            return cannot("disable", choice->refused & needed,
                          "A longer vector needs this length.", errp);
        }
        if (needed & ~supported) {
            return cannot("enable", needed & ~supported,
                          "This CPU does not support the vector length.", errp);
        }
        /* Naming a maximum takes all below; naming lengths takes those, and what they need. */
        set = choice->max_vq ? up_to(longest) & ~choice->refused : needed | choice->wanted;
    } else {
        set = missing ? up_to(__builtin_ctz(missing)) : ALL_LENGTHS;
        set &= ~choice->refused;
    }
    *lengths = set & supported;
    return *lengths || cannot("disable", BIT(0), "Every CPU with SVE has this length.", errp);
}
