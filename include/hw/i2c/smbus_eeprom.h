/*
 * Memory modules' serial presence detect: an EEPROM of 256 bytes per module on the SMBus, at
 * 0x50 and up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I2C_SMBUS_EEPROM_H
#define HW_I2C_SMBUS_EEPROM_H

#include "hw/i2c/i2c.h"

#define TYPE_SMBUS_EEPROM  "smbus-eeprom"
#define SMBUS_EEPROM_BYTES 256
#define SMBUS_SPD_ADDRESS  0x50
#define SMBUS_SPD_MODULES  8

typedef enum SpdMemory { SPD_SDR = 4, SPD_DDR = 7, SPD_DDR2 = 8 } SpdMemory;

/* What a module says of itself; sizes that its kind cannot have are brought to the next it can. */
void spd_fill(uint8_t spd[SMBUS_EEPROM_BYTES], SpdMemory kind, uint64_t bytes);
/* A realized chip that holds `content` (copied; NULL: erased). */
Device *smbus_eeprom_new(I2cBus *bus, uint8_t address, const uint8_t *content);
/* The eight modules boards have, of which the first tells of `bytes`. */
void smbus_eeprom_add_modules(I2cBus *bus, SpdMemory kind, uint64_t bytes);

#endif
