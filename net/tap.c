/*
 * `tap` and `bridge`: an interface of the host, whose frames go to and from this process. A frame may
 * have a header before it (virtio 1.3, 5.1.6, without the count of buffers) that says what is not done
 * yet: checksums, segments.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/tap.h"

#include "util/event_loop.h"

#define MAX_AT_ONCE    64 /* frames, before others have their turn */
#define MAX_PIECES     1024
#define HEADER_BYTES   10

typedef struct Tap Tap;

typedef struct TapPort {
    Tap *tap;
    TapQueue queue;
    FdWatch *watch;
    bool is_held, is_full, is_off;
} TapPort;

struct Tap {
    NetEnd end;
    TapPort *ports;
    unsigned count;
    char name[TAP_NAME_BYTES];
    char *down_script; /* NULL: none */
    char *detail;      /* as "info network" shows it */
    unsigned offloads; /* that the kernel can leave undone; 0: there are no headers */
    uint8_t frame[HEADER_BYTES + NET_FRAME_MAX];
};

static TapPort *tap_port(const NetPort *port)
{
    return &((Tap *)port->end)->ports[port->index];
}

static void watch_more(TapPort *port)
{
    fd_watch_set_events(port->watch, (port->is_held || port->is_off ? 0 : G_IO_IN) |
                                         (port->is_full ? G_IO_OUT : 0));
}

/* --- headers, in the host's byte order --- */

static void put_header(const NetOffload *offload, uint8_t *bytes)
{
    static const NetOffload nothing;
    const NetOffload *o = offload ? offload : &nothing;

    bytes[0] = o->flags;
    bytes[1] = o->segment_kind;
    memcpy(bytes + 2, &o->header_bytes, 2);
    memcpy(bytes + 4, &o->segment_bytes, 2);
    memcpy(bytes + 6, &o->sum_start, 2);
    memcpy(bytes + 8, &o->sum_offset, 2);
}

static NetOffload take_header(const uint8_t *bytes)
{
    NetOffload o = { .flags = bytes[0], .segment_kind = bytes[1] };

    memcpy(&o.header_bytes, bytes + 2, 2);
    memcpy(&o.segment_bytes, bytes + 4, 2);
    memcpy(&o.sum_start, bytes + 6, 2);
    memcpy(&o.sum_offset, bytes + 8, 2);
    return o;
}

/* --- frames --- */

static NetResult tap_receive(NetPort *net_port, const NetFrame *frame)
{
    TapPort *port = tap_port(net_port);
    uint8_t header[HEADER_BYTES];
    struct iovec pieces[MAX_PIECES + 1];
    unsigned used = 0;
    ssize_t done;

    if (frame->count > MAX_PIECES) {
        return NET_DONE;
    }
    if (port->queue.has_header) {
        put_header(frame->offload, header);
        pieces[used++] = (struct iovec){ header, HEADER_BYTES };
    }
    memcpy(pieces + used, frame->iov, frame->count * sizeof(*pieces));
    do {
        done = writev(port->queue.fd, pieces, used + frame->count);
    } while (done < 0 && errno == EINTR);
    if (done < 0 && errno == EAGAIN) {
        port->is_full = true;
        watch_more(port);
        return NET_WAIT;
    }
    return NET_DONE; /* or the interface is down: lost */
}

static void pass_on(TapPort *port, size_t bytes)
{
    Tap *tap = port->tap;
    size_t header = port->queue.has_header ? HEADER_BYTES : 0;
    struct iovec piece = { tap->frame + header, bytes - header };
    NetFrame frame = NET_FRAME(&piece);
    NetOffload offload;

    if (bytes <= header) {
        return;
    }
    if (header) {
        offload = take_header(tap->frame);
        frame.offload = offload.flags || offload.segment_kind ? &offload : NULL;
    }
    port->is_held = net_send(&tap->end.ports[port - tap->ports], &frame) == NET_WAIT;
}

static void read_some(TapPort *port)
{
    NetPort *net_port = &port->tap->end.ports[port - port->tap->ports];
    bool has_begun = net_burst_begin(net_port);

    for (unsigned n = 0; n < MAX_AT_ONCE && !port->is_held && !port->is_off; n++) {
        ssize_t got = read(port->queue.fd, port->tap->frame, sizeof(port->tap->frame));

        if (got <= 0) {
            break;
        }
        pass_on(port, got);
    }
    net_burst_end(net_port, has_begun);
}

static void port_ready(void *opaque, GIOCondition events)
{
    TapPort *port = opaque;

    if (events & G_IO_OUT && port->is_full) {
        port->is_full = false;
        net_ready(&port->tap->end.ports[port - port->tap->ports]);
    }
    if (events & G_IO_IN) {
        read_some(port);
    }
    watch_more(port);
}

static void tap_go_on(NetPort *net_port)
{
    TapPort *port = tap_port(net_port);

    port->is_held = false;
    watch_more(port);
}

/* --- the end --- */

static char *tap_describe(NetEnd *end)
{
    return g_strdup(((Tap *)end)->detail);
}

static unsigned tap_offloads(NetEnd *end)
{
    return ((Tap *)end)->offloads;
}

static void tap_set_offload(NetEnd *end, unsigned offloads)
{
    Tap *tap = (Tap *)end;

    for (unsigned n = 0; tap->offloads && n < end->count; n++) {
        tap_host_set_offload(tap->ports[n].queue.fd, offloads & tap->offloads);
    }
}

static void tap_use_queues(NetEnd *end, unsigned count)
{
    Tap *tap = (Tap *)end;

    for (unsigned n = 0; end->count > 1 && n < end->count; n++) {
        TapPort *port = &tap->ports[n];

        if (port->is_off != (n >= count)) {
            port->is_off = n >= count;
            tap_host_enable(port->queue.fd, !port->is_off);
            watch_more(port);
        }
    }
}

static void tap_free(NetEnd *end)
{
    Tap *tap = (Tap *)end;
    Error *err = NULL;

    for (unsigned n = 0; n < tap->count; n++) {
        fd_watch_free(tap->ports[n].watch);
        close(tap->ports[n].queue.fd);
    }
    if (tap->down_script && !tap_host_run_script(tap->down_script, tap->name, &err)) {
        error_report_err(err);
    }
    g_free(tap->down_script);
    g_free(tap->detail);
    g_free(tap->ports);
    g_free(tap);
}

static const NetOps tap_ops = {
    .receive = tap_receive, .go_on = tap_go_on, .describe = tap_describe, .free = tap_free,
    .offloads = tap_offloads, .set_offload = tap_set_offload, .use_queues = tap_use_queues,
};

void tap_add(const TapSpec *spec)
{
    Tap *tap = g_new0(Tap, 1);

    tap->count = spec->count;
    tap->ports = g_new0(TapPort, spec->count);
    tap->down_script = g_strdup(spec->down_script);
    tap->detail = g_strdup(spec->detail);
    g_strlcpy(tap->name, spec->name, sizeof(tap->name));
    tap->offloads = spec->queues[0].has_header ? tap_host_offloads(spec->queues[0].fd) : 0;
    net_backend_add(&tap->end, &tap_ops, spec->type, spec->id, spec->count);
    for (unsigned n = 0; n < spec->count; n++) {
        TapPort *port = &tap->ports[n];

        port->tap = tap;
        port->queue = spec->queues[n];
        port->watch = fd_watch_new(event_loop_main(), port->queue.fd, G_IO_IN, port_ready, port);
    }
    tap_use_queues(&tap->end, 1);
}
