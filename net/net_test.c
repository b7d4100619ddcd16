/*
 * Tests of net/: frames between ends, waiting, links, hubs, filters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net.h"

#include "net/filter.h"
#include "net/kinds.h"
#include "qapi/qapi-commands-net.h"

typedef struct Fake {
    NetEnd end;
    GString *got;     /* frames, each followed by a blank */
    unsigned room;    /* frames it takes before it says NET_WAIT */
    unsigned go_ons, links, frees;
    unsigned bursts;  /* that began */
    bool is_burst;
    NetPort *answers; /* it sends "re" here from within .receive */
} Fake;

static NetResult fake_receive(NetPort *port, const NetFrame *frame)
{
    Fake *f = (Fake *)port->end;

    if (!f->room) {
        return NET_WAIT;
    }
    f->room--;
    for (unsigned n = 0; n < frame->count; n++) {
        g_string_append_len(f->got, frame->iov[n].iov_base, frame->iov[n].iov_len);
    }
    g_string_append_c(f->got, ' ');
    if (f->answers) {
        net_send_bytes(f->answers, "re", 2);
    }
    return NET_DONE;
}

static void fake_go_on(NetPort *port)
{
    ((Fake *)port->end)->go_ons++;
}

static void fake_link(NetEnd *end)
{
    ((Fake *)end)->links++;
}

static void fake_free(NetEnd *end)
{
    ((Fake *)end)->frees++;
}

static void fake_burst(NetPort *port, bool is_on)
{
    Fake *f = (Fake *)port->end;

    g_assert_true(f->is_burst != is_on);
    f->is_burst = is_on;
    f->bursts += is_on;
}

static const NetOps fake_ops = {
    .receive = fake_receive, .burst = fake_burst, .go_on = fake_go_on, .link_changed = fake_link, .free = fake_free,
};

static void fake_init(Fake *f)
{
    *f = (Fake){ .got = g_string_new(NULL), .room = 1000 };
}

static void backend(Fake *f, const char *id)
{
    fake_init(f);
    net_backend_add(&f->end, &fake_ops, "fake", id, 1);
}

static void device(Fake *f, const char *name, NetEnd *peer)
{
    NetDeviceInfo info = { "model", name, "/path", 1, peer };

    fake_init(f);
    net_device_attach(&f->end, &fake_ops, &info, f);
}

static void take_got(Fake *f, const char *want)
{
    g_assert_cmpstr(f->got->str, ==, want);
    g_string_truncate(f->got, 0);
}

static void send_text(Fake *f, const char *text, NetResult want)
{
    g_assert_cmpint(net_send_bytes(&f->end.ports[0], text, strlen(text)), ==, want);
}

static void done(Fake *f)
{
    if (f->end.is_device) {
        net_device_detach(&f->end);
    } else if (f->end.ports) {
        net_backend_remove(&f->end);
        g_assert_cmpuint(f->frees, ==, 1);
    }
    g_string_free(f->got, TRUE);
}

static void test_both_ways(void)
{
    Fake host, nic;

    net_machine_runs(true);
    backend(&host, "n0");
    device(&nic, "d0", &host.end);
    g_assert_true(net_peer(&nic.end) == &host.end && net_has_link(&nic.end));
    send_text(&host, "down", NET_DONE);
    send_text(&nic, "up", NET_DONE);
    take_got(&nic, "down ");
    take_got(&host, "up ");
    done(&nic);
    send_text(&host, "lost", NET_DONE);
    done(&host);
}

/* One within another is a part of it; what waited comes as one. */
static void test_bursts(void)
{
    Fake host, nic;

    net_machine_runs(true);
    backend(&host, "n0");
    g_assert_false(net_burst_begin(&host.end.ports[0])); /* to nobody */
    device(&nic, "d0", &host.end);
    g_assert_true(net_burst_begin(&nic.end.ports[0]));
    g_assert_false(net_burst_begin(&nic.end.ports[0]));
    net_burst_end(&nic.end.ports[0], false);
    g_assert_true(host.is_burst && !nic.is_burst);
    net_burst_end(&nic.end.ports[0], true);
    g_assert_true(!host.is_burst && host.bursts == 1);
    nic.room = 0;
    send_text(&host, "one", NET_WAIT);
    send_text(&host, "two", NET_WAIT);
    g_assert_cmpuint(nic.bursts, ==, 0);
    nic.room = 1;
    net_ready(&nic.end.ports[0]);
    g_assert_true(!nic.is_burst && nic.bursts == 1);
    take_got(&nic, "one ");
    nic.room = 1;
    net_ready(&nic.end.ports[0]);
    net_ready(&nic.end.ports[0]);
    g_assert_true(!nic.is_burst && nic.bursts == 2);
    take_got(&nic, "two ");
    done(&nic);
    done(&host);
}

