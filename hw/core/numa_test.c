/*
 * -numa, option by option: what is refused and why, what is made of the rest. The texts are
 * those clients and users know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "hw/core/numa_hmat.h"
#include "qapi/qapi-types-machine.h"
#include "qom/user_creatable.h"
#include "system/machine_lock.h"

static CpuSlots *board_slots(Machine *machine)
{
    return cpu_slots_new(machine, "test-cpu");
}

static unsigned last_node(const Machine *machine, const CpuSlot *slot)
{
    return numa_node_count(machine->numa) - 1;
}

static const Property board_props[] = { PROP_MACHINE_HMAT };

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "knows NUMA", .max_cpus = 16,
    .supports_numa = true, .default_cpu = "test-cpu", .cpu_slots = board_slots,
    .default_ram_id = "board.ram", .properties = PROPERTIES(board_props),
    .auto_enable_numa = NUMA_AUTO_WITH_SLOTS | NUMA_AUTO_WITH_BACKEND,
};
MACHINE_TYPE(board_type)
static const MachineType old_type = {
    .name = "old-machine", .parent = TYPE_MACHINE, .doc = "knows mem=", .max_cpus = 16,
    .supports_numa = true, .supports_numa_mem = true, .default_cpu = "test-cpu",
    .cpu_slots = board_slots, .default_cpu_node = last_node,
};
MACHINE_TYPE(old_type)
static const MachineType cpuless_type = {
    .name = "cpuless-machine", .parent = TYPE_MACHINE, .doc = "no CPU", .supports_numa = true,
};
MACHINE_TYPE(cpuless_type)
static const MachineType plain_type = {
    .name = "plain-machine", .parent = TYPE_MACHINE, .doc = "no NUMA",
};
MACHINE_TYPE(plain_type)
static const CpuType cpu_type = { .name = "test-cpu", .parent = TYPE_CPU, .doc = "runs nothing" };
CPU_TYPE(cpu_type)

/* 128 MiB, 8 CPUs in 2 sockets. */
static Machine *make(const char *type)
{
    Machine *machine = MACHINE(object_new(type));

    if (machine_ops(machine)->max_cpus) {
        machine->smp = (CpuTopology){ 8, 8, { 2, 1, 1, 4, 1 } };
    }
    return machine;
}

/* "node,nodeid=1,cpus=0,cpus=2": as the command line's parser hands it on. */
static json_object *keys_of(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    json_object *keys = json_object_new_object(), *cpus = NULL;

    json_set(keys, "type", json_string(parts[0]));
    for (char **part = parts + 1; *part; part++) {
        g_auto(GStrv) pair = g_strsplit(*part, "=", 2);

        if (strcmp(pair[0], "cpus")) {
            json_set(keys, pair[0], json_string(pair[1]));
            continue;
        }
        if (!cpus) {
            cpus = json_object_new_array();
            json_set(keys, "cpus", cpus);
        }
        json_object_array_add(cpus, json_string(pair[1]));
    }
    return keys;
}

static bool add(Machine *machine, const char *text, Error **errp)
{
    g_autoptr(JsonObject) keys = keys_of(text);

    return numa_add_option(machine, keys, PROPERTY_TEXT, errp);
}

static void expect(Machine *machine, const char *text, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_cmpint(add(machine, text, &err), ==, !why);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, why);
}

static void give(Machine *machine, const char *const *texts)
{
    for (; *texts; texts++) {
        expect(machine, *texts, NULL);
    }
}
#define GIVE(machine, ...) give((machine), (const char *const[]){ __VA_ARGS__, NULL })

static void expect_complete(Machine *machine, const char *why)
{
    g_autoptr(Error) err = NULL;
    bool is_done = numa_complete(machine, &err) &&
                   (!machine_cpu_slots(machine) || numa_assign_cpus(machine, &err));

    g_assert_cmpint(is_done, ==, !why);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, why);
}

