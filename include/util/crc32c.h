/*
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as in iSCSI (RFC 3720, appendix B.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_CRC32C_H
#define UTIL_CRC32C_H

/* Of `crc`'s bytes (0: none) followed by these. Any thread. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);
/* The same without the host's instruction, for hosts that lack it. */
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t size);

#endif
