/*
 * virtio-net: a network adapter (virtio 1.3, 5.1): pairs of queues for what comes and goes, and a
 * queue that controls it. What needs the back end's help (checksums, segmentation) is offered if that
 * can give it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_net.h"

#include "hw/virtio/virtio_pci.h"

#define CONTROL_SIZE  64
#define MIN_QUEUE     256
#define MAX_SPEED     INT32_MAX
#define DUPLEX_HALF   0
#define DUPLEX_FULL   1
#define DUPLEX_UNKNOWN 0xff

/* What is left undone, as both sides call it: in frames to the driver, and from it. */
static const struct {
    uint8_t kind; /* NET_OFFLOAD_* */
    uint64_t to_driver, from_driver;
} offload_features[] = {
    { NET_OFFLOAD_SUM, BIT64(VIRTIO_NET_F_GUEST_CSUM), BIT64(VIRTIO_NET_F_CSUM) },
    { NET_OFFLOAD_TSO4, BIT64(VIRTIO_NET_F_GUEST_TSO4),
      BIT64(VIRTIO_NET_F_HOST_TSO4) | BIT64(VIRTIO_NET_F_GSO) },
    { NET_OFFLOAD_TSO6, BIT64(VIRTIO_NET_F_GUEST_TSO6), BIT64(VIRTIO_NET_F_HOST_TSO6) },
    { NET_OFFLOAD_ECN, BIT64(VIRTIO_NET_F_GUEST_ECN), BIT64(VIRTIO_NET_F_HOST_ECN) },
    { NET_OFFLOAD_UFO, BIT64(VIRTIO_NET_F_GUEST_UFO), BIT64(VIRTIO_NET_F_HOST_UFO) },
    { NET_OFFLOAD_USO4, BIT64(VIRTIO_NET_F_GUEST_USO4), BIT64(VIRTIO_NET_F_HOST_USO) },
    { NET_OFFLOAD_USO6, BIT64(VIRTIO_NET_F_GUEST_USO6), BIT64(VIRTIO_NET_F_HOST_USO) },
};
/* What there is nothing to control with. */
#define CONTROLLED                                                                                 \
    (BIT64(VIRTIO_NET_F_CTRL_RX) | BIT64(VIRTIO_NET_F_CTRL_VLAN) |                                 \
     BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) | BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR) |                       \
     BIT64(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |                \
     BIT64(VIRTIO_NET_F_MQ) | BIT64(VIRTIO_NET_F_RSS) | BIT64(VIRTIO_NET_F_HASH_REPORT))

/* --- configuration --- */

static uint64_t virtio_net_features(VirtioDevice *vdev)
{
    VirtioNet *net = VIRTIO_NET(vdev);
    NetEnd *backend = nic_conf_backend(&net->conf);
    uint64_t offered = net->wanted | BIT64(VIRTIO_NET_F_MAC);

    for (unsigned n = 0; n < ARRAY_SIZE(offload_features); n++) {
        if (!(net_offloads(backend) & offload_features[n].kind)) {
            offered &= ~(offload_features[n].to_driver | offload_features[n].from_driver);
        }
    }
    if (!(offered & (BIT64(VIRTIO_NET_F_HOST_TSO4) | BIT64(VIRTIO_NET_F_HOST_TSO6)))) {
        offered &= ~BIT64(VIRTIO_NET_F_RSC_EXT); /* 5.1.3.1 */
    }
    if (!(offered & BIT64(VIRTIO_NET_F_CTRL_VQ))) {
        offered &= ~CONTROLLED;
    }
    if (!backend || backend->count < 2) {
        offered &= ~BIT64(VIRTIO_NET_F_MQ);
    }
    if (net->mtu) {
        offered |= BIT64(VIRTIO_NET_F_MTU);
    }
    if (net->speed != -1 || net->duplex) {
        offered |= BIT64(VIRTIO_NET_F_SPEED_DUPLEX);
    }
    return offered;
}

static uint8_t duplex_of(const VirtioNet *net)
{
    return !net->duplex ? DUPLEX_UNKNOWN : strcmp(net->duplex, "full") ? DUPLEX_HALF
                                                                         : DUPLEX_FULL;
}

