/*
 * Options of the user network: addresses that fit each other, and forwarding rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/user.h"

#include <arpa/inet.h>

#define DEFAULT_NET    "10.0.2.0/24"
#define DEFAULT_PREFIX "fec0::"
#define HOST           0x202 /* the host's part of addresses, as much of it as the network leaves */
#define DNS            0x203
#define FIRST_LEASE    0x20f
#define MAX_DOMAIN     255
#define MAX_HOST_NAME  33

static bool parse_ip(const char *text, struct in_addr *addr)
{
    return inet_pton(AF_INET, text, addr) == 1;
}

/* Networks of private use are of one size, whatever their class. */
static uint32_t usual_mask(uint32_t net)
{
    static const struct {
        uint32_t net, mask;
    } private_nets[] = {
        { 0xac100000, 0xfff00000 }, /* 172.16.0.0 */
        { 0xc0a80000, 0xffff0000 }, /* 192.168.0.0 */
        { 0xc6120000, 0xfffe0000 }, /* 198.18.0.0 */
    };

    for (unsigned n = 0; n < ARRAY_SIZE(private_nets); n++) {
        if ((net & private_nets[n].mask) == private_nets[n].net) {
            return private_nets[n].mask;
        }
    }
    return net < 0x80000000 ? 0xff000000 : net < 0xc0000000 ? 0xffff0000 : 0xffffff00;
}

/* ADDRESS, ADDRESS/BITS or ADDRESS/MASK; a bare one has the mask of its class. */
static bool parse_net(const char *text, struct in_addr *net, struct in_addr *mask, Error **errp)
{
    const char *slash = strchr(text, '/');
    g_autofree char *addr = slash ? g_strndup(text, slash - text) : g_strdup(text);
    guint64 bits;

    if (!parse_ip(addr, net)) {
        return error_set(errp, "Failed to parse net '%s'", text);
    }
    if (!slash) {
        mask->s_addr = htonl(usual_mask(ntohl(net->s_addr)));
    } else if (g_ascii_string_to_unsigned(slash + 1, 10, 0, UINT32_MAX, &bits, NULL)) {
        if (bits < 4 || bits > 32) {
            return error_set(errp, "Invalid netmask provided (must be in range 4-32)");
        }
        mask->s_addr = htonl(UINT32_MAX << (32 - bits));
    } else if (!parse_ip(slash + 1, mask)) {
        return error_set(errp, "Failed to parse netmask (trailing chars)");
    }
    net->s_addr &= mask->s_addr;
    return true;
}

static struct in_addr within(const SlirpConfig *config, uint32_t host)
{
    return (struct in_addr){ config->vnetwork.s_addr | (htonl(host) & ~config->vnetmask.s_addr) };
}

/* `text`, or the address `host` of the network. */
static bool put_ip(const SlirpConfig *config, const char *text, uint32_t host, const char *what,
                   struct in_addr *out, Error **errp)
{
    *out = within(config, host);
    if (!text) {
        return true;
    }
    return parse_ip(text, out) || error_set(errp, "Failed to parse %s", what);
}

static bool check_belongs(const SlirpConfig *config, struct in_addr addr, const char *what,
                          Error **errp)
{
    return (addr.s_addr & config->vnetmask.s_addr) == config->vnetwork.s_addr ||
           error_set(errp, "%s doesn't belong to network", what);
}

static bool put_ipv4(const NetdevUserOptions *o, SlirpConfig *config, Error **errp)
{
    const char *net = o->net ? o->net : o->ip ? o->ip : DEFAULT_NET;

    if (!parse_net(net, &config->vnetwork, &config->vnetmask, errp) ||
        !put_ip(config, o->host, HOST, "host", &config->vhost, errp) ||
        !put_ip(config, o->dhcpstart, FIRST_LEASE, "DHCP start address", &config->vdhcp_start,
                errp) ||
        !put_ip(config, o->dns, DNS, "DNS", &config->vnameserver, errp) ||
        !check_belongs(config, config->vhost, "Host", errp) ||
        !check_belongs(config, config->vdhcp_start, "DHCP", errp)) {
        return false;
    }
    if (config->vhost.s_addr == config->vnameserver.s_addr) {
        return error_set(errp, "DNS must be different from host");
    }
    return config->vdhcp_start.s_addr != config->vhost.s_addr &&
                   config->vdhcp_start.s_addr != config->vnameserver.s_addr ? true :
           error_set(errp, "DHCP must be different from host and DNS");
}

static bool put_ip6(const SlirpConfig *config, const char *text, uint8_t last, const char *what,
                    struct in6_addr *out, Error **errp)
{
    *out = config->vprefix_addr6;
    out->s6_addr[15] |= last;
    return !text || inet_pton(AF_INET6, text, out) == 1 ||
           error_set(errp, "Failed to parse IPv6 %s", what);
}

static bool put_ipv6(const NetdevUserOptions *o, SlirpConfig *config, Error **errp)
{
    const char *prefix = o->ipv6_prefix ? o->ipv6_prefix : DEFAULT_PREFIX;
    int64_t bits = o->has_ipv6_prefixlen ? o->ipv6_prefixlen : 64;

    if (inet_pton(AF_INET6, prefix, &config->vprefix_addr6) != 1) {
        return error_set(errp, "Failed to parse IPv6 prefix");
    }
    if (bits < 0 || bits > 126) {
        return error_set(errp, "Invalid IPv6 prefix provided (IPv6 prefix length must be between "
                               "0 and 126)");
    }
    config->vprefix_len = bits;
    return put_ip6(config, o->ipv6_host, 2, "host", &config->vhost6, errp) &&
           put_ip6(config, o->ipv6_dns, 3, "DNS", &config->vnameserver6, errp);
}