static void test_waiting(void)
{
    Fake host, nic;

    net_machine_runs(true);
    backend(&host, "n0");
    device(&nic, "d0", &host.end);
    nic.room = 1;
    send_text(&host, "a", NET_DONE);
    send_text(&host, "b", NET_WAIT);
    send_text(&host, "c", NET_WAIT);
    take_got(&nic, "a ");
    nic.room = 1;
    net_ready(&nic.end.ports[0]);
    take_got(&nic, "b ");
    g_assert_cmpuint(host.go_ons, ==, 0);
    nic.room = 5;
    net_ready(&nic.end.ports[0]);
    take_got(&nic, "c ");
    g_assert_cmpuint(host.go_ons, ==, 1);
    net_ready(&nic.end.ports[0]);
    g_assert_cmpuint(host.go_ons, ==, 1);
    done(&nic);
    done(&host);
}

static void test_stopped(void)
{
    Fake host, nic;

    net_machine_runs(false);
    backend(&host, "n0");
    device(&nic, "d0", &host.end);
    send_text(&host, "a", NET_WAIT);
    send_text(&nic, "up", NET_DONE);
    take_got(&nic, "");
    net_machine_runs(true);
    take_got(&nic, "a ");
    g_assert_cmpuint(host.go_ons, ==, 1);
    done(&nic);
    done(&host);
}

/* Who is being delivered to gets what comes meanwhile afterwards, in order. */
static void test_nested(void)
{
    Fake host, nic;

    net_machine_runs(true);
    backend(&host, "n0");
    device(&nic, "d0", &host.end);
    host.answers = &host.end.ports[0];
    nic.answers = &nic.end.ports[0];
    host.room = 2;
    send_text(&host, "x", NET_DONE);
    g_assert_true(g_str_has_prefix(nic.got->str, "x re "));
    g_assert_cmpstr(host.got->str, ==, "re re ");
    nic.answers = host.answers = NULL;
    done(&nic);
    done(&host);
}

static void test_link(void)
{
    Fake host, nic;

    net_machine_runs(true);
    backend(&host, "n0");
    device(&nic, "d0", &host.end);
    host.links = nic.links = 0;
    g_assert_true(qmp_set_link("n0", false, NULL));
    g_assert_true(host.end.is_link_down && nic.end.is_link_down);
    g_assert_cmpuint(nic.links, ==, 1);
    send_text(&host, "a", NET_DONE);
    send_text(&nic, "b", NET_DONE);
    g_assert_true(qmp_set_link("n0", true, NULL));
    g_assert_true(qmp_set_link("d0", false, NULL));
    g_assert_false(host.end.is_link_down);
    g_assert_false(net_has_link(&nic.end));
    send_text(&host, "c", NET_DONE);
    g_assert_true(qmp_set_link("d0", true, NULL));
    g_assert_false(qmp_set_link("zz", true, NULL));
    take_got(&host, "");
    take_got(&nic, "");
    done(&host);
    g_assert_cmpuint(nic.links, ==, 5);
    g_assert_null(net_peer(&nic.end));
    done(&nic);
}

static void add_hub_port(const char *id, int hub, const char *plugged)
{
    NetdevHubPortOptions options = { .hubid = hub, .netdev = (char *)plugged };
    Netdev netdev = { .id = (char *)id, .type = NET_CLIENT_DRIVER_HUBPORT,
                      .u.hubport = options };

    g_assert_true(qmp_netdev_add(&netdev, NULL));
}

static void test_hub(void)
{
    Fake a, b, c, other;
    g_autofree char *info = NULL;

    net_machine_runs(true);
    backend(&a, "a");
    backend(&b, "b");
    backend(&other, "other");
    add_hub_port("p1", 1, "a");
    add_hub_port("p2", 1, "b");
    add_hub_port("p3", 1, NULL);
    add_hub_port("q", 2, "other");
    device(&c, "c", net_find("p3"));
    send_text(&a, "hi", NET_DONE);
    send_text(&c, "yo", NET_DONE);
    take_got(&a, "yo ");
    take_got(&b, "hi yo ");
    take_got(&c, "hi ");
    take_got(&other, "");
    info = net_info();
    g_assert_cmpstr(info, ==, "hub 1\n"
                    " \\ p1: a: index=0,type=fake,\n \\ p2: b: index=0,type=fake,\n"
                    " \\ p3: c: index=0,type=nic,model=model,macaddr=00:00:00:00:00:00\n"
                    "hub 2\n \\ q: other: index=0,type=fake,\n");
    done(&c);
    done(&a);
    done(&b);
    done(&other);
    net_cleanup();
}

/* All other ports have it, each until it ends where it began; a loop of hubs does not keep it up. */
static void test_hub_bursts(void)
{
    Fake a, b, c;

    net_machine_runs(true);
    backend(&a, "a");
    backend(&b, "b");
    backend(&c, "c");
    add_hub_port("p1", 1, "a");
    add_hub_port("p2", 1, "b");
    add_hub_port("p3", 1, "c");
    g_assert_true(net_burst_begin(&a.end.ports[0]));
    g_assert_true(!a.is_burst && b.is_burst && c.is_burst);
    g_assert_true(net_burst_begin(&b.end.ports[0]));
    g_assert_true(a.is_burst && b.is_burst && c.is_burst);
    net_burst_end(&b.end.ports[0], true);
    g_assert_true(!a.is_burst && b.is_burst && c.is_burst);
    net_burst_end(&a.end.ports[0], true);
    g_assert_true(!a.is_burst && !b.is_burst && !c.is_burst);
    add_hub_port("q1", 1, NULL);
    add_hub_port("r1", 2, "q1");
    add_hub_port("q2", 1, NULL);
    add_hub_port("r2", 2, "q2");
    net_burst_end(&a.end.ports[0], net_burst_begin(&a.end.ports[0]));
    g_assert_true(!a.is_burst && !b.is_burst && !c.is_burst && a.bursts == 2 && b.bursts == 2);
    done(&a);
    done(&b);
    done(&c);
    net_cleanup();
}

