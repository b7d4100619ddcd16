/*
 * isa-parallel: the PC's parallel port as in IBM's Printer Adapter, with a printer on it that takes
 * bytes as fast as the chardev does: what is strobed goes out; until it has gone the printer is busy,
 * then it acknowledges. EPP and input, which need a real port behind the chardev, are left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/chardev_property.h"
#include "hw/isa/isa.h"

#define TYPE_ISA_PARALLEL "isa-parallel"

#define STATUS_NOT_BUSY     BIT(7)
#define STATUS_NOT_ACK      BIT(6)
#define STATUS_SELECTED     BIT(4)
#define STATUS_NOT_ERROR    BIT(3)
#define STATUS_UNUSED       0x07

#define CONTROL_STROBE      BIT(0)
#define CONTROL_NOT_RESET   BIT(2)
#define CONTROL_SELECT      BIT(3)
#define CONTROL_INTERRUPT   BIT(4)
#define CONTROL_WRITABLE    0x3f
#define CONTROL_UNUSED      0xc0

static const uint16_t places[] = { 0x378, 0x278, 0x3bc };

typedef struct IsaParallel {
    IsaDevice parent;
    IrqLine line;
    CharFrontend chr;
    GSource *watch; /* the chardev is full */
    uint32_t index, iobase, irq;
    uint8_t data, control, byte;
    bool is_busy;   /* `byte` has not gone yet */
    bool is_acknowledged; /* not seen yet: the next status shows it */
    bool is_irq_pending;
} IsaParallel;
DECLARE_CAST(IsaParallel, ISA_PARALLEL)

/* --- the printer --- */

static void update_line(IsaParallel *s)
{
    irq_set(&s->line, s->is_irq_pending && s->control & CONTROL_INTERRUPT);
}

static void stop_waiting(IsaParallel *s)
{
    if (s->watch) {
        g_source_destroy(s->watch);
        g_source_unref(s->watch);
        s->watch = NULL;
    }
}

static void acknowledge(IsaParallel *s)
{
    s->is_busy = false;
    s->is_acknowledged = true;
    s->is_irq_pending = true;
    update_line(s);
}

static void print_byte(IsaParallel *s);

static gboolean chardev_has_room(void *opaque, GIOCondition condition)
{
    IsaParallel *s = opaque;

    stop_waiting(s);
    print_byte(s);
    return G_SOURCE_REMOVE;
}

/* What cannot be waited for is lost, as on a line that broke. */
static void print_byte(IsaParallel *s)
{
    if (char_frontend_write(&s->chr, &s->byte, 1) == 0) {
        s->watch = char_frontend_watch(&s->chr, G_IO_OUT | G_IO_HUP, chardev_has_room, s);
    }
    if (!s->watch) {
        acknowledge(s);
    }
}

static void strobe(IsaParallel *s)
{
    if (!s->is_busy && s->control & CONTROL_NOT_RESET) {
        s->byte = s->data;
        s->is_busy = true;
        print_byte(s);
    }
}

/* --- registers --- */

static uint64_t status_read(Device *dev, unsigned n)
{
    IsaParallel *s = ISA_PARALLEL(dev);
    uint8_t status = STATUS_SELECTED | STATUS_NOT_ERROR | STATUS_UNUSED;

    if (!s->is_busy && s->control & CONTROL_NOT_RESET) {
        status |= STATUS_NOT_BUSY;
    }
    if (!s->is_acknowledged) {
        status |= STATUS_NOT_ACK;
    }
    s->is_acknowledged = false;
    s->is_irq_pending = false;
    update_line(s);
    return status;
}

static uint64_t control_read(Device *dev, unsigned n)
{
    return ISA_PARALLEL(dev)->control | CONTROL_UNUSED;
}

static void control_write(Device *dev, unsigned n, uint64_t value)
{
    IsaParallel *s = ISA_PARALLEL(dev);
    bool is_strobed = value & ~s->control & CONTROL_STROBE;

    s->control = value & CONTROL_WRITABLE;
    if (!(value & CONTROL_NOT_RESET)) {
        stop_waiting(s);
        s->is_busy = s->is_acknowledged = s->is_irq_pending = false;
    }
    if (is_strobed) {
        strobe(s);
    }
    update_line(s);
}

