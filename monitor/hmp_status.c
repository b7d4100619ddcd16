/*
 * What `info` prints of the replies of QMP queries.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"

#define EACH(item, array)                                                                          \
    for (size_t i_ = 0; i_ < json_object_array_length(array); i_++)                                \
        for (json_object *item = json_object_array_get_idx(array, i_); item; item = NULL)

static const char *on_off(json_object *object, const char *key)
{
    return hmp_bool(object, key) ? "true" : "false";
}

void show_version(Hmp *hmp, json_object *value)
{
    json_object *numbers = json_member(value, "qemu");

    hmp_printf(hmp, "%" PRId64 ".%" PRId64 ".%" PRId64 " (%s)\n", hmp_int(numbers, "major"),
               hmp_int(numbers, "minor"), hmp_int(numbers, "micro"), hmp_text(value, "package"));
}

void show_balloon(Hmp *hmp, json_object *value)
{
    hmp_printf(hmp, "balloon: actual=%" PRIi64 "\n", hmp_int(value, "actual") / (int64_t)MiB);
}

void show_name(Hmp *hmp, json_object *value)
{
    if (hmp_has(value, "name")) {
        hmp_printf(hmp, "%s\n", hmp_text(value, "name"));
    }
}

void show_uuid(Hmp *hmp, json_object *value)
{
    hmp_printf(hmp, "%s\n", hmp_text(value, "UUID"));
}

void show_status(Hmp *hmp, json_object *value)
{
    const char *status = hmp_text(value, "status");
    bool is_running = hmp_bool(value, "running");

    hmp_printf(hmp, "VM status: %s", is_running ? "running" : "paused");
    if (!is_running && strcmp(status, "paused")) {
        hmp_printf(hmp, " (%s)", status);
    }
    hmp_printf(hmp, "\n");
}

void show_tpms(Hmp *hmp, json_object *value)
{
    EACH(tpm, value) {
        json_object *options = json_member(tpm, "options");

        hmp_printf(hmp, "%s tpm%zu: model=%s\n", i_ ? "" : "TPM device:\n", i_,
                   hmp_text(tpm, "model"));
        hmp_printf(hmp, "  \\ %s: type=%s", hmp_text(tpm, "id"), hmp_text(options, "type"));
        json_object_object_foreach (json_member(options, "data"), key, text) {
            hmp_printf(hmp, ",%s=%s", key, json_object_get_string(text));
        }
        hmp_printf(hmp, "\n");
    }
}

void show_text(Hmp *hmp, json_object *value)
{
    hmp_printf(hmp, "%s", hmp_text(value, "human-readable-text"));
}

void show_chardevs(Hmp *hmp, json_object *value)
{
    EACH(chardev, value) {
        hmp_printf(hmp, "%s: filename=%s\n", hmp_text(chardev, "label"),
                   hmp_text(chardev, "filename"));
    }
}

void show_cpus(Hmp *hmp, json_object *value)
{
    int64_t chosen = MAX(hmp->session->cpu_index, 0);

    EACH(cpu, value) {
        int64_t index = hmp_int(cpu, "cpu-index");

        hmp_printf(hmp, "%c CPU #%" PRId64 ": thread_id=%" PRId64 "\n",
                   index == chosen ? '*' : ' ', index, hmp_int(cpu, "thread-id"));
    }
}

/* A member and its value, for every member there is. */
static void print_members(Hmp *hmp, const char *indent, json_object *object)
{
    json_object_object_foreach (object, key, value) {
        hmp_printf(hmp, "%s%s: \"%s\"\n", indent, key, json_object_get_string(value));
    }
}

void show_hotpluggable_cpus(Hmp *hmp, json_object *value)
{
    hmp_printf(hmp, "Hotpluggable CPUs:\n");
    EACH(slot, value) {
        hmp_printf(hmp, "  type: \"%s\"\n  vcpus_count: \"%" PRId64 "\"\n", hmp_text(slot, "type"),
                   hmp_int(slot, "vcpus-count"));
        if (hmp_has(slot, "qom-path")) {
            hmp_printf(hmp, "  qom_path: \"%s\"\n", hmp_text(slot, "qom-path"));
        }
        hmp_printf(hmp, "  CPUInstance Properties:\n");
        print_members(hmp, "    ", json_member(slot, "props"));
    }
}

void show_iothreads(Hmp *hmp, json_object *value)
{
    static const char *const members[][2] = {
        { "thread_id", "thread-id" },     { "poll-max-ns", "poll-max-ns" },
        { "poll-grow", "poll-grow" },     { "poll-shrink", "poll-shrink" },
        { "aio-max-batch", "aio-max-batch" },
    };

    EACH(thread, value) {
        hmp_printf(hmp, "%s:\n", hmp_text(thread, "id"));
        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
            hmp_printf(hmp, "  %s=%" PRId64 "\n", members[i][0], hmp_int(thread, members[i][1]));
        }
    }
}

void show_kvm(Hmp *hmp, json_object *value)
{
    hmp_printf(hmp, "kvm support: %s\n",
               !hmp_bool(value, "present") ? "not compiled"
               : hmp_bool(value, "enabled") ? "enabled" : "disabled");
}

static void print_host_nodes(Hmp *hmp, json_object *nodes)
{
    hmp_printf(hmp, "  host nodes: ");
    EACH(node, nodes) {
        hmp_printf(hmp, "%s%s", i_ ? "," : "", json_object_get_string(node));
    }
    hmp_printf(hmp, "\n");
}

void show_memdevs(Hmp *hmp, json_object *value)
{
    EACH(memdev, value) {
        hmp_printf(hmp, "memory backend: %s\n", hmp_text(memdev, "id"));
        hmp_printf(hmp, "  size:  %" PRId64 "\n", hmp_int(memdev, "size"));
        hmp_printf(hmp, "  merge: %s\n", on_off(memdev, "merge"));
        hmp_printf(hmp, "  dump: %s\n", on_off(memdev, "dump"));
        hmp_printf(hmp, "  prealloc: %s\n", on_off(memdev, "prealloc"));
        hmp_printf(hmp, "  share: %s\n", on_off(memdev, "share"));
        if (hmp_has(memdev, "reserve")) {
            hmp_printf(hmp, "  reserve: %s\n", on_off(memdev, "reserve"));
        }
        hmp_printf(hmp, "  policy: %s\n", hmp_text(memdev, "policy"));
        print_host_nodes(hmp, json_member(memdev, "host-nodes"));
    }
}

void show_memory_devices(Hmp *hmp, json_object *value)
{
    EACH(device, value) {
        json_object *data = json_member(device, "data");

        hmp_printf(hmp, "Memory device [%s]: \"%s\"\n", hmp_text(device, "type"),
                   hmp_text(data, "id"));
        print_members(hmp, "  ", data);
    }
}

void show_memory_size(Hmp *hmp, json_object *value)
{
    hmp_printf(hmp, "base memory: %" PRId64 "\n", hmp_int(value, "base-memory"));
    if (hmp_has(value, "plugged-memory")) {
        hmp_printf(hmp, "plugged memory: %" PRId64 "\n", hmp_int(value, "plugged-memory"));
    }
}
