/*
 * CdDrive: a CD and DVD drive's tray, medium and commands (MMC-5, SPC-3), one for all that carry
 * them: ATAPI (hw/ide) and SCSI (hw/scsi). A command is decoded here and answered at once, but for
 * data of the medium, which the carrier reads as it can. Left out: audio, raw sectors, writing.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_CD_DRIVE_H
#define HW_CORE_CD_DRIVE_H

#include "block/block_backend.h"
#include "hw/core/scsi_cdb.h"
#include "hw/core/scsi_identity.h"
#include "hw/core/scsi_sense.h"

#define CD_BLOCK_BYTES 2048
#define CD_REPLY_BYTES 4096 /* at most */

/* MMC-5, table 284: of class "media". */
typedef enum CdMediaEvent {
    CD_NO_CHANGE, CD_EJECT_REQUEST, CD_NEW_MEDIUM, CD_MEDIUM_REMOVED
} CdMediaEvent;

typedef struct CdDrive {
    /* the carrier's */
    ScsiIdentity identity;
    int scsi_version;       /* INQUIRY's; 0: ATAPI */
    BlockBackend *backend;  /* clients learn of its tray; NULL: none */
    bool has_medium;        /* these change with cd_drive_changed() */
    uint64_t blocks;        /* of CD_BLOCK_BYTES */
    /* state */
    bool is_tray_open, is_tray_locked;
    bool has_new_medium;    /* a unit attention is pending */
    uint8_t media_event;    /* CdMediaEvent that GET EVENT STATUS NOTIFICATION tells next */
    ScsiSense sense;        /* of the last command, for a carrier that does not tell it at once */
} CdDrive;

typedef enum CdAnswer {
    CD_DONE,
    CD_FAILED, /* with the drive's sense */
    CD_DATA,   /* `bytes` of `data`, as many as the host wants */
    CD_READ,   /* `blocks` of the medium from `block` on */
} CdAnswer;

typedef struct CdReply {
    CdAnswer answer;
    uint8_t *data;          /* the carrier's, of CD_REPLY_BYTES */
    uint32_t bytes;
    uint64_t block, blocks;
} CdReply;

/* Of ATAPI's shorter commands the rest is 0. */
void cd_drive_execute(CdDrive *cd, const uint8_t cdb[SCSI_CDB_BYTES], CdReply *reply);

/* Is a mode page of `room` bytes, as a driver would like it, what it is? Nothing can be changed. */
bool cd_drive_has_page(const CdDrive *cd, const uint8_t *page, unsigned room);

/* For a table of saved state; `f` is a CdDrive. */
#define VM_CD_DRIVE(S, f)                                                                          \
    VM_U8(S, f.sense.key), VM_U8(S, f.sense.asc), VM_U8(S, f.sense.ascq),                          \
    VM_BOOL(S, f.is_tray_open), VM_BOOL(S, f.is_tray_locked), VM_BOOL(S, f.has_new_medium),        \
    VM_U8(S, f.media_event)

/* --- the host's side: what BlockDeviceOps ask of it --- */

/* Another medium or size; none is 0 bytes without a medium. */
void cd_drive_changed(CdDrive *cd, bool has_medium, uint64_t bytes);
void cd_drive_load(CdDrive *cd, bool is_loaded);
void cd_drive_eject_request(CdDrive *cd, bool is_forced);
/* The tray stays as it is, the lock goes. */
void cd_drive_reset(CdDrive *cd);

#endif
