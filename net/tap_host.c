/*
 * See net/tap.h. Linux' TUN/TAP (tun.ko): a descriptor of /dev/net/tun, told what it is by TUNSETIFF.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/tap.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define DEVICE       "/dev/net/tun"
#define HEADER_BYTES 10 /* of a struct virtio_net_hdr */

G_STATIC_ASSERT(TAP_NAME_BYTES == IFNAMSIZ);
G_STATIC_ASSERT(NET_OFFLOAD_SUM == TUN_F_CSUM && NET_OFFLOAD_TSO6 == TUN_F_TSO6 &&
                NET_OFFLOAD_ECN == TUN_F_TSO_ECN && NET_OFFLOAD_UFO == TUN_F_UFO);

static bool fail(int fd, Error **errp, const char *what, const char *name)
{
    int err = errno;

    if (fd >= 0) {
        close(fd);
    }
    return error_set_errno(errp, err, "could not %s%s%s%s", what, name ? " (" : "",
                           name ? name : "", name ? ")" : "");
}

/* The header's length and byte order, and no offloads until the guest wants them. */
static void begin(TapQueue *queue)
{
    int bytes = HEADER_BYTES, is_little = 1;

    g_unix_set_fd_nonblocking(queue->fd, TRUE, NULL);
    if (queue->has_header) {
        ioctl(queue->fd, TUNSETVNETHDRSZ, &bytes);
        if (G_BYTE_ORDER == G_LITTLE_ENDIAN) {
            ioctl(queue->fd, TUNSETVNETLE, &is_little);
        }
        ioctl(queue->fd, TUNSETOFFLOAD, 0);
    }
}

static bool choose_flags(int fd, TapHeader header, bool is_multi, short *flags, Error **errp)
{
    unsigned features = 0;

    *flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(fd, TUNGETFEATURES, &features)) {
        features = 0;
    }
    if (header == TAP_HEADER_YES && !(features & IFF_VNET_HDR)) {
        return error_set(errp, "vnet_hdr=1 requested, but no kernel support for IFF_VNET_HDR "
                               "available");
    }
    if (is_multi && !(features & IFF_MULTI_QUEUE)) {
        return error_set(errp, "multiqueue required, but no kernel support for IFF_MULTI_QUEUE "
                               "available");
    }
    *flags |= header != TAP_HEADER_NO && features & IFF_VNET_HDR ? IFF_VNET_HDR : 0;
    *flags |= is_multi ? IFF_MULTI_QUEUE : 0;
    return true;
}

bool tap_host_open(char *name, TapHeader header, bool is_multi, TapQueue *queue, Error **errp)
{
    struct ifreq request = { 0 };
    int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return fail(fd, errp, "open " DEVICE, NULL);
    }
    if (!choose_flags(fd, header, is_multi, &request.ifr_flags, errp)) {
        close(fd);
        return false;
    }
    memcpy(request.ifr_name, *name ? name : "tap%d", strlen(*name ? name : "tap%d") + 1);
    if (ioctl(fd, TUNSETIFF, &request)) {
        return fail(fd, errp, "configure " DEVICE, request.ifr_name);
    }
    memcpy(name, request.ifr_name, TAP_NAME_BYTES);
    *queue = (TapQueue){ fd, request.ifr_flags & IFF_VNET_HDR };
    begin(queue);
    return true;
}

bool tap_host_adopt(int fd, TapQueue *queue, Error **errp)
{
    struct ifreq request = { 0 };

    if (ioctl(fd, TUNGETIFF, &request)) {
        return fail(fd, errp, "get TAP interface of descriptor", NULL);
    }
    *queue = (TapQueue){ fd, request.ifr_flags & IFF_VNET_HDR };
    begin(queue);
    return true;
}

bool tap_host_limit(int fd, uint64_t bytes, Error **errp)
{
    int limit = bytes && bytes < INT_MAX ? bytes : INT_MAX;

    return !ioctl(fd, TUNSETSNDBUF, &limit) || !bytes || fail(-1, errp, "set sndbuf", NULL);
}

/* --- offloads --- */

