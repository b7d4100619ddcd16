/*
 * What holds for every registered type, with nothing to add: docs/devel/devices.md. Each concrete
 * device type is made, twice, realized where it can be without a board, driven with
 * random traffic, reset, saved and loaded; each type users may create is made without options.
 * PCI functions find a host bridge, devices on USB a controller, where the binary has a bridge that
 * needs no board.
 * The alarm (alarm.c) sees that devices with registers and timers are covered in any build.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "hw/core/mmio_device.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_device.h"
#include "qom/user_creatable.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define TRAFFIC_STEPS 400
#define MMIO_BASE     (4ull * GiB)
#define MMIO_STEP     (1ull * GiB)

/* What a type (or all its subtypes) needs before it can be realized; types without a row are tried
 * as they are. "#" is another number each time. */
static const struct {
    const char *type, *property, *value;
} recipes[] = {
    { "e1000-base", "mac", "52:54:00:00:00:01" },
    { "loader", "data", "1" },
    { "loader", "data-len", "4" },
    { "pci-bridge", "chassis_nr", "1" },
    { "pcie-slot", "chassis", "#" },
    { "unimplemented-device", "name", "nothing" },
    { "unimplemented-device", "size", "4096" },
};

static Device *make(const Type *type)
{
    Device *dev = device_new(type_name(type));
    static unsigned next_number;

    for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
        if (type_is_a(type, recipes[i].type)) {
            g_autofree char *number = g_strdup_printf("%u", next_number++ % 256);
            const char *value = recipes[i].value;

            g_assert_true(object_set_text(dev, recipes[i].property,
                                          strcmp(value, "#") ? value : number, NULL));
        }
    }
    return dev;
}

/* NULL: it needs a board, and left nothing behind. CPUs need a slot of a machine. */
static Device *make_realized(const Type *type)
{
    const char *bus_type = ((const DeviceType *)type_ops(type))->bus_type;
    Bus *bus = bus_type ? bus_find_free(bus_type) : NULL;
    Device *dev;
    g_autoptr(Error) err = NULL;

    if ((bus_type && !bus) || type_is_a(type, TYPE_CPU)) {
        return NULL;
    }
    dev = make(type);
    if (!device_realize(dev, bus, &err)) {
        g_assert_nonnull(err);
        g_assert_null(dev->bus);
        g_assert_cmpint(dev->parent.refs, ==, 1);
        object_unref(dev);
        return NULL;
    }
    object_unref(dev);
    return dev;
}

/* --- properties --- */

static void check_property(void *opaque, const Type *owner, const Property *prop)
{
    g_autoptr(Error) err = NULL;
    json_object *value, *initial;

    /* A CPU's features are named as in its manual; the model, not the row, says which it has. */
    if ((!prop->doc || !*prop->doc) && !type_is_a(owner, TYPE_CPU)) {
        g_error("%s.%s has no doc", type_name(owner), prop->name);
    }
    if (prop->kind == &property_computed && !prop->get) {
        return;
    }
    value = object_get(opaque, prop->name, &err);
    if (err) {
        g_error("%s.%s cannot be read: %s", type_name(owner), prop->name, error_text(err));
    }
    initial = property_default(prop);
    if (initial && !type_is_a(owner, TYPE_CPU) && !json_object_equal(initial, value)) {
        g_error("%s.%s is %s in a new object, not %s", object_type_name(opaque), prop->name,
                json_object_to_json_string(value), json_object_to_json_string(initial));
    }
    json_unref(initial);
    json_unref(value);
}

static void test_properties(const void *type)
{
    g_autoptr(Object) obj = object_new_of(type);

    type_each_property(type, check_property, obj);
}

/* --- traffic --- */

static void map_all(Device *dev, unsigned place)
{
    if (object_is_a(dev, TYPE_MMIO_DEVICE)) {
        for (unsigned n = 0; n < MMIO_DEVICE(dev)->region_count; n++) {
            mmio_device_map(MMIO_DEVICE(dev), n, MMIO_BASE + (place * 32 + n) * MMIO_STEP);
        }
    }
}