static void make_backend(const char *id, int64_t bytes)
{
    g_autoptr(JsonObject) options = json_object_new_object();

    json_set(options, "qom-type", json_string("memory-backend-ram"));
    json_set(options, "id", json_string(id));
    json_set(options, "size", json_object_new_int64(bytes));
    g_assert_nonnull(user_creatable_add(options, PROPERTY_TYPED, NULL));
}

#define MIX "numa configuration should use either mem= or memdev=,mixing both is not allowed"

static void test_node(void)
{
    g_autoptr(Object) board = &make("board-machine")->parent;
    g_autoptr(Object) plain = &make("plain-machine")->parent;

    expect(MACHINE(plain), "node", "NUMA is not supported by this machine-type");
    expect(MACHINE(board), "nodes", "Parameter 'type' does not accept value 'nodes'");
    expect(MACHINE(board), "node,nodeid=128", "Max number of NUMA nodes reached: 128");
    expect(MACHINE(board), "node,mem=5M",
           "Parameter -numa node,mem is not supported by this machine type");
    expect(MACHINE(board), "node,memdev=nope", "memdev=nope is not a memory backend");
    g_assert_cmpint(numa_node_count(MACHINE(board)->numa), ==, 0);
    expect(MACHINE(board), "node,memdev=m64", NULL);
    expect(MACHINE(board), "node,nodeid=0", "Duplicate NUMA nodeid: 0");
    expect(MACHINE(board), "node,nodeid=3", NULL);
    expect_complete(MACHINE(board), "numa: Node ID missing: 2");
}

static void test_mem(void)
{
    g_autoptr(Object) a = &make("old-machine")->parent, b = &make("old-machine")->parent;
    g_autoptr(Object) c = &make("old-machine")->parent;

    expect(MACHINE(a), "node,mem=64M", NULL);
    expect(MACHINE(a), "node,memdev=m64", MIX);
    expect_complete(MACHINE(a),
                    "total memory for NUMA nodes (0x4000000) should equal RAM size (0x8000000)");
    expect(MACHINE(a), "node,mem=64M", NULL);
    expect_complete(MACHINE(a), NULL);
    g_assert_cmpint(numa_node_bytes(MACHINE(a)->numa, 1), ==, 64 * MiB);
    expect(MACHINE(b), "node,memdev=m64", NULL);
    expect(MACHINE(b), "node,mem=64M", MIX);
    expect(MACHINE(b), "node,mem=64M,memdev=m64", MIX);
    GIVE(MACHINE(c), "node,mem=18446744073709551615", "node,mem=134217729");
    expect_complete(MACHINE(c), "total memory for NUMA nodes exceeds 64 bits");
}

#define BAD_CPUS "Parameter 'cpus' expects a uint64 value or range"

static void test_cpus(void)
{
    g_autoptr(Object) board = &make("board-machine")->parent;
    g_autoptr(Object) none = &make("cpuless-machine")->parent;
    Machine *m = MACHINE(board);
    static const char *const bad[] = { "x", "4-3", "", "-1", "1-", "70000", "0-70000", "1--2" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *text = g_strdup_printf("node,memdev=m64,cpus=%s", bad[i]);

        expect(m, text, BAD_CPUS);
    }
    expect(m, "node,cpus=0-9", "CPU index (8) should be smaller than maxcpus (8)");
    expect(MACHINE(none), "node,cpus=0", "mapping of CPUs to NUMA node is not supported");
    expect(MACHINE(none), "node", NULL);
    expect(MACHINE(none), "cpu,node-id=0,socket-id=0",
           "mapping of CPUs to NUMA node is not supported");
    GIVE(m, "node,memdev=m128,cpus=0,cpus=2-3", "node");
    expect(m, "node,cpus=3", "CPU is already assigned to node-id: 0");
    g_assert_cmpint(numa_node_count(m->numa), ==, 2);
    expect(m, "cpu,socket-id=1", "Missing mandatory node-id property");
    expect(m, "cpu,node-id=2,socket-id=1",
           "Invalid node-id=2, NUMA node must be defined with -numa node,nodeid=ID before it's "
           "used with -numa cpu,node-id=ID");
    expect(m, "cpu,node-id=1,die-id=0", "die-id is not supported");
    expect(m, "cpu,node-id=1,cluster-id=0", "cluster-id is not supported");
    expect(m, "cpu,node-id=1,socket-id=9", "no match found");
    expect(m, "cpu,node-id=1,socket-id=-1", "no match found");
    expect(m, "cpu,node-id=1,socket-id=0", "CPU is already assigned to node-id: 0");
    g_assert_cmpint(m->slots->slots[1].node_id, ==, -1);
    expect(m, "cpu,node-id=1,socket-id=1", NULL);
    expect(m, "cpu,node-id=1,socket-id=1", NULL);
    expect_complete(m, NULL);
    g_assert_cmpint(m->slots->slots[1].node_id, ==, 0); /* the rest, with a warning */
    g_assert_cmpint(m->slots->slots[4].node_id, ==, 1);
}

