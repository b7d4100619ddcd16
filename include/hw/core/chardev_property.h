/*
 * A device's property that names a chardev: setting it attaches the device's front end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_CHARDEV_PROPERTY_H
#define HW_CORE_CHARDEV_PROPERTY_H

#include "chardev/frontend.h"
#include "qom/property.h"

extern const PropertyKind property_chardev;

/* `f` is a CharFrontend; it is detached with the object. */
#define PROP_CHARDEV(name, S, f, ...)                                                              \
    PROP_(property_chardev, name, S, f, .has_no_default = true,                                    \
          .doc = "ID of a chardev to use as a backend", __VA_ARGS__)

#endif