static void virtio_net_config_read(VirtioDevice *vdev, uint8_t *config)
{
    VirtioNet *net = VIRTIO_NET(vdev);

    memcpy(config + VIRTIO_NET_CONFIG_MAC, net->mac, ETH_ADDR_BYTES);
    virtio_put(vdev, config + VIRTIO_NET_CONFIG_STATUS, 2, net->status);
    virtio_put(vdev, config + VIRTIO_NET_CONFIG_MAX_PAIRS, 2,
               net->max_pairs);
    virtio_put(vdev, config + VIRTIO_NET_CONFIG_MTU, 2, net->mtu);
    virtio_put(vdev, config + VIRTIO_NET_CONFIG_SPEED, 4, net->speed);
    config[VIRTIO_NET_CONFIG_DUPLEX] = duplex_of(net);
    config[VIRTIO_NET_CONFIG_RSS_KEY] = NET_HASH_KEY_BYTES;
    virtio_put(vdev, config + VIRTIO_NET_CONFIG_RSS_TABLE, 2, NET_RSS_TABLE);
    virtio_put(vdev, config + VIRTIO_NET_CONFIG_HASHES, 4, VIRTIO_NET_HASH_TYPES);
}

/* Legacy drivers without a control queue set the address here. */
static void virtio_net_config_written(VirtioDevice *vdev, const uint8_t *config)
{
    VirtioNet *net = VIRTIO_NET(vdev);

    if (virtio_is_legacy(vdev) && !virtio_has_feature(vdev, VIRTIO_NET_F_CTRL_MAC_ADDR) &&
        memcmp(net->mac, config, ETH_ADDR_BYTES)) {
        memcpy(net->mac, config, ETH_ADDR_BYTES);
        net_device_set_mac(&net->end, net->mac);
    }
}

unsigned virtio_net_header_bytes(const VirtioNet *net)
{
    if (virtio_has_feature(&net->parent, VIRTIO_NET_F_HASH_REPORT)) {
        return VIRTIO_NET_HDR_HASH_BYTES;
    }
    return virtio_has_feature(&net->parent, VIRTIO_NET_F_MRG_RXBUF) ||
                   !virtio_is_legacy(&net->parent)
               ? VIRTIO_NET_HDR_MERGED_BYTES : VIRTIO_NET_HDR_BYTES;
}

bool virtio_net_has_pairs(const VirtioNet *net)
{
    return virtio_has_feature(&net->parent, VIRTIO_NET_F_MQ) ||
           virtio_has_feature(&net->parent, VIRTIO_NET_F_RSS);
}

unsigned virtio_net_pairs(const VirtioNet *net)
{
    return virtio_net_has_pairs(net) ? net->used_pairs : 1;
}

void virtio_net_tell_offloads(VirtioNet *net)
{
    NetEnd *backend = net_peer(&net->end);
    unsigned offloads = 0;

    for (unsigned n = 0; n < ARRAY_SIZE(offload_features); n++) {
        offloads |= net->guest_offloads & offload_features[n].to_driver ? offload_features[n].kind
                                                                        : 0;
    }
    if (backend && backend->ops->set_offload) {
        backend->ops->set_offload(backend, offloads);
    }
}

static uint64_t guest_offload_features(void)
{
    uint64_t all = BIT64(VIRTIO_NET_F_RSC_EXT);

    for (unsigned n = 0; n < ARRAY_SIZE(offload_features); n++) {
        all |= offload_features[n].to_driver;
    }
    return all;
}

void virtio_net_tell_queues(VirtioNet *net)
{
    NetEnd *backend = net_peer(&net->end);

    if (backend && backend->ops->use_queues) {
        backend->ops->use_queues(backend, virtio_net_pairs(net));
    }
}

static void virtio_net_status_changed(VirtioDevice *vdev, uint8_t old)
{
    VirtioNet *net = VIRTIO_NET(vdev);

    if (!(old & VIRTIO_STATUS_FEATURES_OK) && !(old & VIRTIO_STATUS_DRIVER_OK)) {
        net->guest_offloads = vdev->driver_features & guest_offload_features();
        /* A driver that says which VLANs it wants begins with none. */
        memset(net->vlans, virtio_has_feature(vdev, VIRTIO_NET_F_CTRL_VLAN) ? 0 : 0xff,
               sizeof(net->vlans));
    }
    if (!virtio_is_running(vdev)) {
        return;
    }
    virtio_net_tell_offloads(net);
    virtio_net_tell_queues(net);
    for (unsigned n = 0; n < virtio_net_pairs(net); n++) {
        virtio_net_tx_kicked(&net->pairs[n]);
        net_ready(&net->end.ports[n]);
    }
}

