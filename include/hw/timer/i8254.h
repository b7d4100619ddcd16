/*
 * The PC's interval timer as others see it: counter 2 drives the speaker.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_TIMER_I8254_H
#define HW_TIMER_I8254_H

#include "hw/isa/isa.h"

#define TYPE_PIT_COMMON "pit-common"
#define TYPE_I8254      "isa-pit"
#define TYPE_PCSPK      "isa-pcspk"

/* Any timer of a PC, whoever counts. */
typedef struct PitType {
    struct DeviceType;
    void (*set_gate)(Device *dev, unsigned counter, bool gate);
    bool (*gate)(Device *dev, unsigned counter);
    bool (*out)(Device *dev, unsigned counter);
} PitType;

static inline const PitType *pit_ops(const Device *dev)
{
    return object_ops(dev);
}

#endif
