/*
 * qemu-bridge-helper: makes a TAP interface, connects it to a bridge that the administrator permits,
 * and hands it over a socket to whoever started it. It is meant to be installed setuid root: of what
 * root may do it keeps the right to administer networks alone.
 *
 *     qemu-bridge-helper [--use-vnet] --br=BRIDGE --fd=SOCKET
 *
 * /etc/qemu/bridge.conf has lines "allow BRIDGE", "deny BRIDGE" ("all" is any), "include FILE". A
 * bridge that no line allows, or that one denies, is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define ACL_FILE     "/etc/qemu/bridge.conf"
#define MAX_INCLUDES 8
#define DEVICE       "/dev/net/tun"

typedef struct Verdict {
    const char *bridge;
    bool is_allowed, is_denied;
} Verdict;

static G_NORETURN void die(const char *what, const char *name)
{
    fprintf(stderr, "qemu-bridge-helper: %s%s%s%s%s\n", what, name ? " " : "", name ? name : "",
            errno ? ": " : "", errno ? strerror(errno) : "");
    exit(EXIT_FAILURE);
}

static G_NORETURN void refuse(const char *what, const char *name)
{
    errno = 0;
    die(what, name);
}

/* --- who may --- */

static void read_acl(Verdict *v, const char *path, unsigned depth);

static void take_line(Verdict *v, char *line, const char *path, unsigned depth)
{
    g_auto(GStrv) words = NULL;
    char *comment = strchr(line, '#');

    if (comment) {
        *comment = '\0';
    }
    g_strstrip(line);
    if (!*line) {
        return;
    }
    words = g_strsplit_set(line, " \t", 2);
    if (!words[1]) {
        refuse("a line without an argument in", path);
    }
    g_strstrip(words[1]);
    if (!strcmp(words[0], "include")) {
        read_acl(v, words[1], depth + 1);
    } else if (!strcmp(words[0], "allow") || !strcmp(words[0], "deny")) {
        bool is_meant = !strcmp(words[1], "all") || !strcmp(words[1], v->bridge);

        v->is_allowed |= is_meant && *words[0] == 'a';
        v->is_denied |= is_meant && *words[0] == 'd';
    } else {
        refuse("an unknown word in", path);
    }
}

static void read_acl(Verdict *v, const char *path, unsigned depth)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    errno = 0;
    if (depth > MAX_INCLUDES) {
        refuse("includes within includes in", path);
    }
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        die("failed to read", path);
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        take_line(v, *line, path, depth);
    }
}

static void check_acl(const char *bridge)
{
    Verdict v = { .bridge = bridge };

    read_acl(&v, ACL_FILE, 0);
    if (!v.is_allowed || v.is_denied) {
        refuse("access denied by acl file to", bridge);
    }
}

/* --- rights --- */

/* The user is the one who started it, with one right of root's. */
static void drop_rights(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = {
        { .effective = BIT(CAP_NET_ADMIN), .permitted = BIT(CAP_NET_ADMIN) },
    };

    if (geteuid() != 0 || getuid() == 0) {
        return; /* not setuid: it can do what its user can */
    }
    if (prctl(PR_SET_KEEPCAPS, 1) || setresgid(getgid(), getgid(), getgid()) ||
        setresuid(getuid(), getuid(), getuid()) || syscall(SYS_capset, &header, data)) {
        die("failed to drop rights", NULL);
    }
}

/* --- the interface --- */

static void name_request(struct ifreq *request, const char *name)
{
    memset(request, 0, sizeof(*request));
    if (strlen(name) >= IFNAMSIZ) {
        refuse("name of an interface is too long:", name);
    }
    memcpy(request->ifr_name, name, strlen(name) + 1);
}

static int open_tap(bool wants_header, char *name)
{
    struct ifreq request;
    unsigned features = 0;
    int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

    name_request(&request, "tap%d");
    if (fd < 0) {
        die("failed to open", DEVICE);
    }
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (wants_header && !ioctl(fd, TUNGETFEATURES, &features) && features & IFF_VNET_HDR) {
        request.ifr_flags |= IFF_VNET_HDR;
    }
    if (ioctl(fd, TUNSETIFF, &request)) {
        die("failed to create a tap interface", NULL);
    }
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return fd;
}

/* A bridge takes the lowest address of its ports for its own: this one is high. */
static void lift_address(int control, const char *name)
{
    struct ifreq request;

    name_request(&request, name);
    if (ioctl(control, SIOCGIFHWADDR, &request)) {
        die("failed to get the address of", name);
    }
    request.ifr_hwaddr.sa_data[0] = (char)0xfe;
    if (ioctl(control, SIOCSIFHWADDR, &request)) {
        die("failed to set the address of", name);
    }
}

static void take_mtu(int control, const char *bridge, const char *name)
{
    struct ifreq of_bridge, request;

    name_request(&of_bridge, bridge);
    name_request(&request, name);
    if (ioctl(control, SIOCGIFMTU, &of_bridge)) {
        die("failed to get the mtu of", bridge);
    }
    request.ifr_mtu = of_bridge.ifr_mtu;
    if (ioctl(control, SIOCSIFMTU, &request)) {
        die("failed to set the mtu of", name);
    }
}

static void connect_to(int control, const char *bridge, const char *name)
{
    struct ifreq request;

    name_request(&request, bridge);
    request.ifr_ifindex = if_nametoindex(name);
    if (ioctl(control, SIOCBRADDIF, &request)) {
        die("failed to add an interface to", bridge);
    }
    name_request(&request, name);
    if (ioctl(control, SIOCGIFFLAGS, &request)) {
        die("failed to get the flags of", name);
    }
    request.ifr_flags |= IFF_UP;
    if (ioctl(control, SIOCSIFFLAGS, &request)) {
        die("failed to bring up", name);
    }
}

static void hand_over(int to, int fd)
{
    char byte = 'f', control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &byte, 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    if (sendmsg(to, &message, 0) < 0) {
        die("failed to hand over the interface", NULL);
    }
}

static G_NORETURN void usage(void)
{
    refuse("usage: qemu-bridge-helper [--use-vnet] --br=BRIDGE --fd=SOCKET", NULL);
}

int main(int argc, char **argv)
{
    const char *bridge = NULL;
    char name[IFNAMSIZ];
    bool wants_header = false;
    guint64 to = G_MAXUINT64;
    int control, fd;

    for (int n = 1; n < argc; n++) {
        if (!strcmp(argv[n], "--use-vnet")) {
            wants_header = true;
        } else if (g_str_has_prefix(argv[n], "--br=")) {
            bridge = argv[n] + 5;
        } else if (!g_str_has_prefix(argv[n], "--fd=") ||
                   !g_ascii_string_to_unsigned(argv[n] + 5, 10, 0, INT_MAX, &to, NULL)) {
            usage();
        }
    }
    if (!bridge || to == G_MAXUINT64) {
        usage();
    }
    check_acl(bridge);
    drop_rights();
    control = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (control < 0) {
        die("failed to open a control socket", NULL);
    }
    fd = open_tap(wants_header, name);
    take_mtu(control, bridge, name);
    lift_address(control, name);
    connect_to(control, bridge, name);
    hand_over(to, fd);
    return EXIT_SUCCESS;
}