/* --- the network's side --- */

static void virtio_net_link_changed(NetEnd *end)
{
    VirtioNet *net = end->owner;
    uint16_t status = net->status & ~VIRTIO_NET_S_LINK_UP;

    if (!end->is_link_down) {
        status |= VIRTIO_NET_S_LINK_UP;
    }
    if (status != net->status) {
        net->status = status;
        virtio_config_changed(&net->parent);
    }
}

static bool virtio_net_announce(NetEnd *end)
{
    VirtioNet *net = end->owner;

    if (!virtio_is_running(&net->parent) ||
        !virtio_has_feature(&net->parent, VIRTIO_NET_F_GUEST_ANNOUNCE)) {
        return false;
    }
    net->status |= VIRTIO_NET_S_ANNOUNCE;
    virtio_config_changed(&net->parent);
    return true;
}

static const NetOps virtio_net_ops = {
    .receive = virtio_net_receive,
    .burst = virtio_net_burst,
    .go_on = virtio_net_go_on,
    .link_changed = virtio_net_link_changed,
    .rx_filter = virtio_net_show_filter,
    .announce = virtio_net_announce,
};

/* --- queues --- */

void virtio_net_ready(VirtioNet *net)
{
    for (unsigned n = 0; n < net->max_pairs; n++) {
        net_ready(&net->end.ports[n]);
    }
}

/* Without several pairs the control queue is the third, whatever else there could be. */
static void kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioNet *net = VIRTIO_NET(vdev);
    unsigned n = virtqueue_index(vq);
    bool has_pairs = virtio_net_has_pairs(net);

    if (n == (has_pairs ? 2 * net->max_pairs : 2)) {
        virtio_net_control(net, vq);
    } else if (n / 2 >= (has_pairs ? net->max_pairs : 1)) {
        return;
    } else if (n & 1) {
        virtio_net_tx_kicked(&net->pairs[n / 2]);
    } else if (net->rss.is_on) {
        virtio_net_merge_go_on(net);
        virtio_net_ready(net); /* what waits for it may have come to any port */
    } else {
        virtio_net_merge_go_on(net);
        net_ready(&net->end.ports[n / 2]);
    }
}

/* Nothing moves while the machine stands; connections send again what is lost of them. */
static void virtio_net_run_changed(VirtioDevice *vdev)
{
    VirtioNet *net = VIRTIO_NET(vdev);

    for (unsigned n = 0; n < net->max_pairs; n++) {
        virtio_net_merge_drop(&net->pairs[n]);
    }
}

static bool make_queues(VirtioNet *net, Error **errp)
{
    if (!virtio_init_queues(&net->parent, 2 * net->max_pairs + 1, errp)) {
        return false;
    }
    net->pairs = g_new0(NetPair, net->max_pairs);
    for (unsigned n = 0; n < net->max_pairs; n++) {
        NetPair *pair = &net->pairs[n];

        pair->net = net;
        pair->rx = virtqueue_init(&net->parent, 2 * n, net->rx_size, kicked);
        pair->tx = virtqueue_init(&net->parent, 2 * n + 1, net->tx_size, kicked);
        pair->more = deferred_new(event_loop_main(), virtio_net_transmit, pair);
        timer_init(&pair->timer, CLOCK_VIRTUAL, virtio_net_transmit, pair);
        virtio_net_merge_init(pair);
    }
    net->control = virtqueue_init(&net->parent, 2 * net->max_pairs, CONTROL_SIZE, kicked);
    return true;
}

static bool check_size(const char *name, uint16_t size, Error **errp)
{
    return (size >= MIN_QUEUE && size <= VIRTIO_MAX_QUEUE_SIZE && !(size & (size - 1))) ||
           error_set(errp, "Invalid %s (= %u), must be a power of 2 between %d and %d.", name, size,
                     MIN_QUEUE, VIRTIO_MAX_QUEUE_SIZE);
}

