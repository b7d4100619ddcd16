/*
 * qtest: watching and driving IRQ lines. One device is watched per run; its lines go on working.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "qtest.h"

#define UNNAMED "unnamed-gpio-in"

typedef struct Watch {
    IrqObserver observer;
    unsigned number;
    bool is_high;
    IrqLine *line;   /* either */
    IrqInput *input;
} Watch;

/* What is watched; the machine has one tester. */
static struct {
    QtestServer *server;
    Device *dev;
    GPtrArray *watches;
} watched;

static void line_changed(IrqObserver *observer, int level)
{
    Watch *watch = container_of(observer, Watch, observer);

    if (!level != !watch->is_high) {
        watch->is_high = level;
        qtest_notify(watched.server, "IRQ %s %u", level ? "raise" : "lower", watch->number);
    }
}

static Watch *add_watch(int level)
{
    Watch *watch = g_new0(Watch, 1);

    watch->observer.changed = line_changed;
    watch->number = watched.watches->len;
    watch->is_high = level;
    g_ptr_array_add(watched.watches, watch);
    return watch;
}

static Device *find_device(QtestServer *server, const char *path)
{
    Object *obj = object_resolve(path, TYPE_DEVICE, NULL);

    if (!obj) {
        qtest_reply(server, "FAIL Unknown device");
        return NULL;
    }
    return DEVICE(obj);
}

/* True if nothing is watched yet; else has replied. */
static bool begin_watch(QtestServer *server, Device *dev)
{
    if (watched.dev == dev) {
        qtest_reply(server, "OK");
        return false;
    }
    if (watched.dev) {
        qtest_reply(server, "FAIL IRQ intercept already enabled");
        return false;
    }
    watched.server = server;
    watched.watches = g_ptr_array_new_with_free_func(g_free);
    return true;
}

static void end_watch(QtestServer *server, Device *dev)
{
    if (watched.watches->len) {
        watched.dev = (Device *)object_ref(dev);
        qtest_reply(server, "OK");
        return;
    }
    g_clear_pointer(&watched.watches, g_ptr_array_unref);
    qtest_reply(server, "FAIL No intercepts installed");
}

typedef struct OutFilter {
    const char *name; /* NULL: all */
} OutFilter;

static void watch_out(void *opaque, const char *name, unsigned n, IrqLine *line)
{
    OutFilter *filter = opaque;
    Watch *watch;

    if (filter->name && g_strcmp0(filter->name, name)) {
        return;
    }
    watch = add_watch(irq_level(line));
    watch->line = line;
    irq_observe(line, &watch->observer);
}

static void watch_outs_below(void *opaque, Object *obj)
{
    if (object_is_a(obj, TYPE_DEVICE)) {
        device_each_irq_out(DEVICE(obj), watch_out, opaque);
    }
    object_each_child(obj, watch_outs_below, opaque);
}

static void run_intercept_out(QtestServer *server, char **words, unsigned count)
{
    Device *dev = find_device(server, words[0]);
    OutFilter filter = { count > 1 ? words[1] : NULL };

    if (dev && begin_watch(server, dev)) {
        watch_outs_below(&filter, &dev->parent);
        end_watch(server, dev);
    }
}

static void run_intercept_in(QtestServer *server, char **words, unsigned count)
{
    Device *dev = find_device(server, words[0]);
    IrqInput *input;

    if (!dev) {
        return;
    }
    if (count > 1) {
        qtest_reply(server, "FAIL Interception of named in-GPIOs not yet supported");
        return;
    }
    if (!begin_watch(server, dev)) {
        return;
    }
    for (unsigned n = 0; (input = device_irq_in(dev, NULL, n)); n++) {
        Watch *watch = add_watch(input->level);

        watch->input = input;
        irq_input_observe(input, &watch->observer);
    }
    end_watch(server, dev);
}

static void run_set_in(QtestServer *server, char **words, unsigned count)
{
    Device *dev = find_device(server, words[0]);
    const char *name = strcmp(words[1], UNNAMED) ? words[1] : NULL;
    uint64_t number, level;
    IrqInput *input;

    if (!dev || !qtest_number(server, words[2], &number) ||
        !qtest_number(server, words[3], &level)) {
        return;
    }
    input = number <= UINT_MAX ? device_irq_in(dev, name, number) : NULL;
    if (!input) {
        qtest_reply(server, "FAIL Unknown device");
        return;
    }
    irq_input_set(input, (int)level);
    qtest_reply(server, "OK");
}

void qtest_lines_release(void)
{
    for (guint i = 0; watched.watches && i < watched.watches->len; i++) {
        Watch *watch = watched.watches->pdata[i];

        if (watch->line) {
            irq_observe(watch->line, NULL);
        } else {
            irq_input_observe(watch->input, NULL);
        }
    }
    g_clear_pointer(&watched.watches, g_ptr_array_unref);
    object_unref(watched.dev);
    watched.dev = NULL;
}

static const QtestCommand commands[] = {
    { "irq_intercept_out", 1, 2, run_intercept_out },
    { "irq_intercept_in", 1, 2, run_intercept_in },
    { "set_irq_in", 4, 4, run_set_in },
};
const QtestFamily qtest_line_family = { commands, ARRAY_SIZE(commands) };