/* Typed and text forms of "cpus" say the same. */
static void test_cpus_forms(void)
{
    static const char *const forms[] = {
        "{'type':'node','cpus':[0,2,3]}", "{'type':'node','cpus':'0,2-3'}",
        "{'type':'node','cpus':['0','2-3']}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        g_autoptr(Object) board = &make("board-machine")->parent;
        json_object *keys;
        g_autoptr(JsonObject) owned = NULL;

        g_assert_true(json_parse(forms[i], strlen(forms[i]), &keys, NULL));
        owned = keys;
        g_assert_true(numa_add_option(MACHINE(board), keys, i ? PROPERTY_TEXT : PROPERTY_TYPED,
                                      NULL));
        for (int cpu = 0; cpu < 8; cpu++) {
            g_assert_cmpint(MACHINE(board)->slots->slots[cpu].node_id, ==,
                            cpu == 0 || cpu == 2 || cpu == 3 ? 0 : -1);
        }
    }
}

static void expect_printed(Machine *machine, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);

    numa_print(out, machine);
    g_assert_cmpstr(out->str, ==, expected);
}

/* By socket, unless the machine knows better. */
static void test_default_cpus(void)
{
    g_autoptr(Object) board = &make("board-machine")->parent, old = &make("old-machine")->parent;
    Machine *m = MACHINE(board);
    Object *cpus[8];

    expect_printed(m, "0 nodes\n");
    GIVE(m, "node,memdev=m128", "node");
    expect_complete(m, NULL);
    for (int i = 0; i < 8; i++) {
        cpus[i] = object_new("test-cpu");
        m->slots->slots[i].cpu = i < 6 ? (Device *)cpus[i] : NULL;
        CPU(cpus[i])->vcpu.index = i;
    }
    numa_plug_memory(m->numa, 1, 32 * MiB);
    expect_printed(m, "2 nodes\nnode 0 cpus: 0 1 2 3\nnode 0 size: 128 MB\nnode 0 plugged: 0 MB\n"
                   "node 1 cpus: 4 5\nnode 1 size: 32 MB\nnode 1 plugged: 32 MB\n");
    for (int i = 0; i < 8; i++) {
        m->slots->slots[i].cpu = NULL;
        object_unref(cpus[i]);
    }
    GIVE(MACHINE(old), "node,mem=128M", "node");
    expect_complete(MACHINE(old), NULL);
    g_assert_cmpint(MACHINE(old)->slots->slots[0].node_id, ==, 1);
}

