/*
 * VNC: what a client's thread is made of. Nothing here is seen by the main loop.
 *
 * LibVNCServer knows the messages of a connection and encodes pixels. It has a screen for each
 * connection here, so that its threads share nothing and one slow client is nobody else's delay.
 * It is made on a socket that leads nowhere and then given the real one: greeting, passwords and
 * who may be there with whom are this server's own (vnc_greeting.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_VNC_RFB_H
#define UI_VNC_RFB_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "ui/vnc_parts.h"

typedef struct VncSession {
    VncClient *client;
    rfbScreenInfoPtr screen;
    rfbClientPtr rfb;
    uint32_t *pixels;     /* what LibVNCServer reads; as large as the screen */
    /* what the client asked for (vnc_extensions.c) */
    bool wants_leds, wants_pointer_kind;
    bool has_state_news;
    unsigned leds;
    bool is_absolute;
} VncSession;

static inline VncSession *vnc_session(rfbClientPtr rfb)
{
    return rfb->clientData;
}

/* Are there bytes from the client, or its end? If not, and it may, it waits for them or for news. */
bool vnc_session_wait(VncSession *session, bool may_block);
/* vnc_greeting.c: from the first byte to the last before messages. False: end it. */
bool vnc_session_greet(VncSession *session);
/* vnc_extensions.c: what QEMU added to the protocol. */
void vnc_extensions_register(void);
void vnc_extensions_end(rfbClientPtr rfb);
bool vnc_session_send_state(VncSession *session);

#endif