static bool check(const VirtioNet *net, Error **errp)
{
    if (net->duplex && strcmp(net->duplex, "half") && strcmp(net->duplex, "full")) {
        return error_set(errp, "'duplex' must be 'half' or 'full'");
    }
    if (net->speed < -1) {
        return error_set(errp, "'speed' must be between 0 and INT_MAX");
    }
    if (net->tx_mode && strcmp(net->tx_mode, "timer") && strcmp(net->tx_mode, "bh")) {
        warn_report("virtio-net: Unknown option tx=%s, valid options: \"timer\" \"bh\"",
                    net->tx_mode);
    }
    return check_size("rx_queue_size", net->rx_size, errp) &&
           check_size("tx_queue_size", net->tx_size, errp);
}

static bool virtio_net_realize(Device *dev, Error **errp)
{
    VirtioNet *net = VIRTIO_NET(dev);
    NetEnd *backend = nic_conf_backend(&net->conf);
    NicUse use = { &virtio_net_ops };

    net->max_pairs = use.queues = backend ? backend->count : 1;
    net->status = VIRTIO_NET_S_LINK_UP;
    if (!check(net, errp) || !nic_conf_attach(&net->conf, dev, &use, &net->end, errp)) {
        return false;
    }
    net->end.owner = net;
    memcpy(net->mac, net->conf.mac, ETH_ADDR_BYTES);
    if (!make_queues(net, errp)) {
        net_device_detach(&net->end);
        return false;
    }
    net->waits_for_more = net->tx_mode && !strcmp(net->tx_mode, "timer");
    net->frame = g_malloc(NET_FRAME_MAX);
    virtio_net_reset_filter(net);
    net->used_pairs = 1;
    return true;
}

static void virtio_net_unrealize(Device *dev)
{
    VirtioNet *net = VIRTIO_NET(dev);

    net_device_detach(&net->end);
    for (unsigned n = 0; n < net->max_pairs; n++) {
        deferred_free(net->pairs[n].more);
        timer_clear(&net->pairs[n].timer);
        virtio_net_merge_clear(&net->pairs[n]);
    }
    g_clear_pointer(&net->pairs, g_free);
    g_clear_pointer(&net->frame, g_free);
}

static void virtio_net_queue_reset(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioNet *net = VIRTIO_NET(vdev);
    unsigned n = virtqueue_index(vq);

    if (n < 2 * net->max_pairs && !(n & 1)) {
        virtio_net_merge_drop(&net->pairs[n / 2]);
        net_drop_waiting(&net->end.ports[n / 2]);
    }
}

static void virtio_net_reset(Device *dev)
{
    VirtioNet *net = VIRTIO_NET(dev);

    for (unsigned n = 0; n < net->max_pairs; n++) {
        deferred_cancel(net->pairs[n].more);
        timer_cancel(&net->pairs[n].timer);
        net->pairs[n].is_held = false;
        virtio_net_merge_drop(&net->pairs[n]);
        net_drop_waiting(&net->end.ports[n]);
        net_ready(&net->end.ports[n]);
    }
    net->used_pairs = 1;
    net->guest_offloads = 0;
    virtio_net_tell_offloads(net);
    virtio_net_tell_queues(net);
    net->status &= ~VIRTIO_NET_S_ANNOUNCE;
    net->rss = (NetRss){ 0 };
    memcpy(net->mac, net->conf.mac, ETH_ADDR_BYTES);
    net_device_set_mac(&net->end, net->mac);
    virtio_net_reset_filter(net);
}

/* --- saved state --- */

static bool virtio_net_post_load(void *opaque, int version, Error **errp)
{
    VirtioNet *net = opaque;

    if (net->unicast_count > MAC_TABLE_ROOM ||
        net->multicast_count > MAC_TABLE_ROOM - net->unicast_count) {
        return error_set(errp, "virtio-net: a table of %" PRIu32 " and %" PRIu32 " addresses",
                         net->unicast_count, net->multicast_count);
    }
    if (!net->used_pairs || net->used_pairs > net->max_pairs) {
        return error_set(errp, "virtio-net: %u pairs of queues of %u", net->used_pairs,
                         net->max_pairs);
    }
    net_device_set_mac(&net->end, net->mac);
    net->status &= ~VIRTIO_NET_S_LINK_UP;
    net->status |= net->end.is_link_down ? 0 : VIRTIO_NET_S_LINK_UP;
    virtio_net_tell_offloads(net);
    virtio_net_tell_queues(net);
    for (unsigned n = 0; n < net->max_pairs; n++) {
        deferred_schedule(net->pairs[n].more);
    }
    return true;
}

