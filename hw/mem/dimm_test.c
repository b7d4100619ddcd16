/*
 * DIMMs and NVDIMMs in a machine's slots: places, refusals, labels. The texts are those clients
 * know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "hw/mem/pc_dimm.h"
#include "qapi/qapi-commands-machine.h"
#include "qom/user_creatable.h"
#include "system/address_space.h"
#include "system/machine_lock.h"

#define BASE (4 * GiB)

static bool board_pre_plug(Object *handler, Device *dev, Error **errp)
{
    return pc_dimm_pre_plug(MACHINE(handler), PC_DIMM(dev), errp);
}

static bool board_plug(Object *handler, Device *dev, Error **errp)
{
    pc_dimm_plug(MACHINE(handler), PC_DIMM(dev));
    return true;
}

static void board_unplug(Object *handler, Device *dev)
{
    pc_dimm_unplug(MACHINE(handler), PC_DIMM(dev));
}

static const HotplugHandler board_plugger = { board_pre_plug, board_plug, NULL, board_unplug };

static Object *board_handler(Machine *machine, const Device *dev)
{
    return object_is_a(dev, TYPE_PC_DIMM) ? &machine->parent : NULL;
}

static bool board_build(Machine *machine, Error **errp)
{
    return device_memory_init(machine, 3 * GiB + 1, errp);
}

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "with slots",
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &board_plugger }, { 0 } },
    .build = board_build, .hotplug_handler = board_handler,
};
MACHINE_TYPE(board_type)

static Machine *machine;

static Device *add(const char *text, Error **errp)
{
    g_autoptr(JsonObject) keys = NULL;
    json_object *value;
    char *why;

    g_assert_true(json_parse(text, strlen(text), &value, &why));
    keys = value;
    return device_add(keys, PROPERTY_ANY, errp);
}

static void refuse(const char *text, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(add(text, &err));
    g_assert_cmpstr(error_text(err), ==, why);
}

static void add_backend(const char *id, uint64_t bytes)
{
    g_autoptr(JsonObject) options = json_object_new_object();

    json_set(options, "qom-type", json_string("memory-backend-ram"));
    json_set(options, "id", json_string(id));
    json_set(options, "size", json_object_new_uint64(bytes));
    g_assert_nonnull(user_creatable_add(options, PROPERTY_TYPED, NULL));
}

static void remove_device(const char *id)
{
    hotplug_unplug(device_find(id));
}

static void test_window(void)
{
    g_assert_cmphex(machine->device_memory->base, ==, BASE);
    g_assert_cmphex(machine->device_memory->region.size, ==, 896 * MiB + 3 * GiB);
    g_assert_cmphex(device_memory_end(machine, 0), ==, 8 * GiB);
}

static void test_refusals(void)
{
    refuse("{'driver':'pc-dimm'}", "'memdev' property must be set");
    refuse("{'driver':'pc-dimm','memdev':'m64','slot':9}",
           "invalid slot number 9, valid range is [0-2]");
    refuse("{'driver':'pc-dimm','memdev':'m64','slot':-2}",
           "invalid slot number -2, valid range is [0-2]");
    refuse("{'driver':'pc-dimm','memdev':'m64','node':3}",
           "'DIMM property node has value 3' which exceeds the number of numa nodes: 1");
    refuse("{'driver':'pc-dimm','memdev':'modd'}",
           "backend memory size must be multiple of 0x200000");
    refuse("{'driver':'pc-dimm','memdev':'m64','addr':1}",
           "address must be aligned to 0x200000 bytes");
    refuse("{'driver':'pc-dimm','memdev':'m64','addr':618475290624}",
           "can't add memory device [0x9000000000:0x4000000], usable range for memory devices "
           "[0x100000000:0xf8000000]");
    refuse("{'driver':'pc-dimm','memdev':'m64','addr':2097152}",
           "can't add memory device [0x200000:0x4000000], usable range for memory devices "
           "[0x100000000:0xf8000000]");
    refuse("{'driver':'pc-dimm','memdev':'m2g'}",
           "not enough space, currently 0x0 in use of total space for memory devices 0x38000000");
    g_assert_cmpuint(machine->device_memory->devices->len, ==, 0);
}

static void check_summary(uint64_t plugged)
{
    g_autoptr(MemoryInfo) info = qmp_query_memory_size_summary(NULL);

    g_assert_cmpint(info->base_memory, ==, 128 * MiB);
    g_assert_cmpint(info->plugged_memory, ==, plugged);
}

static void test_places(void)
{
    MemoryDeviceInfoArray *list;
    uint64_t value;

    g_assert_nonnull(add("{'driver':'pc-dimm','id':'d0','memdev':'m128'}", NULL));
    refuse("{'driver':'pc-dimm','memdev':'m128'}", "can't use already busy memdev: m128");
    refuse("{'driver':'pc-dimm','memdev':'m64','slot':0}", "slot 0 is busy");
    refuse("{'driver':'pc-dimm','memdev':'m64','addr':4294967296}",
           "address range conflicts with memory device id='d0'");
    g_assert_nonnull(add("{'driver':'pc-dimm','id':'d1','memdev':'m64','slot':2}", NULL));
    g_assert_nonnull(add("{'driver':'pc-dimm','id':'d2','memdev':'n128'}", NULL));
    refuse("{'driver':'pc-dimm','memdev':'o128'}", "no free slots available");
    check_summary(320 * MiB);
    list = qmp_query_memory_devices(NULL);
    g_assert_cmpuint(list->count, ==, 3);
    g_assert_cmpstr(list->items[1]->u.dimm.data->id, ==, "d1");
    g_assert_cmphex(list->items[1]->u.dimm.data->addr, ==, BASE + 128 * MiB);
    g_assert_cmpint(list->items[1]->u.dimm.data->slot, ==, 2);
    g_assert_cmpstr(list->items[2]->u.dimm.data->memdev, ==, "/objects/n128");
    g_assert_cmpint(list->items[2]->u.dimm.data->slot, ==, 1);
    memory_device_info_array_free(list);
    address_space_store(address_space_system(), BASE + 192 * MiB, MEM_LE32, MEM_TX_NONE, 0x1234);
    remove_device("d1");
    address_space_load(address_space_system(), BASE + 128 * MiB, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, UINT32_MAX);
    address_space_load(address_space_system(), BASE + 192 * MiB, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, 0x1234);
    /* Too large for the gap; then the gap itself. */
    g_assert_nonnull(add("{'driver':'pc-dimm','id':'d3','memdev':'o128'}", NULL));
    g_assert_cmphex(PC_DIMM(device_find("d3"))->addr, ==, BASE + 320 * MiB);
    remove_device("d2");
    g_assert_nonnull(add("{'driver':'pc-dimm','id':'d4','memdev':'m64'}", NULL));
    g_assert_cmphex(PC_DIMM(device_find("d4"))->addr, ==, BASE + 128 * MiB);
    g_assert_cmpint(PC_DIMM(device_find("d4"))->slot, ==, 1);
    remove_device("d0");
    remove_device("d3");
    remove_device("d4");
    check_summary(0);
    g_assert_null(pc_dimm_in_slot(machine, 0));
}

