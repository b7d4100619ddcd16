/*
 * Device: an object a guest can see or hear. Its type is a table; the core creates, checks,
 * wires, resets, saves, documents and frees what the table declares.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DEVICE_H
#define HW_CORE_DEVICE_H

#include "hw/core/register.h"
#include "qom/object.h"
#include "system/clock.h"
#include "system/irq.h"
#include "system/timer.h"
#include "system/vmstate.h"

#define TYPE_DEVICE "device"

typedef struct Bus Bus;
typedef struct Device Device;
typedef struct DeviceType DeviceType;

typedef enum DeviceCategory {
    DEVICE_CATEGORY_NONE,
    DEVICE_CATEGORY_BRIDGE,
    DEVICE_CATEGORY_USB,
    DEVICE_CATEGORY_STORAGE,
    DEVICE_CATEGORY_NETWORK,
    DEVICE_CATEGORY_INPUT,
    DEVICE_CATEGORY_DISPLAY,
    DEVICE_CATEGORY_SOUND,
    DEVICE_CATEGORY_MISC,
    DEVICE_CATEGORY_CPU,
    DEVICE_CATEGORY_WATCHDOG,
    DEVICE_CATEGORY_COUNT
} DeviceCategory;

/* May users make one with -device? Zero takes the parent's answer. */
typedef enum DeviceAccess { DEVICE_ACCESS_INHERIT, DEVICE_ACCESS_USER, DEVICE_ACCESS_BOARD }
    DeviceAccess;

/* Lines of one name: outputs are IrqLine fields, inputs are calls with their number. */
typedef struct IrqDef {
    const char *name; /* NULL: unnamed */
    size_t offset;    /* outputs: of the first IrqLine */
    unsigned count;
    IrqHandler *input; /* inputs: called with the Device */
} IrqDef;
typedef struct IrqDefs {
    const IrqDef *items;
    size_t count;
} IrqDefs;
#define IRQS(array)          { (array), ARRAY_SIZE(array) }
#define IRQ_ROW_OUT(name_, S, f, ...)                                                              \
    { .name = (name_), .offset = offsetof(S, f), .count = 1, __VA_ARGS__ }
#define IRQ_ROW_IN(name_, fn, n) { .name = (name_), .input = (fn), .count = (n) }
/* The one unnamed output, or inputs, where there is nothing else. */
#define IRQ_OUT(S, f)        { (const IrqDef[]){ IRQ_ROW_OUT(NULL, S, f) }, 1 }
#define IRQ_IN(fn, n)        { (const IrqDef[]){ IRQ_ROW_IN(NULL, fn, n) }, 1 }

typedef struct TimerDef {
    Clock clock;
    size_t offset;
    void (*expired)(Device *dev);
} TimerDef;
typedef struct TimerDefs {
    const TimerDef *items;
    size_t count;
} TimerDefs;
#define TIMERS(array)             { (array), ARRAY_SIZE(array) }
#define TIMER_ROW(clock_, S, f, fn) { .clock = (clock_), .offset = offsetof(S, f), .expired = (fn) }
#define TIMER_ON(clock_, S, f, fn) { (const TimerDef[]){ TIMER_ROW(clock_, S, f, fn) }, 1 }

struct DeviceType {
    struct ObjectType;
    /* Inherited when zero. */
    const char *bus_type;      /* the kind of bus it sits on; NULL: none */
    uintptr_t category;        /* DeviceCategory */
    uintptr_t access;          /* DeviceAccess */
    uintptr_t is_not_hotpluggable;
    /* Declared per level; every level's take effect, base first (undone in reverse). */
    RegisterMap registers;
    IrqDefs irqs;
    TimerDefs timers;
    const VMState *vmstate;
    bool (*realize)(Device *dev, Error **errp);
    void (*unrealize)(Device *dev);
    /* Reset: leave the old state, take the new one, then tell the world (lines, clocks). */
    void (*reset_enter)(Device *dev);
    void (*reset_hold)(Device *dev);
    void (*reset_exit)(Device *dev);
};
#define DEVICE_TYPE(decl) OBJECT_TYPE(decl)

