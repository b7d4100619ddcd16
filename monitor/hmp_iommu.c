/*
 * HMP commands on virtual IOMMUs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"

static void show_fault(Hmp *hmp, json_object *fault)
{
    hmp_printf(hmp, "0x%02" PRIx64 " %s%s", hmp_int(fault, "code"), hmp_text(fault, "reason"),
               hmp_bool(fault, "recorded") ? "" : " (not recorded)");
}

/* --- info iommu --- */

static void show_table(Hmp *hmp, json_object *space, const char *stage)
{
    g_autofree char *levels = g_strdup_printf("%s-levels", stage);

    if (hmp_has(space, stage)) {
        hmp_printf(hmp, ", %s stage of %" PRId64 " levels at 0x%" PRIx64, stage,
                   hmp_int(space, levels), hmp_int(space, stage));
    }
}

static void show_space(Hmp *hmp, json_object *space)
{
    if (hmp_has(space, "pasid")) {
        hmp_printf(hmp, "    PASID %" PRId64 ": ", hmp_int(space, "pasid"));
    } else {
        hmp_printf(hmp, "    no PASID: ");
    }
    hmp_printf(hmp, "%s", hmp_text(space, "mode"));
    if (hmp_has(space, "domain")) {
        hmp_printf(hmp, ", domain %" PRId64, hmp_int(space, "domain"));
    }
    show_table(hmp, space, "first");
    show_table(hmp, space, "second");
    if (hmp_has(space, "fault")) {
        hmp_printf(hmp, ": ");
        show_fault(hmp, json_member(space, "fault"));
    }
    if (hmp_has(space, "host")) {
        hmp_printf(hmp, ", host: %s", hmp_text(space, "host"));
    }
    hmp_printf(hmp, "\n");
}

static void show_iommu_device(Hmp *hmp, json_object *dev)
{
    unsigned requester = hmp_int(dev, "requester");
    json_object *spaces = json_member(dev, "spaces");

    hmp_printf(hmp, "  %02x:%02x.%x %s%s%s\n", requester >> 8, requester >> 3 & 31, requester & 7,
               hmp_text(dev, "id"), hmp_bool(dev, "ats") ? ", ATS" : "",
               hmp_bool(dev, "pri") ? ", page requests" : "");
    for (size_t i = 0; i < json_object_array_length(spaces); i++) {
        show_space(hmp, json_object_array_get_idx(spaces, i));
    }
    if (hmp_bool(dev, "more")) {
        hmp_printf(hmp, "    and more\n");
    }
}

static void show_queue(Hmp *hmp, json_object *unit, const char *key, const char *what)
{
    json_object *queue = json_member(unit, key);

    if (!queue) {
        return;
    }
    hmp_printf(hmp, "  %s: queue of %" PRId64 " bytes at 0x%" PRIx64 ", head 0x%" PRIx64
               ", tail 0x%" PRIx64, what, hmp_int(queue, "bytes"), hmp_int(queue, "address"),
               hmp_int(queue, "head"), hmp_int(queue, "tail"));
    if (hmp_int(queue, "stopped")) {
        hmp_printf(hmp, ", stopped: reason %" PRId64, hmp_int(queue, "stopped"));
    }
    hmp_printf(hmp, "\n");
}

static void show_iommu_counters(Hmp *hmp, json_object *counters)
{
    json_object *faults = json_member(counters, "faults");
    json_object *commands = json_member(counters, "invalidations");

    hmp_printf(hmp, "  translations: %" PRId64 " hits, %" PRId64 " misses, %" PRId64 " walks, %"
               PRId64 " kept\n", hmp_int(counters, "hits"), hmp_int(counters, "misses"),
               hmp_int(counters, "walks"), hmp_int(counters, "cached"));
    hmp_printf(hmp, "  page requests: %" PRId64 ", answers: %" PRId64 "\n",
               hmp_int(counters, "page-requests"), hmp_int(counters, "page-responses"));
    hmp_printf(hmp, "  interrupts: %" PRId64 " remapped, %" PRId64 " blocked\n",
               hmp_int(counters, "interrupts"), hmp_int(counters, "blocked-interrupts"));
    for (size_t i = 0; i < json_object_array_length(commands); i++) {
        json_object *command = json_object_array_get_idx(commands, i);

        hmp_printf(hmp, "  invalidations: %s: %" PRId64 "\n", hmp_text(command, "name"),
                   hmp_int(command, "count"));
    }
    for (size_t i = 0; i < json_object_array_length(faults); i++) {
        json_object *fault = json_object_array_get_idx(faults, i);

        hmp_printf(hmp, "  faults: 0x%02" PRIx64 " %s: %" PRId64 "\n", hmp_int(fault, "code"),
                   hmp_text(fault, "reason"), hmp_int(fault, "count"));
    }
}

