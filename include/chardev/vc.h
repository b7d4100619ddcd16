/*
 * Text consoles (chardev-vc), as a display shows them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_VC_H
#define CHARDEV_VC_H

#include "chardev/chardev.h"

typedef struct ChardevVcPicture {
    unsigned cols, rows;
    unsigned x, y;       /* of the cursor */
    uint16_t *cells;     /* rows * cols: ASCII, a VGA's colours in the high byte; free it */
} ChardevVcPicture;

/* In order of making; NULL: there are not so many. Machine lock. */
Chardev *chardev_vc_nth(unsigned n);
/* Of a vc; any thread. */
ChardevVcPicture chardev_vc_picture(Chardev *vc);
/* As though a user typed them there; what the front end has no room for is lost. Main loop. */
void chardev_vc_input(Chardev *vc, const uint8_t *bytes, size_t size);
/* Whose screens they are: called, in any thread, when something was written or one is gone. NULL:
 * nobody's. */
void chardev_vc_set_watcher(void (*changed)(void));

#endif