static void access_region(GRand *random, const MmioDevice *dev)
{
    static const MemFormat formats[] = { MEM_LE32, MEM_BE64, MEM_LE64 };
    unsigned n = g_rand_int_range(random, 0, dev->region_count);
    uint64_t size = MIN(dev->regions[n].region->size, MMIO_STEP);
    /* Most registers are at low offsets: every magnitude is as likely. */
    uint64_t part = size >> g_rand_int_range(random, 0, 24);
    uint64_t at = dev->regions[n].addr + g_rand_int(random) % MIN(size, part + 8);
    MemFormat format = formats[g_rand_int_range(random, 0, ARRAY_SIZE(formats))];
    uint64_t value = (uint64_t)g_rand_int(random) << 32 | g_rand_int(random);

    if (g_rand_boolean(random)) {
        at &= ~3ull;
    }
    if (g_rand_boolean(random)) {
        address_space_store(address_space_system(), at, format, MEM_TX_NONE, value);
    } else {
        address_space_load(address_space_system(), at, format, MEM_TX_NONE, &value);
    }
}

/* Headers and the first capabilities are touched as often as all the rest. */
static void access_config(GRand *random, PciDevice *dev)
{
    unsigned bytes = 1u << g_rand_int_range(random, 0, 3);
    unsigned span = g_rand_boolean(random) ? 0x140 : dev->config_size;
    unsigned at = g_rand_int_range(random, 0, MIN(span, dev->config_size) / bytes) * bytes;

    pci_config_write(dev, at, g_rand_int(random), bytes);
    pci_config_read(dev, at, bytes);
}

static void drive(Device *dev, uint32_t seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);

    for (int i = 0; i < TRAFFIC_STEPS; i++) {
        if (object_is_a(dev, TYPE_MMIO_DEVICE) && MMIO_DEVICE(dev)->region_count) {
            access_region(random, MMIO_DEVICE(dev));
        }
        if (object_is_a(dev, TYPE_PCI_DEVICE)) {
            access_config(random, PCI_DEVICE(dev));
        }
        for (unsigned set = 0; set < dev->input_sets; set++) {
            IrqInputs *inputs = &dev->inputs[set];

            irq_input_set(irq_inputs_at(inputs, g_rand_int_range(random, 0, inputs->count)),
                          g_rand_boolean(random));
        }
        clock_qtest_step(g_rand_int_range(random, 1, 100000));
    }
}

/* --- state --- */

static GByteArray *save(Device *dev)
{
    const VMState *state = device_type_state(dev->parent.type);
    GByteArray *bytes = g_byte_array_new();
    VMWriter writer = { bytes };

    if (state) {
        g_assert_true(vmstate_save(state, dev, &writer, NULL));
    }
    return bytes;
}

static void load(Device *dev, const GByteArray *bytes)
{
    const VMState *state = device_type_state(dev->parent.type);
    VMReader reader = { bytes->data, bytes->len };
    g_autoptr(Error) err = NULL;

    if (state && !vmstate_load(state, dev, &reader, &err)) {
        g_error("%s does not load what it saved: %s", object_type_name(dev), error_text(err));
    }
    g_assert_true(!state || reader.pos == reader.size);
}

static void expect_same(Device *dev, const GByteArray *a, const GByteArray *b, const char *when)
{
    guint at = 0;

    while (at < MIN(a->len, b->len) && a->data[at] == b->data[at]) {
        at++;
    }
    if (at < a->len || at < b->len) {
        g_error("%s: saved states of %u and %u bytes differ %s, from byte 0x%x",
                object_type_name(dev), a->len, b->len, when, at);
    }
}

/* Registers that a reset leaves alone are meant to differ. */
static bool keeps_registers(const Type *type)
{
    for (; type_is_a(type, TYPE_DEVICE); type = type_parent(type)) {
        const RegisterMap *map = &((const DeviceType *)type_decl(type))->registers;

        for (size_t i = 0; i < map->count; i++) {
            if (map->regs[i].keeps_on_reset) {
                return true;
            }
        }
    }
    return false;
}

static void test_reset(const void *type)
{
    Device *used = make_realized(type), *new = used ? make_realized(type) : NULL;
    g_autoptr(GByteArray) a = NULL, b = NULL;

    if (!new) {
        g_test_skip("needs a board");
    } else {
        map_all(used, 0);
        drive(used, 1);
        device_reset(used);
        device_reset(new);
        a = save(used);
        b = save(new);
        if (!keeps_registers(type)) {
            expect_same(used, a, b, "after a reset");
        }
        device_delete(new);
    }
    if (used) {
        device_delete(used);
    }
}