static void test_distances(void)
{
    g_autoptr(Object) a = &make("board-machine")->parent, b = &make("board-machine")->parent;
    Machine *m = MACHINE(a);

    GIVE(m, "node,memdev=m128", "node", "node");
    g_assert_cmpint(numa_distance(m->numa, 1, 1), ==, 10);
    g_assert_cmpint(numa_distance(m->numa, 1, 2), ==, 20);
    expect(m, "dist,src=0,dst=1", "Parameter 'val' is missing");
    expect(m, "dist,src=0,dst=1,val=9",
           "NUMA distance (9) is invalid, it shouldn't be less than 10.");
    expect(m, "dist,src=0,dst=0,val=11", "Local distance of node 0 should be 10.");
    expect(m, "dist,src=3,dst=0,val=11",
           "Source/Destination NUMA node is missing. Please use '-numa node' option to declare "
           "it first.");
    expect(m, "dist,src=128,dst=0,val=11",
           "Parameter 'src' expects an integer between 0 and 127");
    expect(m, "dist,src=0,dst=128,val=11",
           "Parameter 'dst' expects an integer between 0 and 127");
    g_assert_false(add(m, "dist,src=0,dst=1,val=256", NULL));
    g_assert_false(numa_has_distances(m->numa));
    GIVE(m, "dist,src=0,dst=1,val=30");
    expect_complete(m, "The distance between node 0 and 2 is missing, at least one distance value "
                    "between each nodes should be provided.");
    GIVE(m, "dist,src=2,dst=0,val=40", "dist,src=1,dst=2,val=255");
    expect_complete(m, NULL);
    g_assert_cmpint(numa_distance(m->numa, 0, 2), ==, 40);
    g_assert_cmpint(numa_distance(m->numa, 2, 1), ==, 255);
    g_assert_cmpint(numa_distance(m->numa, 2, 2), ==, 10);

    GIVE(MACHINE(b), "node,memdev=m128", "node", "node", "dist,src=0,dst=1,val=30",
         "dist,src=1,dst=0,val=31", "dist,src=0,dst=2,val=30", "dist,src=1,dst=2,val=30");
    expect_complete(MACHINE(b), "At least one asymmetrical pair of distances is given, please "
                    "provide distances for both directions of all node pairs.");
    GIVE(MACHINE(b), "dist,src=2,dst=0,val=12", "dist,src=2,dst=1,val=13");
    expect_complete(MACHINE(b), NULL);
    g_assert_cmpint(numa_distance(MACHINE(b)->numa, 2, 0), ==, 12);
}

#define OFF "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable it with "        \
            "-machine hmat=on before using any of hmat specific options"
#define CACHE(node, size, level)                                                                   \
    "hmat-cache,node-id=" #node ",size=" #size ",level=" #level                                    \
    ",associativity=direct,policy=write-back,line=8"
#define LB(i, t, type, member)                                                                     \
    "hmat-lb,initiator=" #i ",target=" #t ",hierarchy=memory,data-type=access-" #type "," member

/* Two nodes, all CPUs in the first. */
static Machine *make_hmat(void)
{
    Machine *m = make("board-machine");

    g_assert_true(object_set_bool(m, "hmat", true, NULL));
    GIVE(m, "node,memdev=m64", "node,memdev=n64,initiator=0", "cpu,node-id=0,socket-id=0",
         "cpu,node-id=0,socket-id=1");
    return m;
}

static void test_initiators(void)
{
    g_autoptr(Object) off = &make("board-machine")->parent;
    g_autoptr(Object) a = &make("board-machine")->parent, b = &make("board-machine")->parent;
    g_autoptr(Object) c = &make_hmat()->parent;

    expect(MACHINE(off), "node,initiator=0", OFF);
    GIVE(MACHINE(off), "node");
    expect(MACHINE(off), LB(0, 0, latency, "latency=1"), OFF);
    expect(MACHINE(off), CACHE(0, 10K, 1), OFF);
    g_assert_true(object_set_bool(a, "hmat", true, NULL));
    g_assert_true(object_set_bool(b, "hmat", true, NULL));
    expect(MACHINE(a), "node,initiator=200",
           "The initiator id 200 expects an integer between 0 and 127");
    expect(MACHINE(a), "node,initiator=1,cpus=0",
           "The initiator of CPU NUMA node 0 should be itself (got 1)");
    GIVE(MACHINE(a), "node,initiator=1,memdev=m128", "node");
    expect(MACHINE(a), "cpu,node-id=0,socket-id=0",
           "The initiator of CPU NUMA node 0 should be itself (got 1)");
    expect_complete(MACHINE(a), "The initiator of NUMA node 0 is invalid");
    GIVE(MACHINE(b), "node,initiator=5,memdev=m128");
    expect_complete(MACHINE(b),
                    "NUMA node 5 is missing, use '-numa node' option to declare it first");
    expect_complete(MACHINE(c), NULL);
    g_assert_cmpint(numa_initiator(MACHINE(c)->numa, 0), ==, 0);
    g_assert_cmpint(numa_initiator(MACHINE(c)->numa, 1), ==, 0);
    g_assert_cmpint(numa_initiator(MACHINE(c)->numa, 2), ==, -1);
}

