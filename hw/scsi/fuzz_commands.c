/*
 * Fuzzes logical units from an adapter's side: a disk, one whose drive answers later, and a CD
 * drive. Each command is a byte for where it goes, one for its data, and 16 bytes; resets, resizes
 * and the tray come in between. Each command ends, once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/scsi/scsi.h"

#include "hw/pci/pci_test_machine.h"
#include "util/event_loop.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UNITS     3
#define MOST_DATA (64 * KiB)

static ScsiBus *bus;
static uint8_t *room;
static unsigned done_count;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    test_machine_init();
    test_add_node("{'driver':'null-co','node-name':'now','size':1048576,'read-zeroes':true}");
    test_add_node("{'driver':'null-aio','node-name':'later','size':1048576,'read-zeroes':true}");
    test_add_node("{'driver':'null-co','node-name':'disc','size':943718400,'read-zeroes':true,"
             "'read-only':true}");
    g_assert_nonnull(test_add("{'driver':'virtio-scsi-pci','id':'s'}", NULL));
    g_assert_nonnull(test_add("{'driver':'scsi-hd','drive':'now','scsi-id':0,'serial':'abc'}",
                              NULL));
    g_assert_nonnull(test_add("{'driver':'scsi-hd','drive':'later','scsi-id':1}", NULL));
    g_assert_nonnull(test_add("{'driver':'scsi-cd','drive':'disc','scsi-id':2}", NULL));
    bus = SCSI_BUS(bus_find("s.0", TYPE_SCSI_BUS));
    room = g_malloc(MOST_DATA);
    return 0;
}

static void done(ScsiRequest *request)
{
    if (request->status == SCSI_CHECK_CONDITION && !(request->sense[2] & 0xf)) {
        g_assert_not_reached(); /* a failure says why */
    }
    g_assert_cmpuint(request->moved, <=, request->in_span.bytes + request->out_span.bytes);
    done_count++;
}

static void command(uint8_t where, uint8_t how, const uint8_t *cdb)
{
    unsigned lun = where >> 4 & 1, count = done_count;
    ScsiDevice *dev = scsi_bus_find(bus, 0, where % UNITS, lun);
    ScsiRequest request = { .done = done, .out_span = { 0, 0 }, .in_span = { 0, 0 } };
    uint64_t bytes = how & 0x40 ? how * 512 : how & 0x3f;
    DmaList list;

    memcpy(request.cdb, cdb, SCSI_CDB_BYTES);
    dma_list_init_host(&list, room, MOST_DATA);
    request.in = request.out = &list;
    (how & 0x80 ? &request.in_span : &request.out_span)->bytes = MIN(bytes, MOST_DATA);
    scsi_start(dev, lun, &request);
    if (where & 0x80) {
        scsi_device_reset(dev);
    }
    while (done_count == count) {
        event_loop_run_once(event_loop_main(), true);
    }
    g_assert_cmpuint(done_count, ==, count + 1);
    dma_list_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(room, size, 256);
    while (size >= 2 + SCSI_CDB_BYTES) {
        memcpy(room, data + 2, SCSI_CDB_BYTES); /* parameters that may mean something */
        if (size >= 2 * (2 + SCSI_CDB_BYTES) && data[0] & 0x40) {
            memcpy(room, data + 2 + SCSI_CDB_BYTES, 2 + SCSI_CDB_BYTES);
        }
        command(data[0], data[1], data + 2);
        data += 2 + SCSI_CDB_BYTES;
        size -= 2 + SCSI_CDB_BYTES;
    }
    return 0;
}
