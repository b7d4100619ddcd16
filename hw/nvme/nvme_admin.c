/*
 * Admin commands (chapter 5): queues, and where the others are. Left out: namespace management,
 * firmware, security, self-tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "hw/pci/msi.h"

#define MAX_QUEUE_SIZE 2048
#define CONTIGUOUS     1

static uint16_t invalid(void)
{
    return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
}

/* --- queues --- */

static uint16_t create_cq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t dword10 = nvme_dword(request, 10), dword11 = nvme_dword(request, 11);
    uint32_t id = dword10 & 0xffff, size = (dword10 >> 16) + 1, vector = dword11 >> 16;
    uint64_t addr = load_le64(request->command + 24);

    if (!id || id > nvme->max_pairs || nvme->cqs[id].size) {
        return NVME_INVALID_QID | NVME_DO_NOT_RETRY;
    }
    if (size < 2 || size > MAX_QUEUE_SIZE) {
        return NVME_INVALID_QUEUE_SIZE | NVME_DO_NOT_RETRY;
    }
    if (addr % 4096) {
        return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
    }
    if (msix_is_enabled(&nvme->parent) ? vector >= nvme->vectors : vector != 0) {
        return NVME_INVALID_VECTOR | NVME_DO_NOT_RETRY;
    }
    if (!(dword11 & CONTIGUOUS)) {
        return invalid();
    }
    nvme->cqs[id] = (NvmeCq){ .addr = addr, .size = size, .vector = vector, .phase = true,
                              .has_irq = dword11 & 2 };
    return NVME_SUCCESS;
}

static uint16_t create_sq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t dword10 = nvme_dword(request, 10), dword11 = nvme_dword(request, 11);
    uint32_t id = dword10 & 0xffff, size = (dword10 >> 16) + 1, cqid = dword11 >> 16;
    uint64_t addr = load_le64(request->command + 24);

    if (!cqid || cqid > nvme->max_pairs || !nvme->cqs[cqid].size) {
        return NVME_INVALID_CQID | NVME_DO_NOT_RETRY;
    }
    if (!id || id > nvme->max_pairs || nvme->sqs[id].size) {
        return NVME_INVALID_QID | NVME_DO_NOT_RETRY;
    }
    if (size < 2 || size > MAX_QUEUE_SIZE) {
        return NVME_INVALID_QUEUE_SIZE | NVME_DO_NOT_RETRY;
    }
    if (addr % 4096) {
        return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
    }
    if (!(dword11 & CONTIGUOUS)) {
        return invalid();
    }
    nvme->sqs[id] = (NvmeSq){ .addr = addr, .size = size, .cqid = cqid };
    return NVME_SUCCESS;
}

/* What is under way for the queue comes to its end before. */
static uint16_t delete_sq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t id = nvme_dword(request, 10) & 0xffff;

    if (!id || id > nvme->max_pairs || !nvme->sqs[id].size) {
        return NVME_INVALID_QID | NVME_DO_NOT_RETRY;
    }
    nvme->sqs[id].tail = nvme->sqs[id].head;
    for (unsigned n = 1; n <= NVME_NAMESPACES && nvme->sqs[id].in_flight; n++) {
        if (nvme->namespaces[n]) {
            block_backend_drain(nvme->namespaces[n]->conf.drive, true);
        }
    }
    nvme->sqs[id] = (NvmeSq){ 0 };
    return NVME_SUCCESS;
}

static uint16_t delete_cq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t id = nvme_dword(request, 10) & 0xffff;

    if (!id || id > nvme->max_pairs || !nvme->cqs[id].size) {
        return NVME_INVALID_CQID | NVME_DO_NOT_RETRY;
    }
    for (unsigned n = 1; n < NVME_QUEUES; n++) {
        if (nvme->sqs[n].size && nvme->sqs[n].cqid == id) {
            return NVME_INVALID_DELETION;
        }
    }
    if (nvme->cqs[id].vector < 32) {
        nvme->irq_status &= ~BIT(nvme->cqs[id].vector);
    }
    nvme->cqs[id] = (NvmeCq){ 0 };
    nvme_update_irq(nvme);
    return NVME_SUCCESS;
}

/* --- which there are --- */

/* There is nothing to take it from: it will complete. */
static uint16_t abort_command(NvmeRequest *request)
{
    request->result = 1;
    return NVME_SUCCESS;
}

static const struct {
    uint8_t op;
    uint32_t effects;
    uint16_t (*run)(NvmeRequest *request);
} commands[] = {
    { 0x00, NVME_SUPPORTED, delete_sq }, { 0x01, NVME_SUPPORTED, create_sq },
    { 0x02, NVME_SUPPORTED, nvme_get_log }, { 0x04, NVME_SUPPORTED, delete_cq },
    { 0x05, NVME_SUPPORTED, create_cq }, { 0x06, NVME_SUPPORTED, nvme_identify },
    { 0x08, NVME_SUPPORTED, abort_command }, { 0x09, NVME_SUPPORTED, nvme_set_features },
    { 0x0a, NVME_SUPPORTED, nvme_get_features }, { 0x0c, NVME_SUPPORTED, nvme_async_event },
    { 0x80, NVME_SUPPORTED | NVME_CHANGES_BLOCKS, nvme_format },
};

uint32_t nvme_admin_effects(uint8_t op)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].op == op) {
            return commands[i].effects;
        }
    }
    return 0;
}

uint16_t nvme_admin(NvmeRequest *request)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].op == request->command[0]) {
            return commands[i].run(request);
        }
    }
    return NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY;
}