typedef struct Spy {
    NetFilter filter;
    unsigned seen[2];
} Spy;

static void spy_see(NetFilter *filter, NetDirection direction, const NetFrame *frame)
{
    ((Spy *)filter)->seen[direction]++;
}

/* A sender waits while nobody takes frames, and no longer; none is lost, none comes twice. */
static void test_hub_waits(void)
{
    Fake slow, fast, from;

    net_machine_runs(true);
    backend(&slow, "slow");
    backend(&fast, "fast");
    backend(&from, "from");
    add_hub_port("p1", 1, "slow");
    add_hub_port("p2", 1, "fast");
    add_hub_port("p3", 1, "from");
    slow.room = 0;
    fast.room = 1;
    send_text(&from, "a", NET_DONE);
    send_text(&from, "b", NET_DONE); /* both keep it */
    send_text(&from, "c", NET_WAIT);
    g_assert_cmpuint(from.go_ons, ==, 0);
    fast.room = 10;
    net_ready(&fast.end.ports[0]);
    take_got(&fast, "a b c ");
    g_assert_cmpuint(from.go_ons, ==, 1);
    fast.room = 0;
    send_text(&from, "d", NET_DONE);
    send_text(&from, "e", NET_WAIT);
    done(&fast); /* the one that is left decides */
    g_assert_cmpuint(from.go_ons, ==, 1);
    slow.room = 10;
    net_ready(&slow.end.ports[0]);
    take_got(&slow, "a b c d e ");
    g_assert_cmpuint(from.go_ons, ==, 2);
    done(&slow);
    done(&from);
    net_cleanup();
}

static void test_filter(void)
{
    Fake host, nic;
    Spy spy = { .filter.see = spy_see };

    net_machine_runs(true);
    backend(&host, "n0");
    device(&nic, "d0", &host.end);
    net_filter_attach(&spy.filter, &host.end);
    send_text(&host, "a", NET_DONE);
    send_text(&nic, "b", NET_DONE);
    send_text(&nic, "c", NET_DONE);
    g_assert_cmpuint(spy.seen[NET_TX], ==, 1);
    g_assert_cmpuint(spy.seen[NET_RX], ==, 2);
    done(&host);
    g_assert_null(spy.filter.end);
    net_filter_detach(&spy.filter);
    done(&nic);
}

static void test_names(void)
{
    Netdev twice = { .id = (char *)"n0", .type = NET_CLIENT_DRIVER_HUBPORT };
    uint8_t mac[ETH_ADDR_BYTES], second[ETH_ADDR_BYTES];
    g_autofree char *text = NULL;
    Fake host, nic;

    backend(&host, "n0");
    g_assert_false(qmp_netdev_add(&twice, NULL));
    twice.id = (char *)"1x";
    g_assert_false(qmp_netdev_add(&twice, NULL));
    g_assert_false(qmp_netdev_del("zz", NULL));
    net_pick_mac(mac);
    device(&nic, "d0", &host.end);
    memcpy(nic.end.mac, mac, sizeof(mac));
    net_pick_mac(second);
    text = net_show_mac(second);
    g_assert_cmpstr(text, ==, "52:54:00:12:34:57");
    g_assert_true(net_parse_mac("aa-BB-0c-0D-0e-0f", mac) && mac[1] == 0xbb);
    g_assert_false(net_parse_mac("aa:bb:cc:dd:ee", mac) || net_parse_mac("", mac) ||
                   net_parse_mac("aa:bb:cc:dd:ee:ff:", mac) ||
                   net_parse_mac("aa:bb:cc:dd:ee:fg", mac));
    g_assert_false(qmp_netdev_del("d0", NULL));
    g_assert_true(qmp_netdev_del("n0", NULL));
    g_string_free(host.got, TRUE);
    done(&nic);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/both-ways", test_both_ways);
    g_test_add_func("/net/bursts", test_bursts);
    g_test_add_func("/net/hub-bursts", test_hub_bursts);
    g_test_add_func("/net/waiting", test_waiting);
    g_test_add_func("/net/stopped", test_stopped);
    g_test_add_func("/net/nested", test_nested);
    g_test_add_func("/net/link", test_link);
    g_test_add_func("/net/hub", test_hub);
    g_test_add_func("/net/hub-waits", test_hub_waits);
    g_test_add_func("/net/filter", test_filter);
    g_test_add_func("/net/names", test_names);
    return g_test_run();
}