static void test_hmat_lb(void)
{
    g_autoptr(Object) board = &make_hmat()->parent;
    Machine *m = MACHINE(board);

    expect(m, LB(2, 0, latency, "latency=1"),
           "Invalid initiator=2, it isn't an initiator proximity domain");
    expect(m, LB(1, 0, latency, "latency=1"),
           "Invalid initiator=1, it isn't an initiator proximity domain");
    expect(m, LB(0, 2, latency, "latency=1"), "The target=2 should point to an existing node");
    expect(m, LB(0, 0, latency, "bandwidth=1M"), "Missing 'latency' option");
    expect(m, LB(0, 0, latency, "latency=1,bandwidth=1M"),
           "Invalid option 'bandwidth' since the data type is latency");
    expect(m, LB(0, 0, bandwidth, "latency=1"), "Missing 'bandwidth' option");
    expect(m, LB(0, 0, bandwidth, "latency=1,bandwidth=1M"),
           "Invalid option 'latency' since the data type is bandwidth");
    expect(m, LB(0, 0, bandwidth, "bandwidth=1048575"),
           "Bandwidth 1048575 between initiator=0 and target=0 should be 1MB aligned");
    g_assert_null(numa_hmat_table(m->numa, 0, HMAT_LB_DATA_TYPE_ACCESS_LATENCY));
    expect(m, LB(0, 0, latency, "latency=5"), NULL);
    expect(m, LB(0, 0, latency, "latency=6"),
           "Duplicate configuration of the latency for initiator=0 and target=0");
    expect(m, LB(0, 1, latency, "latency=0"), NULL);
    expect(m, LB(0, 1, latency, "latency=5"),
           "Duplicate configuration of the latency for initiator=0 and target=1");
}

typedef struct RangeCase {
    const char *first, *second;
    const char *why;
    uint64_t base;
    uint16_t value; /* of the second */
} RangeCase;

#define LATENCY(n) LB(0, 1, latency, "latency=" #n)
#define FAR_LATENCY(n)                                                                             \
    "Latency " #n " between initiator=0 and target=1 should not differ from previously entered "   \
    "min or max values on more than 65534"
#define BANDWIDTH(n) LB(0, 1, bandwidth, "bandwidth=" #n)
#define FAR_BANDWIDTH(n)                                                                           \
    "Bandwidth " #n " between initiator=0 and target=1 should not differ from previously entered " \
    "values on more than 65534"

