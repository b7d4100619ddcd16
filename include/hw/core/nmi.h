/*
 * Non-maskable interrupts from outside the machine: the button of a server, `inject-nmi`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_NMI_H
#define HW_CORE_NMI_H

#include "qom/object.h"

#define TYPE_NMI "nmi"

/* The interface of boards and controllers that can raise one. */
typedef struct NmiSource {
    bool (*inject)(Object *obj, Error **errp);
} NmiSource;

/* All sources of the machine do; fails if there is none. Machine lock. */
bool nmi_inject(Error **errp);

#endif