struct Device {
    Object parent;
    char *id; /* the user's; NULL when it has none */
    Bus *bus;
    GPtrArray *buses;  /* that it provides, borrowed children */
    IrqInputs *inputs; /* one set per declared row of inputs */
    unsigned input_sets;
    Error *global_error;  /* a -global value that did not fit: fails realize */
    struct Migratable *migratable; /* while realized, if it has state */
    json_object *options; /* as the user gave them; NULL for a board's */
    bool is_realized;
    bool is_hotplugged;
    bool is_unplug_pending;
    int64_t unplug_repeat_ns; /* CLOCK_VIRTUAL: a pending unplug is not asked for again before */
    bool is_part;         /* comes and goes with another device: nothing is plugged */
    bool tells_deletion;  /* unplugged: clients hear of it and of what sat on it */
    unsigned reset_depth;
};
DECLARE_CAST(Device, DEVICE)

/* Made with -global and machine defaults applied; not realized. */
Device *device_new(const char *type_name);
/*
 * Puts it on `bus` (NULL when its type needs none), brings it to life and, if it has no place in
 * the tree yet, under /machine/unattached. On failure it is as before.
 */
bool device_realize(Device *dev, Bus *bus, Error **errp);
/* For boards: realizes and drops the caller's reference; what fails ends the process's start. */
bool device_realize_and_unref(Device *dev, Bus *bus, Error **errp);
void device_unrealize(Device *dev);
/* Unrealizes, takes it off its bus and out of the tree; sends DEVICE_DELETED if it was unplugged. */
void device_delete(Device *dev);
/* What messages call it: its id, else its type. */
const char *device_label(const Device *dev);

static inline const DeviceType *device_ops(const Device *dev)
{
    return object_ops(dev);
}

/* --- lines --- */

/* `name` NULL is the unnamed list. Asserts that it exists. */
IrqLine *device_irq_out(Device *dev, const char *name, unsigned n);
/* Connects output n of `from` to input m of `to`. */
void device_connect(Device *from, const char *out, unsigned n, Device *to, const char *in,
                    unsigned m);
/* NULL when there is no such input. */
IrqInput *device_irq_in(Device *dev, const char *name, unsigned n);
typedef void DeviceLineFn(void *opaque, const char *name, unsigned n, IrqLine *line);
void device_each_irq_out(Device *dev, DeviceLineFn *fn, void *opaque);

/* All saved state of a type, registers included; NULL: it has none. For ever. */
const VMState *device_type_state(const Type *type);

/* --- reset --- */

/* Resets the device and everything on the buses it provides. */
void device_reset(Device *dev);

/* --- users' devices (hw/core/device_add.c) --- */

/*
 * {"driver": T, "bus": B, "id": ID, ...}: what -device and device_add do. Borrowed, or NULL with
 * nothing left behind.
 */
Device *device_add(json_object *options, PropertyForm form, Error **errp);
/* By id or path. Without a handler that waits for the guest it is gone on return. */
bool device_del(const char *id, Error **errp);
Device *device_find(const char *id_or_path);
/* Values for all devices of a type and its subtypes. `is_user`: warn when it was not used. */
void device_add_global(const char *type, const char *prop, const char *value, bool is_user);
void device_warn_unused_globals(void);
/* `-device help` and `info qdm`; `-device T,help`. */
void device_print_types(GString *out, bool with_internal);
bool device_print_help(GString *out, const char *type_name, Error **errp);
void device_print_tree(GString *out);
/* After the machine is built, devices are hot-plugged. */
void device_set_hotplug_phase(bool is_hotplug);
bool device_is_hotplug_phase(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Device, object_unref)

#endif
