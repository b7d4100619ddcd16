/*
 * Options that are about boards: see cli/board_options.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "cli/board_options.h"
#include "hw/core/bus.h"
#include "hw/core/machine.h"
#include "monitor/monitor.h"

/* --- monitors --- */

/* An old form: makes chardev `stem`N and attaches a monitor if `mode` says so. */
static bool add_monitor_spec(const char *spec, MonitorMode mode, Error **errp)
{
    static unsigned count;
    g_autofree char *label = g_strdup_printf("compat_monitor%u", count);
    Chardev *chr;

    if (chardev_spec_is_none(spec)) {
        return true;
    }
    count++;
    chr = chardev_add_from_spec(label, spec, NULL, errp);
    return chr && monitor_new(chardev_label(chr), mode, errp);
}

static bool add_monitor(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return add_monitor_spec(value->text, *(MonitorMode *)opaque, errp);
}

static bool add_mon(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    json_object *id = json_member(value->keys, "chardev");
    json_object *mode = json_member(value->keys, "mode");
    json_object *pretty = json_member(value->keys, "pretty");
    const char *text = mode ? json_object_get_string(mode) : "readline";
    bool is_pretty = pretty && !strcmp(json_object_get_string(pretty), "on");

    if (!id) {
        return error_set(errp, "Parameter 'chardev' is missing");
    }
    if (strcmp(text, "readline") && strcmp(text, "control")) {
        return error_set(errp, "unknown monitor mode \"%s\"", text);
    }
    if (is_pretty && !strcmp(text, "readline")) {
        return error_set(errp, "'pretty' is for mode=control");
    }
    return monitor_new(json_object_get_string(id), !strcmp(text, "readline") ? MONITOR_TEXT :
                       is_pretty ? MONITOR_QMP_PRETTY : MONITOR_QMP, errp);
}

/* --- lines --- */

/* A line that somebody already has: as "-device isa-serial" says, there is no other by default. */
static bool is_device_given(OptionSet *set, const char *driver)
{
    static const char *const options[] = { "device", "global-keys" };
    bool is_given = false;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        GPtrArray *values = g_hash_table_lookup(set->values, options[i]);

        for (guint k = 0; values && k < values->len; k++) {
            const OptionValue *value = values->pdata[k];
            json_object *name = value->keys ? json_member(value->keys, "driver") : NULL;

            is_given |= name && !strcmp(json_object_get_string(name), driver);
        }
    }
    return is_given;
}

typedef struct Lines {
    GPtrArray *ids;   /* of the machine's */
    const char *stem; /* of labels */
} Lines;

static bool add_line(Lines *lines, const char *spec, Error **errp)
{
    g_autofree char *label = g_strdup_printf("%s%u", lines->stem, lines->ids->len);
    bool wants_monitor = false;
    Chardev *chr;

    if (chardev_spec_is_none(spec)) {
        g_ptr_array_add(lines->ids, NULL);
        return true;
    }
    chr = chardev_add_from_spec(label, spec, &wants_monitor, errp);
    if (!chr || (wants_monitor && !monitor_new(chardev_label(chr), MONITOR_TEXT, errp))) {
        return false;
    }
    g_ptr_array_add(lines->ids, g_strdup(chardev_label(chr)));
    return true;
}

static bool add_given_line(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return add_line(opaque, value->text, errp);
}

/* What is there if the user says nothing of it. */
typedef struct DefaultLines {
    const char *serial, *parallel, *monitor; /* NULL: none */
} DefaultLines;

/* On a terminal, the first serial line and the monitor share it. */
static DefaultLines choose_defaults(OptionSet *set)
{
    static const char vc[] = "vc:80Cx24C";
    const MachineType *ops = machine_ops(machine_current());
    bool has_monitor = option_given(set, "monitor") || option_given(set, "qmp") ||
                       option_given(set, "qmp-pretty") || option_given(set, "mon");
    bool is_on_terminal = option_given(set, "nographic");
    DefaultLines lines = { NULL };

    if (option_given(set, "nodefaults")) {
        return lines;
    }
    /* A machine without ports leaves the line alone; the monitor has it. */
    if ((ops->has_serial || is_on_terminal) && !option_given(set, "serial") &&
        !is_device_given(set, "isa-serial")) {
        lines.serial = is_on_terminal ? has_monitor ? "stdio" : "mon:stdio" : vc;
    }
    if (ops->has_parallel && !option_given(set, "parallel") &&
        !is_device_given(set, "isa-parallel")) {
        lines.parallel = is_on_terminal ? "null" : vc;
    }
    if (!has_monitor && is_on_terminal) {
        lines.monitor = lines.serial ? NULL : "stdio";
    } else if (!has_monitor && ops->has_serial) {
        lines.monitor = vc;
    }
    return lines;
}

