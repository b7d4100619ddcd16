/*
 * filter-dump: copies the frames of a netdev into a file, as tcpdump and Wireshark read it (pcap, the
 * format of libpcap's savefiles).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "net/filter.h"
#include "qapi/qapi-types-qom.h"
#include "qom/user_creatable.h"
#include "util/fdset.h"

#define PCAP_MAGIC    0xa1b2c3d4
#define LINK_ETHERNET 1

typedef struct FilterDump {
    Object parent;
    NetFilter filter;
    int fd;
    bool has_failed;
    /* properties */
    char *netdev, *file, *status, *position, *insert;
    uint32_t max_bytes;
    int queue; /* NetFilterDirection */
} FilterDump;
DECLARE_CAST(FilterDump, FILTER_DUMP)

typedef struct PcapHeader {
    uint32_t magic;
    uint16_t major, minor;
    int32_t zone;
    uint32_t sigfigs, max_bytes, link;
} PcapHeader;

typedef struct PcapRecord {
    uint32_t seconds, microseconds, kept_bytes, bytes;
} PcapRecord;

/* What is behind the limit is left out of the record. */
static unsigned cut(const NetFrame *frame, struct iovec *out, size_t limit)
{
    unsigned n = 0;

    for (; n < frame->count && limit; n++) {
        out[n] = frame->iov[n];
        out[n].iov_len = MIN(out[n].iov_len, limit);
        limit -= out[n].iov_len;
    }
    return n;
}

static void dump_see(NetFilter *filter, NetDirection direction, const NetFrame *frame)
{
    FilterDump *d = container_of(filter, FilterDump, filter);
    int64_t now_us = g_get_real_time();
    PcapRecord record = { now_us / 1000000, now_us % 1000000, MIN(frame->bytes, d->max_bytes),
                          frame->bytes };
    struct iovec *iov = g_newa(struct iovec, frame->count + 1);
    unsigned count;

    if (d->has_failed || !strcmp(d->status, "off") ||
        (d->queue == NET_FILTER_DIRECTION_RX && direction != NET_RX) ||
        (d->queue == NET_FILTER_DIRECTION_TX && direction != NET_TX)) {
        return;
    }
    iov[0] = (struct iovec){ &record, sizeof(record) };
    count = 1 + cut(frame, iov + 1, record.kept_bytes);
    if (writev(d->fd, iov, count) != (ssize_t)(sizeof(record) + record.kept_bytes)) {
        warn_report("filter-dump: %s: %s; it ends here", d->file, g_strerror(errno));
        d->has_failed = true;
    }
}

static bool open_file(FilterDump *d, Error **errp)
{
    PcapHeader header = { PCAP_MAGIC, 2, 4, 0, 0, d->max_bytes, LINK_ETHERNET };

    d->fd = fdset_open_path(d->file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (d->fd < 0) {
        return error_set_errno(errp, errno, "net dump: can't open %s", d->file);
    }
    return write(d->fd, &header, sizeof(header)) == sizeof(header) ||
           error_set_errno(errp, errno, "net dump: can't write to %s", d->file);
}

static bool filter_dump_complete(Object *obj, Error **errp)
{
    FilterDump *d = FILTER_DUMP(obj);
    NetEnd *end = d->netdev ? net_backend_get(d->netdev) : NULL;

    if (!d->netdev) {
        return error_set(errp, "Parameter 'netdev' is missing");
    }
    if (!d->file) {
        return error_set(errp, "dump filter needs 'file' property set!");
    }
    if (!end) {
        return error_set(errp, "Parameter 'netdev' expects a network backend id");
    }
    if (strcmp(d->status, "on") && strcmp(d->status, "off")) {
        return error_set(errp, "Invalid value for netfilter status, should be 'on' or 'off'");
    }
    if (!open_file(d, errp)) {
        return false;
    }
    d->filter.see = dump_see;
    net_filter_attach(&d->filter, end);
    return true;
}

/* Nothing but the tree needs it, and it needs its netdev. */
static bool filter_dump_is_late(const Type *type)
{
    return true;
}

static void filter_dump_init(Object *obj)
{
    FILTER_DUMP(obj)->fd = -1;
}

static void filter_dump_finalize(Object *obj)
{
    FilterDump *d = FILTER_DUMP(obj);

    net_filter_detach(&d->filter);
    if (d->fd >= 0) {
        close(d->fd);
    }
}

static const Property filter_dump_props[] = {
    PROP_STR("netdev", FilterDump, netdev, .doc = "Whose frames"),
    PROP_STR("file", FilterDump, file, .doc = "Where to"),
    PROP_U32("maxlen", FilterDump, max_bytes, .initial = 65536, .min = 1,
             .doc = "Bytes of a frame that are kept"),
    PROP_ENUM("queue", FilterDump, queue, net_filter_direction_names,
              .doc = "Those that the netdev gets (rx), those that it sends (tx), or all"),
    PROP_STR("status", FilterDump, status, .initial_text = "on", .is_live = true,
             .doc = "on, off: let them pass unseen"),
    PROP_STR("position", FilterDump, position, .initial_text = "tail",
             .doc = "Of no effect: it changes nothing in what it sees"),
    PROP_STR("insert", FilterDump, insert, .initial_text = "behind", .doc = "Of no effect, too"),
};

static const UserCreatable filter_dump_creatable = {
    .complete = filter_dump_complete, .is_late = filter_dump_is_late,
};

static const ObjectType filter_dump_type = {
    .name = "filter-dump",
    .doc = "Copies frames of a netdev into a file",
    .size = sizeof(FilterDump),
    .properties = PROPERTIES(filter_dump_props),
    .init = filter_dump_init,
    .finalize = filter_dump_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &filter_dump_creatable }, { 0 } },
};
OBJECT_TYPE(filter_dump_type)