static const RangeCase latency_cases[] = {
    { LB(0, 0, latency, "latency=5"), LATENCY(65534), NULL, 1, 65534 },
    { LB(0, 0, latency, "latency=5"), LATENCY(65535), FAR_LATENCY(65535) },
    { LB(0, 0, latency, "latency=5"), LATENCY(655340), FAR_LATENCY(655340) },
    { LB(0, 0, latency, "latency=50"), LATENCY(655340), NULL, 10, 65534 },
    { LB(0, 0, latency, "latency=70000"), LATENCY(1), FAR_LATENCY(1) },
    { LB(0, 0, latency, "latency=0"), LATENCY(7000), NULL, 1000, 7 },
    { LB(0, 0, latency, "latency=3"), LATENCY(18446744073709551615),
      FAR_LATENCY(18446744073709551615) },
};
static const RangeCase bandwidth_cases[] = {
    { LB(0, 0, bandwidth, "bandwidth=1M"), BANDWIDTH(65534M), NULL, MiB, 65534 },
    { LB(0, 0, bandwidth, "bandwidth=1M"), BANDWIDTH(65535M), FAR_BANDWIDTH(68718428160) },
    { LB(0, 0, bandwidth, "bandwidth=2M"), BANDWIDTH(131068M), NULL, 2 * MiB, 65534 },
    { LB(0, 0, bandwidth, "bandwidth=2M"), BANDWIDTH(131070M), FAR_BANDWIDTH(137436856320) },
    { LB(0, 0, bandwidth, "bandwidth=65536M"), BANDWIDTH(1M), FAR_BANDWIDTH(1048576) },
    { LB(0, 0, bandwidth, "bandwidth=0"), BANDWIDTH(1M), NULL, MiB, 1 },
    { LB(0, 0, bandwidth, "bandwidth=8M"), BANDWIDTH(17592186044415M),
      FAR_BANDWIDTH(18446744073708503040) },
};

static void check_ranges(const RangeCase *cases, size_t count, unsigned type)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(Object) board = &make_hmat()->parent;
        const NumaHmatTable *table;

        expect(MACHINE(board), cases[i].first, NULL);
        expect(MACHINE(board), cases[i].second, cases[i].why);
        table = numa_hmat_table(MACHINE(board)->numa, HMAT_LB_MEMORY_HIERARCHY_MEMORY, type);
        g_assert_cmpint(numa_hmat_value(table, 0, 1), ==, cases[i].value);
        if (!cases[i].why) {
            g_assert_cmpint(table->base, ==, cases[i].base);
        }
    }
}

static void test_hmat_ranges(void)
{
    check_ranges(latency_cases, ARRAY_SIZE(latency_cases), HMAT_LB_DATA_TYPE_ACCESS_LATENCY);
    check_ranges(bandwidth_cases, ARRAY_SIZE(bandwidth_cases), HMAT_LB_DATA_TYPE_ACCESS_BANDWIDTH);
}

#define UNMEASURED "The latency and bandwidth information of node-id=0 should be provided before " \
                   "memory side cache attributes"

static void test_hmat_cache(void)
{
    g_autoptr(Object) board = &make_hmat()->parent;
    Machine *m = MACHINE(board);

    expect(m, CACHE(2, 10K, 1), "Invalid node-id=2, it should be less than 2");
    expect(m, CACHE(0, 10K, 1), UNMEASURED);
    GIVE(m, LB(0, 0, latency, "latency=5"));
    expect(m, CACHE(0, 10K, 1), UNMEASURED);
    GIVE(m, LB(0, 0, bandwidth, "bandwidth=5M"));
    expect(m, CACHE(0, 10K, 0),
           "Invalid level=0, it should be larger than 0 and less than or equal to 3");
    expect(m, CACHE(0, 10K, 4),
           "Invalid level=4, it should be larger than 0 and less than or equal to 3");
    expect(m, CACHE(0, 10K, 2), "Cache level=1 shall be defined first");
    expect(m, CACHE(0, 0, 1), "Invalid size=0 of the side cache for node-id=0 and level=1");
    expect(m, CACHE(0, 10K, 1), NULL);
    expect(m, CACHE(0, 10K, 1),
           "Duplicate configuration of the side cache for node-id=0 and level=1");
    expect(m, CACHE(0, 10K, 2), "Invalid size=10240, the size of level=2 should be larger than "
           "the size(10240) of level=1");
    expect(m, CACHE(0, 9K, 2), "Invalid size=9216, the size of level=2 should be larger than the "
           "size(10240) of level=1");
    expect(m, CACHE(0, 11K, 2), NULL);
    g_assert_cmpint(numa_hmat_cache(m->numa, 0, 2)->size_bytes, ==, 11 * KiB);
    g_assert_cmpint(numa_hmat_cache(m->numa, 0, 2)->associativity, ==,
                    HMAT_CACHE_ASSOCIATIVITY_DIRECT);
    g_assert_null(numa_hmat_cache(m->numa, 0, 3));
    g_assert_null(numa_hmat_cache(m->numa, 1, 1));
}