static bool add_defaults(OptionSet *set, Lines *serial, Lines *parallel)
{
    DefaultLines lines = choose_defaults(set);
    Error *err = NULL;

    if (option_given(set, "nographic") && option_given(set, "daemonize") &&
        (lines.serial || lines.monitor)) {
        error_report("-nographic cannot be used with -daemonize");
        return false;
    }
    /* In the order of text consoles: the monitor is the first behind the screen. */
    if ((lines.monitor && !add_monitor_spec(lines.monitor, MONITOR_TEXT, &err)) ||
        (lines.serial && !add_line(serial, lines.serial, &err)) ||
        (lines.parallel && !add_line(parallel, lines.parallel, &err))) {
        error_report_err(err);
        return false;
    }
    return true;
}

bool board_lines_add(OptionSet *set)
{
    MonitorMode text = MONITOR_TEXT, qmp = MONITOR_QMP, pretty = MONITOR_QMP_PRETTY;
    BoardOptions *options = &machine_current()->options;
    Lines serial = { options->serial, "serial" }, parallel = { options->parallel, "parallel" };

    return option_each(set, "serial", add_given_line, &serial) &&
           option_each(set, "parallel", add_given_line, &parallel) &&
           option_each(set, "monitor", add_monitor, &text) &&
           option_each(set, "qmp", add_monitor, &qmp) &&
           option_each(set, "qmp-pretty", add_monitor, &pretty) &&
           option_each(set, "mon", add_mon, NULL) && add_defaults(set, &serial, &parallel);
}

/* --- firmware's files, the display --- */

static bool take_keys(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    g_ptr_array_add(opaque, json_ref(value->keys));
    return true;
}

static bool take_text(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    g_ptr_array_add(opaque, g_strdup(value->text));
    return true;
}

/* Whoever brings an adapter wants no other. */
static const char *default_vga(OptionSet *set)
{
    static const char *const adapters[] = { "VGA", "secondary-vga", "isa-vga", "cirrus-vga",
                                            "isa-cirrus-vga", "qxl-vga", "vmware-svga",
                                            "virtio-vga", "virtio-vga-gl", "ati-vga" };

    if (option_given(set, "nodefaults") || !machine_ops(machine_current())->default_vga) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(adapters); i++) {
        if (is_device_given(set, adapters[i])) {
            return NULL;
        }
    }
    return machine_ops(machine_current())->default_vga;
}

bool board_options_take(OptionSet *set)
{
    BoardOptions *options = &machine_current()->options;
    const char *vga = option_text(set, "vga");

    if (option_given(set, "nographic")) {
        machine_current()->graphics = false;
    }
    options->has_defaults = !option_given(set, "nodefaults");
    options->vga = g_strdup(vga ? vga : default_vga(set));
    return option_each(set, "fw_cfg", take_keys, options->fw_cfg) &&
           option_each(set, "acpitable", take_keys, options->acpi_tables) &&
           option_each(set, "option-rom", take_keys, options->option_roms) &&
           option_each(set, "smbios", take_text, options->smbios);
}

/* --- devices --- */

static bool add_debugcon(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) device = json_object_new_object();
    Chardev *chr = chardev_add_from_spec("debugcon", value->text, NULL, errp);

    if (!chr) {
        return false;
    }
    json_set(device, "driver", json_string("isa-debugcon"));
    json_set(device, "chardev", json_string(chardev_label(chr)));
    return device_add(device, PROPERTY_TEXT, errp);
}

static bool add_usb_controller(Error **errp)
{
    g_autoptr(JsonObject) device = json_object_new_object();

    json_set(device, "driver", json_string("qemu-xhci"));
    return device_add(device, PROPERTY_TEXT, errp);
}

/* Boards with a place for one of their own have it by now. */
bool board_usb_add(OptionSet *set)
{
    bool is_wanted = machine_current()->usb || option_given(set, "usbdevice");
    Error *err = NULL;

    if (is_wanted && !bus_find_free("usb-bus") && !add_usb_controller(&err)) {
        error_prefix(&err, "USB: ");
        error_report_err(err);
        return false;
    }
    return true;
}

static bool add_usb_device(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    static const struct {
        const char *name, *driver;
    } devices[] = {
        { "tablet", "usb-tablet" }, { "mouse", "usb-mouse" }, { "keyboard", "usb-kbd" },
    };
    g_autoptr(JsonObject) device = json_object_new_object();

    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (!strcmp(value->text, devices[i].name)) {
            json_set(device, "driver", json_string(devices[i].driver));
            return device_add(device, PROPERTY_TEXT, errp);
        }
    }
    return error_set(errp, "could not add USB device '%s'", value->text);
}

bool board_devices_add(OptionSet *set)
{
    return option_each(set, "debugcon", add_debugcon, NULL) &&
           option_each(set, "usbdevice", add_usb_device, NULL);
}