static bool has_hashes(void *opaque)
{
    return ((VirtioNet *)opaque)->rss.types || ((VirtioNet *)opaque)->rss.is_on;
}

static bool rss_loaded(void *opaque, int version, Error **errp)
{
    const NetRss *rss = &((VirtioNet *)opaque)->rss;

    return (rss->mask < NET_RSS_TABLE && !(rss->mask & (rss->mask + 1))) ||
           error_set(errp, "virtio-net: a table with mask 0x%x", rss->mask);
}

static const VMField rss_fields[] = {
    VM_BOOL(VirtioNet, rss.is_on), VM_U32(VirtioNet, rss.types), VM_U16(VirtioNet, rss.mask),
    VM_U16(VirtioNet, rss.unclassified), VM_ARRAY(VirtioNet, rss.table),
    VM_BUFFER(VirtioNet, rss.key),
};
static const VMState rss_state = VMSTATE_INIT(rss_fields, .name = "virtio-net-rss", .version = 1,
                                              .needed = has_hashes, .post_load = rss_loaded);
static const VMField virtio_net_fields[] = {
    VM_BUFFER(VirtioNet, mac), VM_U16(VirtioNet, status), VM_U16(VirtioNet, used_pairs),
    VM_BOOL(VirtioNet, is_promiscuous), VM_BOOL(VirtioNet, takes_all_multicast),
    VM_BOOL(VirtioNet, takes_all_unicast), VM_BOOL(VirtioNet, takes_no_multicast),
    VM_BOOL(VirtioNet, takes_no_unicast), VM_BOOL(VirtioNet, takes_no_broadcast),
    VM_BOOL(VirtioNet, unicast_overflow), VM_BOOL(VirtioNet, multicast_overflow),
    VM_U32(VirtioNet, unicast_count), VM_U32(VirtioNet, multicast_count),
    VM_BUFFER(VirtioNet, table), VM_ARRAY(VirtioNet, vlans),
    VM_U64(VirtioNet, guest_offloads),
};

/* --- the type --- */

#define FEATURE(name_, bit_, doc_, ...)                                                            \
    PROP_BIT64(name_, VirtioNet, wanted, VIRTIO_NET_F_##bit_, .initial = true, .doc = doc_,        \
               __VA_ARGS__)
