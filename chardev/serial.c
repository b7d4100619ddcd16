/*
 * chardev-serial: a serial line of the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "chardev/fd.h"
#include "util/fdset.h"

static const struct {
    unsigned bps;
    speed_t code;
} speeds[] = {
    { 50, B50 }, { 75, B75 }, { 110, B110 }, { 134, B134 }, { 150, B150 }, { 200, B200 },
    { 300, B300 }, { 600, B600 }, { 1200, B1200 }, { 1800, B1800 }, { 2400, B2400 },
    { 4800, B4800 }, { 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 }, { 57600, B57600 },
    { 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 }, { 500000, B500000 },
    { 576000, B576000 }, { 921600, B921600 }, { 1000000, B1000000 }, { 1152000, B1152000 },
    { 1500000, B1500000 }, { 2000000, B2000000 }, { 2500000, B2500000 }, { 3000000, B3000000 },
    { 3500000, B3500000 }, { 4000000, B4000000 },
};

static const struct {
    unsigned ours;
    int host;
} modem_lines[] = {
    { CHAR_MODEM_CTS, TIOCM_CTS }, { CHAR_MODEM_CAR, TIOCM_CAR }, { CHAR_MODEM_DSR, TIOCM_DSR },
    { CHAR_MODEM_RI, TIOCM_RI }, { CHAR_MODEM_DTR, TIOCM_DTR }, { CHAR_MODEM_RTS, TIOCM_RTS },
};

/* The fastest that is not above. */
static speed_t speed_code(unsigned bps)
{
    speed_t code = speeds[0].code;

    for (size_t i = 0; i < ARRAY_SIZE(speeds) && speeds[i].bps <= bps; i++) {
        code = speeds[i].code;
    }
    return code;
}

static bool serial_set(Chardev *chr, const CharSerialParams *params)
{
    static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
    struct termios modes;
    int fd = CHAR_FD(chr)->in;

    if (tcgetattr(fd, &modes) < 0) {
        return false;
    }
    cfmakeraw(&modes);
    cfsetispeed(&modes, speed_code(params->speed_bps));
    cfsetospeed(&modes, speed_code(params->speed_bps));
    modes.c_cflag &= ~(CSTOPB | CSIZE | PARENB | PARODD);
    modes.c_cflag |= sizes[CLAMP(params->data_bits, 5, 8) - 5];
    modes.c_cflag |= params->stop_bits == 2 ? CSTOPB : 0;
    modes.c_cflag |= params->parity == 'E' ? PARENB : params->parity == 'O' ? PARENB | PARODD : 0;
    return tcsetattr(fd, TCSANOW, &modes) == 0;
}

static bool serial_break(Chardev *chr, bool is_on)
{
    return ioctl(CHAR_FD(chr)->in, is_on ? TIOCSBRK : TIOCCBRK) == 0;
}

static bool serial_get_modem(Chardev *chr, unsigned *lines)
{
    int host;

    if (ioctl(CHAR_FD(chr)->in, TIOCMGET, &host) < 0) {
        return false;
    }
    *lines = 0;
    for (size_t i = 0; i < ARRAY_SIZE(modem_lines); i++) {
        *lines |= host & modem_lines[i].host ? modem_lines[i].ours : 0;
    }
    return true;
}

static bool serial_set_modem(Chardev *chr, unsigned lines)
{
    int host;

    if (ioctl(CHAR_FD(chr)->in, TIOCMGET, &host) < 0) {
        return false;
    }
    host &= ~(TIOCM_DTR | TIOCM_RTS);
    host |= lines & CHAR_MODEM_DTR ? TIOCM_DTR : 0;
    host |= lines & CHAR_MODEM_RTS ? TIOCM_RTS : 0;
    return ioctl(CHAR_FD(chr)->in, TIOCMSET, &host) == 0;
}

static bool serial_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    static const CharSerialParams usual = { 115200, 'N', 8, 1 };
    const char *path = backend->u.serial.data->device;
    int fd = fdset_open_path(path, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);

    if (fd < 0) {
        return error_set_errno(errp, errno, "Could not open '%s'", path);
    }
    char_fd_start(CHAR_FD(chr), fd, fd);
    serial_set(chr, &usual);
    return true;
}

const ChardevType chardev_serial_type = {
    .name = TYPE_CHARDEV_SERIAL,
    .doc = "A serial line of the host",
    .parent = TYPE_CHARDEV_FD,
    .open = serial_open,
    .set_serial = serial_set,
    .set_break = serial_break,
    .get_modem = serial_get_modem,
    .set_modem = serial_set_modem,
};
OBJECT_TYPE(chardev_serial_type)