static void test_nvdimm(void)
{
    char text[6] = "", *label = text;
    Nvdimm *nvdimm;
    uint64_t value;

    refuse("{'driver':'nvdimm','memdev':'m128','label-size':4096}",
           "Property 'nvdimm.label-size' (0x1000) is required at least 0x20000");
    refuse("{'driver':'nvdimm','memdev':'m128','label-size':134217728}",
           "the size of memdev m128 (0x8000000) is too small to contain nvdimm label (0x8000000) "
           "and aligned PMEM (0x200000)");
    g_assert_nonnull(add("{'driver':'nvdimm','id':'nv','memdev':'m128','label-size':131072,"
                         "'uuid':'12345678-1234-1234-1234-123456789abc'}", NULL));
    nvdimm = NVDIMM(device_find("nv"));
    check_summary(126 * MiB);
    nvdimm_write_label(nvdimm, "label", 131072 - 6, 6);
    nvdimm_read_label(nvdimm, label, 131072 - 6, 6);
    g_assert_cmpstr(label, ==, "label");
    /* The guest does not see them. */
    address_space_load(address_space_system(), BASE + 126 * MiB, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, UINT32_MAX);
    address_space_load(address_space_system(), BASE + 126 * MiB - 4, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, 0);
    g_assert_false(object_set_int(nvdimm, "label-size", 2 * MiB, NULL));
    remove_device("nv");
}

static void test_option(void)
{
    MemorySizes kept = machine->memory;
    struct DeviceMemory *window = machine->device_memory;
    g_autoptr(Error) err = NULL, odd = NULL;

    machine->memory.slots = 300;
    g_assert_false(device_memory_init(machine, 0, &err));
    g_assert_cmpstr(error_text(err), ==, "unsupported amount of memory slots: 300");
    machine->memory = kept;
    machine->memory.max_bytes++;
    g_assert_false(device_memory_init(machine, 0, &odd));
    g_assert_cmpstr(error_text(odd), ==,
                    "maximum memory size must by aligned to multiple of 4096 bytes");
    machine->memory = kept;
    machine->memory.slots = 0;
    refuse("{'driver':'pc-dimm','memdev':'m128'}",
           "no slots where allocated, please specify the 'slots' option");
    machine->memory = kept;
    machine->device_memory = NULL;
    refuse("{'driver':'pc-dimm','memdev':'m128'}",
           "memory devices (e.g. for memory hotplug) are not enabled, please specify the maxmem "
           "option");
    machine->device_memory = window;
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    machine = machine_create(type_find("board-machine"));
    machine->memory = (MemorySizes){ 128 * MiB, GiB, 3 };
    g_assert_true(machine_initialize(machine, NULL));
    device_set_hotplug_phase(true);
    add_backend("m64", 64 * MiB);
    add_backend("m128", 128 * MiB);
    add_backend("n128", 128 * MiB);
    add_backend("o128", 128 * MiB);
    add_backend("m2g", 2 * GiB);
    add_backend("modd", 64 * MiB + 4096);
    g_test_add_func("/dimm/window", test_window);
    g_test_add_func("/dimm/refusals", test_refusals);
    g_test_add_func("/dimm/places", test_places);
    g_test_add_func("/dimm/nvdimm", test_nvdimm);
    g_test_add_func("/dimm/option", test_option);
    status = g_test_run();
    machine_unlock();
    return status;
}