/* --- life --- */

static bool is_index_taken(Device *dev, uint32_t index)
{
    for (guint i = 0; i < dev->bus->devices->len; i++) {
        Device *other = dev->bus->devices->pdata[i];

        if (other != dev && object_is_a(other, TYPE_ISA_PARALLEL) &&
            ISA_PARALLEL(other)->index == index) {
            return true;
        }
    }
    return false;
}

static bool find_place(Device *dev, Error **errp)
{
    IsaParallel *s = ISA_PARALLEL(dev);

    for (uint32_t i = 0; s->index == ISA_UNSET && i <= ARRAY_SIZE(places); i++) {
        s->index = is_index_taken(dev, i) ? ISA_UNSET : i;
    }
    if (s->index >= ARRAY_SIZE(places)) {
        return error_set(errp, "Max. supported number of parallel ports is %zu.",
                         ARRAY_SIZE(places));
    }
    s->iobase = s->iobase == ISA_UNSET ? places[s->index] : s->iobase;
    return true;
}

static bool parallel_realize(Device *dev, Error **errp)
{
    IsaParallel *s = ISA_PARALLEL(dev);

    if (!char_frontend_chardev(&s->chr)) {
        return error_set(errp, "Can't create parallel device, empty char device");
    }
    return find_place(dev, errp) && isa_device_connect(&s->parent, &s->line, s->irq, errp) &&
           isa_device_map_registers(&s->parent, s->iobase, errp);
}

static void parallel_unrealize(Device *dev)
{
    stop_waiting(ISA_PARALLEL(dev));
}

static void parallel_reset(Device *dev)
{
    IsaParallel *s = ISA_PARALLEL(dev);

    stop_waiting(s);
    s->byte = 0;
    s->is_busy = s->is_acknowledged = s->is_irq_pending = false;
    update_line(s);
}

static bool parallel_post_load(void *opaque, int version, Error **errp)
{
    IsaParallel *s = opaque;

    stop_waiting(s);
    if (s->is_busy) {
        print_byte(s);
    }
    update_line(s);
    return true;
}

static const RegDef parallel_regs[] = {
    REG(0, "DATA", IsaParallel, data, .writable = 0xff),
    REG_COMPUTED(1, "STATUS", .read = status_read),
    REG(2, "CONTROL", IsaParallel, control, .reset = CONTROL_NOT_RESET | CONTROL_SELECT,
        .read = control_read, .write = control_write),
};
static const Property parallel_props[] = {
    PROP_U32("index", IsaParallel, index, .initial = ISA_UNSET,
             .doc = "Which of the PC's ports, from 0"),
    PROP_U32("iobase", IsaParallel, iobase, .initial = ISA_UNSET, .doc = "First of its ports"),
    PROP_U32("irq", IsaParallel, irq, .initial = 7, .doc = "Its interrupt"),
    PROP_CHARDEV("chardev", IsaParallel, chr),
};
static const VMField parallel_fields[] = {
    VM_REGISTERS, VM_U8(IsaParallel, byte), VM_BOOL(IsaParallel, is_busy),
    VM_BOOL(IsaParallel, is_acknowledged), VM_BOOL(IsaParallel, is_irq_pending),
};

static const DeviceType parallel_type = {
    .name = TYPE_ISA_PARALLEL,
    .doc = "Parallel port with a printer",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(IsaParallel),
    .category = DEVICE_CATEGORY_INPUT,
    .registers = REG_MAP(parallel_regs, .size = 3, .width = 1),
    .properties = PROPERTIES(parallel_props),
    .vmstate = VMSTATE(parallel_fields, .version = 1, .post_load = parallel_post_load),
    .realize = parallel_realize,
    .unrealize = parallel_unrealize,
    .reset_hold = parallel_reset,
};
DEVICE_TYPE(parallel_type)