static const Property virtio_net_props[] = {
    PROP_NIC_CONF(VirtioNet, conf),
    FEATURE("csum", CSUM, "Takes frames whose checksum is not done"),
    FEATURE("guest_csum", GUEST_CSUM, "Gives frames whose checksum is not done"),
    FEATURE("gso", GSO, "Takes large segments, in the oldest way"),
    FEATURE("guest_tso4", GUEST_TSO4, "Gives large segments of TCP over IPv4"),
    FEATURE("guest_tso6", GUEST_TSO6, "Gives large segments of TCP over IPv6"),
    FEATURE("guest_ecn", GUEST_ECN, "Gives large segments with ECN"),
    FEATURE("guest_ufo", GUEST_UFO, "Gives large datagrams of UDP"),
    FEATURE("guest_uso4", GUEST_USO4, "Gives several datagrams of UDP over IPv4 as one"),
    FEATURE("guest_uso6", GUEST_USO6, "Gives several datagrams of UDP over IPv6 as one"),
    FEATURE("host_tso4", HOST_TSO4, "Takes large segments of TCP over IPv4"),
    FEATURE("host_tso6", HOST_TSO6, "Takes large segments of TCP over IPv6"),
    FEATURE("host_ecn", HOST_ECN, "Takes large segments with ECN"),
    FEATURE("host_ufo", HOST_UFO, "Takes large datagrams of UDP"),
    FEATURE("host_uso", HOST_USO, "Takes several datagrams of UDP as one"),
    FEATURE("mrg_rxbuf", MRG_RXBUF, "Spreads frames over several buffers"),
    FEATURE("status", STATUS, "Tells whether there is a link"),
    FEATURE("guest_announce", GUEST_ANNOUNCE, "Can ask the driver to announce itself"),
    FEATURE("ctrl_vq", CTRL_VQ, "Has a control queue"),
    FEATURE("ctrl_rx", CTRL_RX, "Filters by address as the driver says"),
    FEATURE("ctrl_vlan", CTRL_VLAN, "Filters by VLAN as the driver says"),
    FEATURE("ctrl_rx_extra", CTRL_RX_EXTRA, "Filters in more ways"),
    FEATURE("ctrl_mac_addr", CTRL_MAC_ADDR, "Lets the driver change the address"),
    FEATURE("ctrl_guest_offloads", CTRL_GUEST_OFFLOADS, "Lets the driver change what is left "
                                                        "undone in frames to it"),
    PROP_BIT64("mq", VirtioNet, wanted, VIRTIO_NET_F_MQ, .doc = "Offers several pairs of queues"),
    PROP_BIT64("rss", VirtioNet, wanted, VIRTIO_NET_F_RSS,
               .doc = "Lets the driver choose queues by hashes of frames"),
    PROP_BIT64("hash", VirtioNet, wanted, VIRTIO_NET_F_HASH_REPORT,
               .doc = "Gives frames with a hash of them"),
    PROP_BIT64("guest_rsc_ext", VirtioNet, wanted, VIRTIO_NET_F_RSC_EXT,
               .doc = "Gives segments that follow each other as one"),
    PROP_U32("rsc_interval", VirtioNet, rsc_interval_ns, .initial = 300000,
             .doc = "Nanoseconds that a segment waits for others"),
    PROP_U16("rx_queue_size", VirtioNet, rx_size, .initial = 256, .doc = "Buffers of a receive queue"),
    PROP_U16("tx_queue_size", VirtioNet, tx_size, .initial = 256, .doc = "Buffers of a send queue"),
    PROP_U16("host_mtu", VirtioNet, mtu, .doc = "The MTU to use; 0 says nothing"),
    PROP_I32("speed", VirtioNet, speed, .initial = -1, .doc = "Mbit/s to tell; -1: unknown"),
    PROP_STR("duplex", VirtioNet, duplex, .doc = "half or full"),
    PROP_STR("tx", VirtioNet, tx_mode, .doc = "bh sends at once, timer a while later"),
    PROP_U32("x-txtimer", VirtioNet, tx_timer_ns, .initial = 150000, .doc = "Nanoseconds that tx=timer waits"),
    PROP_I32("x-txburst", VirtioNet, tx_burst, .initial = 256, .min = 1,
             .doc = "Frames sent before others have their turn"),
};

static const VirtioDeviceType virtio_net_type = {
    .name = "virtio-net-device",
    .doc = "virtio network adapter",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioNet),
    .category = DEVICE_CATEGORY_NETWORK,
    .virtio_id = VIRTIO_ID_NET,
    .config_bytes = VIRTIO_NET_CONFIG_BYTES,
    .features = virtio_net_features,
    .config_read = virtio_net_config_read,
    .config_written = virtio_net_config_written,
    .status_changed = virtio_net_status_changed,
    .queue_reset = virtio_net_queue_reset,
    .run_changed = virtio_net_run_changed,
    .properties = PROPERTIES(virtio_net_props),
    .vmstate = VMSTATE(virtio_net_fields, .version = 1, .post_load = virtio_net_post_load,
                       .subsections = VM_SUBSECTIONS(&rss_state)),
    .realize = virtio_net_realize,
    .unrealize = virtio_net_unrealize,
    .reset_hold = virtio_net_reset,
};
VIRTIO_DEVICE_TYPE(virtio_net_type)

static const VirtioPciFamily virtio_net_pci = {
    .name = "virtio-net-pci",
    .doc = "virtio network adapter on PCI",
    .device = &virtio_net_type,
    .class_id = PCI_CLASS_NETWORK_ETHERNET,
    .romfile = "efi-virtio.rom",
    .transitional_id = 0x1000,
    .vectors = 4,
    .category = DEVICE_CATEGORY_NETWORK,
};
VIRTIO_PCI_FAMILY(virtio_net_pci)