unsigned tap_host_offloads(int fd)
{
    static const unsigned more[] = { NET_OFFLOAD_UFO, NET_OFFLOAD_USO4 | NET_OFFLOAD_USO6 };
    unsigned base = NET_OFFLOAD_SUM | NET_OFFLOAD_TSO4 | NET_OFFLOAD_TSO6 | NET_OFFLOAD_ECN;
    unsigned all = base;

    for (unsigned n = 0; n < ARRAY_SIZE(more); n++) {
        all |= ioctl(fd, TUNSETOFFLOAD, (unsigned long)(base | more[n])) ? 0 : more[n];
    }
    ioctl(fd, TUNSETOFFLOAD, 0);
    return all;
}

void tap_host_set_offload(int fd, unsigned offloads)
{
    /* TSO and the rest mean nothing to it without the sum. */
    ioctl(fd, TUNSETOFFLOAD, (unsigned long)(offloads & NET_OFFLOAD_SUM ? offloads : 0));
}

void tap_host_enable(int fd, bool is_on)
{
    struct ifreq request = { .ifr_flags = is_on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

    ioctl(fd, TUNSETQUEUE, &request);
}

/* --- scripts and helpers --- */

static bool is_good_end(int status, const char *what, const char *program, Error **errp)
{
    return (WIFEXITED(status) && !WEXITSTATUS(status)) ||
           error_set(errp, "%s %s failed with status %d", what, program,
                     WIFEXITED(status) ? WEXITSTATUS(status) : status);
}

bool tap_host_run_script(const char *script, const char *name, Error **errp)
{
    char *argv[] = { (char *)script, (char *)name, NULL };
    g_autoptr(GError) problem = NULL;
    int status;

    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                      &status, &problem)) {
        return error_set(errp, "could not launch network script %s: %s", script, problem->message);
    }
    return is_good_end(status, "network script", script, errp);
}

/* A descriptor in a message; -1: there was none. */
static int receive_fd(int from)
{
    char byte, control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &byte, 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *header;
    int fd;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) <= 0) {
        return -1;
    }
    header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int))) {
        return -1;
    }
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

/* With words of its own it is a command line, to which ours are added. */
static char **helper_command(const char *helper, const char *br, int fd)
{
    g_autofree char *fd_word = g_strdup_printf("--fd=%d", fd);
    g_autofree char *br_word = g_strdup_printf("--br=%s", br);
    g_auto(GStrv) words = NULL;
    GPtrArray *argv = g_ptr_array_new();

    if (g_shell_parse_argv(helper, NULL, &words, NULL)) {
        for (char **word = words; *word; word++) {
            g_ptr_array_add(argv, g_strdup(*word));
        }
    } else {
        g_ptr_array_add(argv, g_strdup(helper));
    }
    g_ptr_array_add(argv, g_strdup("--use-vnet"));
    g_ptr_array_add(argv, g_steal_pointer(&fd_word));
    g_ptr_array_add(argv, g_steal_pointer(&br_word));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

bool tap_host_ask_helper(const char *helper, const char *br, TapQueue *queue, Error **errp)
{
    g_autoptr(GError) problem = NULL;
    g_auto(GStrv) argv = NULL;
    int pair[2], fd, status = 0;
    GPid pid;
    bool has_run;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        return fail(-1, errp, "make a socket for the bridge helper", NULL);
    }
    argv = helper_command(helper, br, pair[1]);
    has_run = g_spawn_async_with_pipes_and_fds(
        NULL, (const char *const *)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, -1,
        &pair[1], &pair[1], 1, &pid, NULL, NULL, NULL, &problem);
    close(pair[1]);
    if (!has_run) {
        close(pair[0]);
        return error_set(errp, "bridge helper failed: %s", problem->message);
    }
    fd = receive_fd(pair[0]);
    close(pair[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (fd < 0 || status) {
        if (fd >= 0) {
            close(fd);
        }
        return is_good_end(status, "bridge helper", helper, errp) &&
               error_set(errp, "bridge helper %s gave no interface", helper);
    }
    return tap_host_adopt(fd, queue, errp);
}
