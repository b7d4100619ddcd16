/*
 * Fuzz target: bytes of wires. The first byte chooses: what is in a frame; a stream, in pieces; a guest's
 * frames to the user network, which keeps it to itself; that network's saved state; forwarding rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sanitizer/lsan_interface.h>
#include <sys/socket.h>

#include "net/kinds.h"
#include "net/packet.h"
#include "net/user.h"
#include "util/byte_order.h"
#include "util/event_loop.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- frames --- */

static void fuzz_packet(const uint8_t *data, size_t size)
{
    static const uint8_t key[NET_HASH_KEY_BYTES] = { 0x6d, 0x5a, 0x56, 0xda };
    g_autofree uint8_t *bytes = g_memdup2(data, size); /* of its own: what is behind is not there */
    NetOffload offload = { .sum_start = size > 1 ? data[0] : 0, .sum_offset = size > 1 ? data[1] : 0 };
    NetPacket p;

    net_packet_parse(&p, bytes, size);
    net_packet_ip_sum_is_good(&p);
    if (p.l4 != NET_L4_OTHER) {
        net_packet_l4_sum_is_good(&p);
    }
    if (p.l3 != NET_L3_OTHER) {
        net_packet_hash(&p, key, NET_HASH_ADDRESSES | NET_HASH_OPTIONS |
                                     (p.l4 == NET_L4_OTHER ? 0 : NET_HASH_PORTS));
    }
    net_crc(bytes, size);
    net_fill_sum(bytes, size, &offload);
}

/* --- an adapter that takes everything --- */

static NetResult sink_receive(NetPort *port, const NetFrame *frame)
{
    uint8_t sum = 0;

    for (unsigned n = 0; n < frame->count; n++) {
        for (size_t at = 0; at < frame->iov[n].iov_len; at++) {
            sum += ((const uint8_t *)frame->iov[n].iov_base)[at]; /* it is there */
        }
    }
    return sum == 1 ? NET_WAIT : NET_DONE;
}

static const NetOps sink_ops = { .receive = sink_receive };
static NetEnd sink;

static void plug(const char *id)
{
    NetDeviceInfo info = { "sink", "sink", "/sink", 1, net_backend_get(id) };

    net_device_attach(&sink, &sink_ops, &info, NULL);
}

static void turn(void)
{
    event_loop_run_once(event_loop_main(), false);
    net_ready(&sink.ports[0]);
}

/* --- a stream --- */

static void fuzz_stream(const uint8_t *data, size_t size)
{
    g_autofree char *text = NULL;
    SocketAddress addr = { .type = SOCKET_ADDRESS_TYPE_FD };
    Netdev netdev = { .id = (char *)"s", .type = NET_CLIENT_DRIVER_STREAM };
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends)) {
        abort();
    }
    text = g_strdup_printf("%d", ends[0]);
    addr.u.fd.str = text;
    netdev.u.stream.addr = &addr;
    if (!net_stream_open(&netdev, NULL)) {
        abort();
    }
    plug("s");
    while (size) {
        size_t part = MIN(size, 1 + data[0] % 64);

        if (send(ends[1], data, part, MSG_NOSIGNAL) < 0) {
            break; /* it hung up */
        }
        turn();
        data += part;
        size -= part;
    }
    net_backend_remove(net_backend_get("s"));
    net_device_detach(&sink);
    close(ends[1]);
}

/* --- the user network --- */

static void open_user(void)
{
    static String service = { (char *)"tcp:10.0.2.9:80-null" }, *services[] = { &service };
    StringArray ports = { services, 1 };
    Netdev netdev = { .id = (char *)"u", .type = NET_CLIENT_DRIVER_USER,
                      .u.user = { .has_restrict = true, .restrict_ = true,
                                  .tftp = (char *)"/nonexistent", .bootfile = (char *)"x",
                                  .guestfwd = &ports } };

    if (!net_user_open(&netdev, NULL)) {
        abort();
    }
    plug("u");
}

static void close_user(void)
{
    net_backend_remove(net_backend_get("u"));
    net_device_detach(&sink);
}

/* Frames with a length before each. */
static void send_frames(const uint8_t *data, size_t size)
{
    while (size > 1) {
        size_t part = MIN(size - 1, data[0] ? data[0] : 1514u);
        g_autofree uint8_t *frame = g_memdup2(data + 1, part);

        net_send_bytes(&sink.ports[0], frame, part);
        turn();
        data += 1 + part;
        size -= 1 + part;
    }
}

static void fuzz_user(const uint8_t *data, size_t size)
{
    open_user();
    send_frames(data, size);
    close_user();
}

/* Its length, a state; then frames. What libslirp refuses late it leaks a connection of. */
static void fuzz_state(const uint8_t *data, size_t size)
{
    NetSaved saved = { .version = 4, .bytes = (uint8_t *)data + 2 };

    if (size < 2) {
        return;
    }
    saved.size = MIN(load_be16(data), size - 2);
    open_user();
    __lsan_disable();
    user_state_load(net_peer(&sink), &saved, NULL);
    __lsan_enable();
    turn();
    send_frames(data + 2 + saved.size, size - 2 - saved.size);
    close_user();
}

static void fuzz_rule(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    UserForward forward;

    user_parse_forward(text, true, &forward, NULL);
    user_parse_forward(text, false, &forward, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    net_machine_runs(true);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(const uint8_t *data, size_t size) = {
        fuzz_packet, fuzz_stream, fuzz_user, fuzz_state, fuzz_rule,
    };

    if (size) {
        parts[data[0] % ARRAY_SIZE(parts)](data + 1, size - 1);
    }
    return 0;
}
