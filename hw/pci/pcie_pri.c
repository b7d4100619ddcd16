/*
 * Page request services (PCI Express Base 5.0, 10.4 and 10.5.2). Credits are counted per page
 * request and come back when the group they belong to is answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pcie_parts.h"

#define PRI_BYTES   16
#define PRI_GROUPS  512
#define RESPONSE_FAILURE 0xf

typedef struct Client {
    PciPageNotifier own; /* what the IOMMU knows */
    PciPageNotifier *user;
    PciDevice *dev;
    uint32_t pasid;
} Client;

struct PciePri {
    uint32_t in_flight;           /* the sum of: */
    uint16_t pending[PRI_GROUPS]; /* requests of a group without an answer */
    bool was_enabled;
    GPtrArray *clients; /* of Client, owned */
};

static const VMField pri_fields[] = { VM_ARRAY(PciePri, pending) };
static const VMState pri_state = VMSTATE_INIT(pri_fields, .version = 1);
static const VMField state_fields[] = { VM_STRUCT_POINTER(PcieState, pri, pri_state) };
static const VMState state_state = VMSTATE_INIT(state_fields, .version = 1);

static bool has_requests(void *opaque)
{
    PciDevice *dev = opaque;

    return dev->pcie && dev->pcie->pri && dev->pcie->pri->in_flight;
}
static const VMField device_fields[] = { VM_STRUCT_POINTER(PciDevice, pcie, state_state) };
const VMState pci_pri_state =
    VMSTATE_INIT(device_fields, .name = "page-requests", .version = 1, .needed = has_requests);

static PciePri *pri_of(const PciDevice *dev)
{
    return dev->pcie ? dev->pcie->pri : NULL;
}

static uint16_t get(const PciDevice *dev, unsigned reg)
{
    return load_le16(dev->config + dev->pcie->pri_cap + reg);
}

static void set_status(PciDevice *dev, uint16_t clear, uint16_t set)
{
    store_le16(dev->config + dev->pcie->pri_cap + PCI_PRI_STATUS,
               (get(dev, PCI_PRI_STATUS) & ~clear) | set);
}

