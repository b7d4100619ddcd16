/*
 * Buffered output of a monitor: see output.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "output.h"

void monitor_output_init(MonitorOutput *out, CharFrontend *fe)
{
    out->fe = fe;
    out->waiting = g_string_new(NULL);
    g_mutex_init(&out->lock);
}

static size_t output_waiting(const MonitorOutput *out)
{
    return out->waiting->len - out->sent;
}

static void output_unwatch(MonitorOutput *out)
{
    if (out->watch) {
        g_source_destroy(out->watch);
        g_source_unref(out->watch);
        out->watch = NULL;
    }
}

static void output_empty(MonitorOutput *out)
{
    if (out->waiting->allocated_len > 64 * KiB) {
        g_string_free(out->waiting, TRUE);
        out->waiting = g_string_new(NULL);
    }
    g_string_truncate(out->waiting, 0);
    out->sent = 0;
}

void monitor_output_clear(MonitorOutput *out)
{
    output_unwatch(out);
    g_string_free(out->waiting, TRUE);
    g_mutex_clear(&out->lock);
}

/* How many of the bytes are done with: taken, or lost with the line. */
static size_t output_write(MonitorOutput *out, const char *bytes, size_t size)
{
    ssize_t taken = char_frontend_write(out->fe, bytes, size);

    if (taken == -EAGAIN) {
        return 0;
    }
    return taken < 0 ? size : taken;
}

static void output_flush(MonitorOutput *out)
{
    size_t size = output_waiting(out);

    if (size) {
        out->sent += output_write(out, out->waiting->str + out->sent, size);
    }
    if (!output_waiting(out)) {
        output_empty(out);
    } else if (out->sent > 64 * KiB && out->sent > out->waiting->len / 2) {
        g_string_erase(out->waiting, 0, out->sent);
        out->sent = 0;
    }
}

static gboolean output_ready(void *opaque, GIOCondition condition)
{
    MonitorOutput *out = opaque;
    bool is_drained = false, is_left;

    g_mutex_lock(&out->lock);
    if (g_source_is_destroyed(g_main_current_source())) {
        g_mutex_unlock(&out->lock);
        return G_SOURCE_REMOVE;
    }
    output_flush(out);
    is_left = output_waiting(out);
    if (!is_left) {
        output_unwatch(out);
    }
    if (out->is_congested && output_waiting(out) < MONITOR_OUTPUT_HIGH_BYTES / 2) {
        out->is_congested = false;
        is_drained = true;
    }
    g_mutex_unlock(&out->lock);
    if (is_drained && out->drained) {
        out->drained(out->opaque);
    }
    return is_left ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void output_watch(MonitorOutput *out)
{
    if (!out->watch && output_waiting(out)) {
        out->watch = char_frontend_watch(out->fe, G_IO_OUT | G_IO_HUP, output_ready, out);
        if (!out->watch) { /* it never fills up: what it did not take is lost */
            output_empty(out);
        }
    }
}

static bool output_append(MonitorOutput *out, const char *bytes, size_t size, bool is_event)
{
    if (!output_waiting(out)) {
        size_t taken = output_write(out, bytes, size);

        bytes += taken;
        size -= taken;
        if (!size) {
            return true;
        }
    }
    if (is_event && output_waiting(out) + size > MONITOR_OUTPUT_MAX_BYTES) {
        out->is_full = true;
        output_empty(out);
        return false;
    }
    g_string_append_len(out->waiting, bytes, size);
    output_watch(out);
    return true;
}

void monitor_output_put(MonitorOutput *out, const char *bytes, size_t size, bool is_event)
{
    bool is_ok = true;

    g_mutex_lock(&out->lock);
    if (!out->is_full) {
        is_ok = output_append(out, bytes, size, is_event);
    }
    g_mutex_unlock(&out->lock);
    if (!is_ok && out->overflowed) {
        out->overflowed(out->opaque);
    }
}

bool monitor_output_is_congested(MonitorOutput *out)
{
    bool is_congested;

    g_mutex_lock(&out->lock);
    is_congested = output_waiting(out) > MONITOR_OUTPUT_HIGH_BYTES;
    out->is_congested |= is_congested;
    g_mutex_unlock(&out->lock);
    return is_congested;
}

void monitor_output_reset(MonitorOutput *out)
{
    g_mutex_lock(&out->lock);
    output_unwatch(out);
    output_empty(out);
    out->is_full = false;
    out->is_congested = false;
    g_mutex_unlock(&out->lock);
}

void monitor_output_move(MonitorOutput *out)
{
    g_mutex_lock(&out->lock);
    output_unwatch(out);
    output_watch(out);
    g_mutex_unlock(&out->lock);
}

void monitor_output_finish(MonitorOutput *out, unsigned ms)
{
    g_mutex_lock(&out->lock);
    output_flush(out);
    while (output_waiting(out) && ms--) {
        g_usleep(1000);
        output_flush(out);
    }
    g_mutex_unlock(&out->lock);
}
