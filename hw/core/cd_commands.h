/*
 * What the commands of a CdDrive share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_CD_COMMANDS_H
#define HW_CORE_CD_COMMANDS_H

#include "hw/core/cd_drive.h"

typedef struct CdCommand {
    CdDrive *cd;
    const uint8_t *cdb;
    CdReply *reply;
} CdCommand;

/* The reply's bytes, all 0. */
uint8_t *cd_blank(const CdCommand *command);
void cd_answer(const CdCommand *command, uint32_t bytes, uint32_t allocated);
void cd_fail(const CdCommand *command, ScsiSense sense);

/* cd_disc.c: what a disc, and the drive of it, say of themselves. */
void cd_read_toc(const CdCommand *command);
void cd_read_disc_information(const CdCommand *command);
void cd_read_dvd_structure(const CdCommand *command);
void cd_get_configuration(const CdCommand *command);

#endif