/* --- memory --- */

static void expect_ram(Machine *machine, const char *why)
{
    g_autoptr(Error) err = NULL;

    machine->cpu_type = NULL;
    g_assert_cmpint(machine_initialize(machine, &err), ==, !why);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, why);
}

static void test_ram_of_nodes(void)
{
    g_autoptr(Object) board = &make("board-machine")->parent;
    g_autoptr(Object) twice = &make("board-machine")->parent;
    g_autoptr(Object) both = &make("board-machine")->parent;

    GIVE(MACHINE(board), "node,memdev=m64", "node,memdev=n64");
    expect_ram(MACHINE(board), NULL);
    g_assert_cmpint(MACHINE(board)->ram->size, ==, 128 * MiB);
    g_assert_cmpint(g_queue_get_length(&MACHINE(board)->ram->children), ==, 2);
    g_assert_false(user_creatable_del("m64", NULL));

    GIVE(MACHINE(twice), "node,memdev=m64", "node,memdev=m64");
    expect_ram(MACHINE(twice), "can't use already busy memdev: m64");
    object_unref(g_steal_pointer(&board));
    expect_ram(MACHINE(twice), "can't use already busy memdev: m64");

    GIVE(MACHINE(both), "node,memdev=m128");
    g_assert_true(object_set_text(both, "memory-backend", "m128", NULL));
    expect_ram(MACHINE(both),
               "'-machine memory-backend' and '-numa memdev' properties are mutually exclusive");
}

static void test_ram_of_machine(void)
{
    g_autoptr(Object) ours = &make("board-machine")->parent;
    g_autoptr(Object) users = &make("board-machine")->parent;
    g_autoptr(Object) wrong = &make("board-machine")->parent;
    g_autofree char *path = NULL;

    expect_ram(MACHINE(ours), NULL);
    path = object_get_text(ours, "memory-backend");
    g_assert_cmpstr(path, ==, "/objects/board.ram");
    g_assert_false(user_creatable_del("board.ram", NULL));
    object_unref(g_steal_pointer(&ours));
    g_assert_true(user_creatable_del("board.ram", NULL));

    g_assert_true(object_set_text(users, "memory-backend", "m128", NULL));
    expect_ram(MACHINE(users), NULL);
    g_assert_cmpint(numa_node_count(MACHINE(users)->numa), ==, 1); /* firmware wants one */
    g_assert_cmpint(numa_node_bytes(MACHINE(users)->numa, 0), ==, 128 * MiB);
    g_assert_true(object_set_text(wrong, "memory-backend", "m64", NULL));
    expect_ram(MACHINE(wrong), "Size specified by -m option must match size of explicitly "
               "specified 'memory-backend' property");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    make_backend("m64", 64 * MiB);
    make_backend("n64", 64 * MiB);
    make_backend("m128", 128 * MiB);
    g_test_add_func("/numa/node", test_node);
    g_test_add_func("/numa/mem", test_mem);
    g_test_add_func("/numa/cpus", test_cpus);
    g_test_add_func("/numa/cpus/forms", test_cpus_forms);
    g_test_add_func("/numa/cpus/default", test_default_cpus);
    g_test_add_func("/numa/distances", test_distances);
    g_test_add_func("/numa/hmat/initiators", test_initiators);
    g_test_add_func("/numa/hmat/lb", test_hmat_lb);
    g_test_add_func("/numa/hmat/ranges", test_hmat_ranges);
    g_test_add_func("/numa/hmat/cache", test_hmat_cache);
    g_test_add_func("/numa/ram/nodes", test_ram_of_nodes);
    g_test_add_func("/numa/ram/machine", test_ram_of_machine);
    status = g_test_run();
    user_creatable_cleanup();
    machine_unlock();
    return status;
}