static void show_unit(Hmp *hmp, json_object *unit)
{
    json_object *devices = json_member(unit, "devices");

    hmp_printf(hmp, "%s: ", hmp_text(unit, "type"));
    if (hmp_bool(unit, "translating")) {
        hmp_printf(hmp, "translating, %s tables at 0x%" PRIx64 "\n",
                   hmp_bool(unit, "scalable") ? "scalable" : "legacy", hmp_int(unit, "tables"));
    } else {
        hmp_printf(hmp, "not translating\n");
    }
    if (hmp_bool(unit, "remapping")) {
        hmp_printf(hmp, "  interrupts: remapped by %" PRId64 " entries at 0x%" PRIx64 "\n",
                   hmp_int(unit, "interrupt-entries"), hmp_int(unit, "interrupt-table"));
    }
    show_queue(hmp, unit, "commands", "commands");
    show_queue(hmp, unit, "page-requests", "page requests");
    if (hmp_has(unit, "pending-fault")) {
        hmp_printf(hmp, "  fault recorded: 0x%02" PRIx64 "\n", hmp_int(unit, "pending-fault"));
    }
    for (size_t i = 0; i < json_object_array_length(devices); i++) {
        show_iommu_device(hmp, json_object_array_get_idx(devices, i));
    }
    show_iommu_counters(hmp, json_member(unit, "counters"));
}

void show_iommu(Hmp *hmp, json_object *value)
{
    if (!json_object_array_length(value)) {
        hmp_printf(hmp, "No IOMMU\n");
    }
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        show_unit(hmp, json_object_array_get_idx(value, i));
    }
}

/* --- x-iommu-walk --- */

static void show_step(Hmp *hmp, json_object *step)
{
    json_object *words = json_member(step, "entry");
    g_autofree char *table = hmp_has(step, "level") ?
        g_strdup_printf("%s level %" PRId64, hmp_text(step, "table"), hmp_int(step, "level")) :
        g_strdup(hmp_text(step, "table"));

    hmp_printf(hmp, "%-15s at 0x%012" PRIx64 ":", table, hmp_int(step, "address"));
    for (size_t i = 0; i < json_object_array_length(words); i++) {
        hmp_printf(hmp, " %016" PRIx64,
                   json_object_get_uint64(json_object_array_get_idx(words, i)));
    }
    hmp_printf(hmp, "\n");
}

static void show_walk(Hmp *hmp, json_object *value)
{
    json_object *steps = json_member(value, "steps"), *page = json_member(value, "page");

    for (size_t i = 0; i < json_object_array_length(steps); i++) {
        show_step(hmp, json_object_array_get_idx(steps, i));
    }
    hmp_printf(hmp, "%s: ", hmp_text(value, "mode"));
    if (page) {
        hmp_printf(hmp, "0x%" PRIx64 " in a page of 0x%" PRIx64 " bytes:%s%s%s\n",
                   hmp_int(page, "address"), hmp_int(page, "size"),
                   hmp_bool(page, "read") ? " read" : "", hmp_bool(page, "write") ? " write" : "",
                   hmp_bool(page, "privileged") ? " privileged" : "");
    } else {
        hmp_printf(hmp, "fault ");
        show_fault(hmp, json_member(value, "fault"));
        hmp_printf(hmp, "\n");
    }
}

/* An expression's value is signed, an address is not. */
void hmp_iommu_walk(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) value = NULL;

    json_object_object_add(args, "iova", json_object_new_uint64((uint64_t)hmp_int(args, "iova")));
    if (hmp_call(hmp, "x-iommu-walk", args, &value)) {
        show_walk(hmp, value);
    }
}