static void test_save(const void *type)
{
    Device *from = make_realized(type), *to = from ? make_realized(type) : NULL;
    g_autoptr(GByteArray) a = NULL, b = NULL;

    if (!to) {
        g_test_skip("needs a board");
    } else {
        map_all(from, 0);
        map_all(to, 1);
        drive(from, 2);
        a = save(from);
        load(to, a);
        b = save(to);
        expect_same(from, a, b, "after a load");
        device_delete(to);
    }
    if (from) {
        device_delete(from);
    }
}

static void check_timers(Device *from, Device *to, const Type *level)
{
    const TimerDefs *timers = &((const DeviceType *)type_decl(level))->timers;

    for (size_t i = 0; i < timers->count; i++) {
        Timer *timer = (Timer *)((char *)from + timers->items[i].offset);
        const Timer *loaded = (Timer *)((char *)to + timers->items[i].offset);
        g_autoptr(GByteArray) bytes = NULL;

        timer_arm_after_ns(timer, 123456789);
        bytes = save(from);
        load(to, bytes);
        if (!timer_is_armed(loaded) || timer_deadline_ns(loaded) != timer_deadline_ns(timer)) {
            g_error("%s does not save timer %zu", type_name(level), i);
        }
    }
}

static void test_timers(const void *type)
{
    Device *from = make_realized(type), *to = from ? make_realized(type) : NULL;

    for (const Type *level = type; to && type_is_a(level, TYPE_DEVICE);
         level = type_parent(level)) {
        check_timers(from, to, level);
    }
    if (to) {
        device_delete(to);
    }
    if (from) {
        device_delete(from);
    }
}

static void test_two(const void *type)
{
    Device *a = make(type), *b = make(type);

    g_assert_cmpint(a->parent.refs, ==, 1);
    object_unref(a);
    g_assert_cmpint(b->parent.refs, ==, 1);
    object_unref(b);
}

/* --- objects --- */

static void count(void *opaque, Object *child)
{
    ++*(unsigned *)opaque;
}

static unsigned object_count(void)
{
    unsigned n = 0;

    object_each_child(object_container("/objects"), count, &n);
    return n;
}

static void test_creatable(const void *type)
{
    g_autoptr(JsonObject) options = json_object_new_object();
    g_autoptr(Error) err = NULL;
    unsigned before = object_count();
    Object *obj;

    json_set(options, "qom-type", json_string(type_name(type)));
    json_set(options, "id", json_string("thing"));
    obj = user_creatable_add(options, PROPERTY_TYPED, &err);
    g_assert_true(!obj == !!err);
    if (obj && !strcmp(type_name(type), "main-loop")) {
        object_unparent(obj); /* its user is the process: object-del refuses */
    } else if (obj && !user_creatable_del("thing", &err)) {
        g_error("%s cannot be deleted: %s", type_name(type), error_text(err));
    }
    g_assert_cmpint(object_count(), ==, before);
}

static void add_tests(const char *family, const char *name, void (*fn)(const void *))
{
    g_autoptr(GPtrArray) types = type_list(family, false);

    for (guint i = 0; i < types->len; i++) {
        g_autofree char *path = g_strdup_printf("/types/%s/%s", type_name(types->pdata[i]), name);

        g_test_add_data_func(path, types->pdata[i], fn);
    }
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("none-machine"));
    if (type_find("gpex-pcihost")) {
        g_assert_true(device_realize_and_unref(device_new("gpex-pcihost"), bus_system(), NULL));
        g_assert_true(device_realize_and_unref(device_new("qemu-xhci"), bus_find_free("PCI"),
                                               NULL));
    }
    add_tests(TYPE_DEVICE, "two", test_two);
    add_tests(TYPE_DEVICE, "properties", test_properties);
    add_tests(TYPE_DEVICE, "reset", test_reset);
    add_tests(TYPE_DEVICE, "save", test_save);
    add_tests(TYPE_DEVICE, "timers", test_timers);
    add_tests(TYPE_USER_CREATABLE, "create", test_creatable);
    add_tests(TYPE_USER_CREATABLE, "properties", test_properties);
    status = g_test_run();
    machine_unlock();
    return status;
}