static bool pick_families(const NetdevUserOptions *o, SlirpConfig *config, Error **errp)
{
    config->in_enabled = o->has_ipv4 ? o->ipv4 : !(o->has_ipv6 && o->ipv6);
    config->in6_enabled = o->has_ipv6 ? o->ipv6 : !(o->has_ipv4 && o->ipv4);
    if (!config->in_enabled && !config->in6_enabled) {
        return error_set(errp, "IPv4 and IPv6 disabled");
    }
    if (!config->in_enabled && (o->net || o->ip || o->host || o->dhcpstart || o->dns)) {
        return error_set(errp, "IPv4 disabled but netmask/host/dhcp/dns provided");
    }
    if (!config->in6_enabled && (o->ipv6_prefix || o->ipv6_host || o->ipv6_dns)) {
        return error_set(errp, "IPv6 disabled but prefix/host6/dns6 provided");
    }
    return true;
}

static bool put_names(const NetdevUserOptions *o, SlirpConfig *config, GPtrArray *search,
                      Error **errp)
{
    if (o->hostname && strlen(o->hostname) > MAX_HOST_NAME - 1) {
        return error_set(errp, "hostname is too long");
    }
    if (o->domainname && !*o->domainname) {
        return error_set(errp, "'domainname' parameter cannot be empty");
    }
    if (o->domainname && strlen(o->domainname) > MAX_DOMAIN) {
        return error_set(errp, "'domainname' parameter cannot exceed 255 bytes");
    }
    for (size_t n = 0; o->dnssearch && n < o->dnssearch->count; n++) {
        g_ptr_array_add(search, o->dnssearch->items[n]->str);
    }
    g_ptr_array_add(search, NULL);
    config->vhostname = o->hostname;
    config->vdomainname = o->domainname;
    config->vdnssearch = search->len > 1 ? (const char **)search->pdata : NULL;
    config->tftp_server_name = o->tftp_server_name;
    config->tftp_path = o->tftp;
    config->bootfile = o->bootfile;
    return true;
}

bool user_config(const NetdevUserOptions *o, SlirpConfig *config, GPtrArray **search, Error **errp)
{
    *config = (SlirpConfig){ .version = 4, .restricted = o->restrict_ };
    *search = g_ptr_array_new();
    return pick_families(o, config, errp) && put_ipv4(o, config, errp) &&
           put_ipv6(o, config, errp) && put_names(o, config, *search, errp);
}

/* --- forwarding --- */

static bool bad(const char *rule, const char *why, Error **errp)
{
    return error_set(errp, "Invalid host forwarding rule '%s' (%s)", rule, why);
}

/* The field up to `end`, which *text then stands behind; NULL: there is no such. Free it. */
static char *field(const char **text, char end)
{
    const char *at = end ? strchr(*text, end) : *text + strlen(*text);
    char *out = at ? g_strndup(*text, at - *text) : NULL;

    if (at) {
        *text = at + (end != 0);
    }
    return out;
}

static bool parse_port(const char *text, unsigned least, int *port)
{
    guint64 value;

    if (!g_ascii_string_to_unsigned(text, 10, least, 65535, &value, NULL)) {
        return false;
    }
    *port = value;
    return true;
}

static bool parse_host_part(const char *rule, const char **at, char end, UserForward *out,
                            Error **errp)
{
    g_autofree char *protocol = field(at, ':');
    g_autofree char *addr = protocol ? field(at, ':') : NULL;
    g_autofree char *port = addr ? field(at, end) : NULL;

    if (!protocol || (*protocol && strcmp(protocol, "tcp") && strcmp(protocol, "udp"))) {
        return bad(rule, protocol ? "Bad protocol name" : "No protocol name", errp);
    }
    if (!addr) {
        return bad(rule, "Missing : separator", errp);
    }
    if (*addr && !parse_ip(addr, &out->host)) {
        return bad(rule, "Bad host address", errp);
    }
    out->is_udp = !strcmp(protocol, "udp");
    if (!port || !parse_port(port, 0, &out->host_port)) {
        return bad(rule, "Bad host port", errp);
    }
    return true;
}

bool user_parse_forward(const char *rule, bool has_guest, UserForward *out, Error **errp)
{
    g_autofree char *addr = NULL;
    const char *at = rule;

    *out = (UserForward){ .host.s_addr = INADDR_ANY };
    if (!parse_host_part(rule, &at, has_guest ? '-' : 0, out, errp)) {
        return false;
    }
    if (!has_guest) {
        return true;
    }
    addr = field(&at, ':');
    if (!addr) {
        return bad(rule, "Missing guest address", errp);
    }
    if (*addr && !parse_ip(addr, &out->guest)) {
        return bad(rule, "Bad guest address", errp);
    }
    return parse_port(at, 1, &out->guest_port) || bad(rule, "Bad guest port", errp);
}
