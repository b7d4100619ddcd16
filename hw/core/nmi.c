/*
 * NMIs from outside: see hw/core/nmi.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/nmi.h"
#include "qapi/qapi-commands-machine.h"

static const ObjectType nmi_type = {
    .name = TYPE_NMI,
    .doc = "Can raise an NMI",
    .is_interface = true,
};
OBJECT_TYPE(nmi_type)

typedef struct Injection {
    Error *err;
    bool is_done;
} Injection;

static void inject_below(void *opaque, Object *obj)
{
    Injection *injection = opaque;
    const NmiSource *source = object_is_a(obj, TYPE_NMI) ? object_interface(obj, TYPE_NMI) : NULL;

    if (source && !injection->err) {
        injection->is_done |= source->inject(obj, &injection->err);
    }
    object_each_child(obj, inject_below, injection);
}

bool nmi_inject(Error **errp)
{
    Injection injection = { 0 };

    inject_below(&injection, object_root());
    if (injection.err) {
        return error_propagate(errp, injection.err);
    }
    return injection.is_done ||
           error_set(errp, "this feature or command is not currently supported");
}

bool qmp_inject_nmi(Error **errp)
{
    return nmi_inject(errp);
}