bool pcie_pri_init(PciDevice *dev, unsigned at, uint32_t capacity, Error **errp)
{
    if (!pcie_add_capability(dev, PCIE_EXT_CAP(PCI_EXT_CAP_ID_PRI, 1), at, PRI_BYTES, errp)) {
        return false;
    }
    pcie_state(dev)->pri_cap = at;
    dev->pcie->pri = g_new0(PciePri, 1);
    dev->pcie->pri->clients = g_ptr_array_new_with_free_func(g_free);
    store_le16(dev->config + at + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    store_le32(dev->config + at + PCI_PRI_MAX, capacity);
    store_le16(dev->writable + at + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
    store_le16(dev->clear_on_1 + at + PCI_PRI_STATUS, PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
    store_le32(dev->writable + at + PCI_PRI_ALLOC, UINT32_MAX);
    memset(dev->fixed + at + PCI_PRI_CTRL, 0, 4);
    memset(dev->fixed + at + PCI_PRI_ALLOC, 0, 4);
    return true;
}

bool pcie_pri_is_enabled(const PciDevice *dev)
{
    return pri_of(dev) && get(dev, PCI_PRI_CTRL) & PCI_PRI_CTRL_ENABLE;
}

static void update_stopped(PciDevice *dev)
{
    bool is_stopped = !pcie_pri_is_enabled(dev) && !pri_of(dev)->in_flight;

    set_status(dev, PCI_PRI_STATUS_STOPPED, is_stopped ? PCI_PRI_STATUS_STOPPED : 0);
}

static void forget_requests(PciePri *pri)
{
    pri->in_flight = 0;
    memset(pri->pending, 0, sizeof(pri->pending));
}

/* --- requests and answers --- */

static uint32_t credits(const PciDevice *dev)
{
    uint32_t granted = load_le32(dev->config + dev->pcie->pri_cap + PCI_PRI_ALLOC);
    uint32_t capacity = load_le32(dev->config + dev->pcie->pri_cap + PCI_PRI_MAX);

    return MIN(granted, capacity);
}

bool pcie_page_request(PciDevice *dev, uint32_t pasid, const PciPageRequest *request)
{
    PciePri *pri = pri_of(dev);
    PciRequester who;
    void *opaque;
    const PciIommuOps *ops;

    if (!pcie_pri_is_enabled(dev) || !pci_may_request(dev) ||
        get(dev, PCI_PRI_STATUS) & PCI_PRI_STATUS_RF || request->group >= PRI_GROUPS ||
        pri->in_flight >= credits(dev)) {
        return false;
    }
    ops = pcie_requester(dev, pasid, &who, &opaque);
    if (!ops || !ops->page_request) {
        return false;
    }
    pri->in_flight++; /* the answer may come before the call returns */
    pri->pending[request->group]++;
    if (!ops->page_request(opaque, &who, request)) {
        pri->in_flight--;
        pri->pending[request->group]--;
        return false;
    }
    return true;
}

bool pcie_may_request_pages(PciDevice *dev, uint32_t pasid)
{
    PciRequester who;
    void *opaque;
    const PciIommuOps *ops = pcie_requester(dev, pasid, &who, &opaque);

    return pcie_pri_is_enabled(dev) && pci_may_request(dev) &&
           !(get(dev, PCI_PRI_STATUS) & PCI_PRI_STATUS_RF) && ops && ops->page_request &&
           (!ops->may_request_pages || ops->may_request_pages(opaque, &who));
}

static void answered(PciPageNotifier *notifier, uint16_t group, uint8_t response)
{
    Client *client = container_of(notifier, Client, own);
    PciDevice *dev = client->dev;
    PciePri *pri = pri_of(dev);

    if (group >= PRI_GROUPS || !pri->pending[group]) {
        set_status(dev, 0, PCI_PRI_STATUS_UPRGI);
        return;
    }
    pri->in_flight -= pri->pending[group];
    pri->pending[group] = 0;
    if (response == RESPONSE_FAILURE) {
        set_status(dev, 0, PCI_PRI_STATUS_RF); /* no more until the guest starts again */
    }
    update_stopped(dev);
    client->user->answered(client->user, group, response);
}

static Client *find_client(PciePri *pri, uint32_t pasid)
{
    for (guint i = 0; i < pri->clients->len; i++) {
        Client *client = pri->clients->pdata[i];

        if (client->pasid == pasid) {
            return client;
        }
    }
    return NULL;
}

static bool tell_iommu(PciDevice *dev, uint32_t pasid, PciPageNotifier *notifier)
{
    PciRequester who;
    void *opaque;
    const PciIommuOps *ops = pci_device_iommu(dev, &who, &opaque);

    who.has_pasid = pasid != PCIE_NO_PASID;
    who.pasid = who.has_pasid ? pasid : 0;
    return ops && ops->set_page_notifier && ops->set_page_notifier(opaque, &who, notifier);
}

bool pcie_set_page_notifier(PciDevice *dev, uint32_t pasid, PciPageNotifier *user)
{
    PciePri *pri = pri_of(dev);
    Client *client = pri ? find_client(pri, pasid) : NULL;

    if (!pri) {
        return false;
    }
    if (client) {
        tell_iommu(dev, pasid, NULL);
        g_ptr_array_remove_fast(pri->clients, client);
    }
    if (!user) {
        return client;
    }
    client = g_new(Client, 1);
    *client = (Client){ { answered }, user, dev, pasid };
    g_ptr_array_add(pri->clients, client);
    if (!tell_iommu(dev, pasid, &client->own)) {
        g_ptr_array_remove_fast(pri->clients, client);
        return false;
    }
    return true;
}

/* --- for the core --- */

void pcie_pri_written(PciDevice *dev, unsigned at, unsigned bytes)
{
    PciePri *pri = pri_of(dev);
    bool is_enabled = pcie_pri_is_enabled(dev);

    if (!pri || !pci_range_touches(at, bytes, dev->pcie->pri_cap + PCI_PRI_CTRL, 2)) {
        return;
    }
    if (get(dev, PCI_PRI_CTRL) & PCI_PRI_CTRL_RESET && !is_enabled) {
        forget_requests(pri);
    }
    store_le16(dev->config + dev->pcie->pri_cap + PCI_PRI_CTRL,
               get(dev, PCI_PRI_CTRL) & ~PCI_PRI_CTRL_RESET);
    if (is_enabled && !pri->was_enabled) {
        set_status(dev, PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI, 0);
    }
    pri->was_enabled = is_enabled;
    update_stopped(dev);
}

void pcie_pri_reset(PciDevice *dev)
{
    if (pri_of(dev)) {
        forget_requests(pri_of(dev));
        pri_of(dev)->was_enabled = false;
        update_stopped(dev);
    }
}

void pcie_pri_reload(PciDevice *dev)
{
    PciePri *pri = pri_of(dev);

    if (pri) {
        pri->was_enabled = pcie_pri_is_enabled(dev);
        pri->in_flight = 0;
        for (unsigned group = 0; group < PRI_GROUPS; group++) {
            pri->in_flight += pri->pending[group];
        }
    }
}

void pcie_pri_stop(PciDevice *dev)
{
    while (pri_of(dev) && pri_of(dev)->clients->len) {
        Client *client = pri_of(dev)->clients->pdata[0];

        pcie_set_page_notifier(dev, client->pasid, NULL);
    }
}

void pcie_pri_discard(PciDevice *dev)
{
    if (pri_of(dev)) {
        g_ptr_array_unref(dev->pcie->pri->clients);
        g_clear_pointer(&dev->pcie->pri, g_free);
    }
}
