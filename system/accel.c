/*
 * Accelerators: see system/accel.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/accel.h"

#include "system/machine_lock.h"

static const AccelType accel_type = {
    .name = TYPE_ACCEL, .doc = "Runs vCPUs", .size = sizeof(Accel), .is_abstract = true,
};
OBJECT_TYPE(accel_type)

static Accel *current;
static bool wants_perf_map;
static const AccelType *current_ops; /* atomic: vcpu_kick() reads it in any thread */

const Type *accel_find(const char *name)
{
    g_autofree char *type_name = g_strconcat(name, ACCEL_SUFFIX, NULL);
    const Type *type = type_find(type_name);

    return type && !type_is_abstract(type) && type_is_a(type, TYPE_ACCEL) ? type : NULL;
}

GPtrArray *accel_list(void)
{
    return type_list(TYPE_ACCEL, false);
}

char *accel_name(const Type *type)
{
    const char *name = type_name(type);

    return g_strndup(name, strlen(name) - strlen(ACCEL_SUFFIX));
}

void accel_set_perf_map(bool is_wanted)
{
    wants_perf_map = is_wanted;
}

bool accel_wants_perf_map(void)
{
    return wants_perf_map;
}

bool accel_start(Accel *accel, Object *machine, Error **errp)
{
    const AccelType *ops = object_ops(accel);

    assert(!current);
    if ((ops->is_available && !ops->is_available(errp)) ||
        (ops->init_machine && !ops->init_machine(accel, machine, errp))) {
        return false;
    }
    object_seal(accel);
    current = (Accel *)object_ref(accel);
    __atomic_store_n(&current_ops, ops, __ATOMIC_RELEASE);
    return true;
}

Accel *accel_current(void)
{
    return current;
}

const AccelType *accel_ops(void)
{
    return __atomic_load_n(&current_ops, __ATOMIC_ACQUIRE);
}

bool accel_is(const char *name)
{
    const Type *type = accel_find(name);

    return current && type && type_is_a(current->parent.type, type_name(type));
}

void accel_end(void)
{
    assert(!vcpu_first());
    __atomic_store_n(&current_ops, NULL, __ATOMIC_RELEASE);
    object_unref(g_steal_pointer(&current));
}
