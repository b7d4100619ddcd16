# SPDX-License-Identifier: GPL-2.0-or-later
"""Headless Chromium, driven by its DevTools protocol over two pipes, and a folder served to it over HTTP.

    with served(folder) as address, Browser() as page:
        page.open(f'{address}/index.html')
        page.run('document.title')
"""
import base64
import contextlib
import functools
import http.server
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading

PROGRAMS = ('chromium-headless-shell', 'chromium')
TIMEOUT = 300  # seconds of a page's life
# What a 2D canvas shows, as RGB; null while there is none.
CANVAS = '''(() => {
    const canvas = document.querySelector('canvas');
    if (!canvas || !canvas.width || !canvas.height) { return null; }
    const rgba = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let text = '';
    for (let at = 0; at < rgba.length; at += 32768) {
        text += String.fromCharCode(...rgba.subarray(at, at + 32768));
    }
    return [canvas.width, canvas.height, btoa(text)];
})()'''


def program():
    """The browser, or None where none is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing, also when the browser leaves while it is sent something."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        with contextlib.suppress(ConnectionError):
            super().do_GET()


@contextlib.contextmanager
def served(folder):
    """The folder on a port of the loopback interface."""
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_address[1]}'
        finally:
            server.shutdown()
            thread.join()


class BrowserError(Exception):
    pass


class Browser:
    """One page. The pipes are file 3 and 4 of the process; messages on them end with a zero byte."""

    def __init__(self, width=1280, height=1024):
        self.folder = tempfile.TemporaryDirectory(prefix='browser-', ignore_cleanup_errors=True)
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        argv = [program(), '--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe',
                '--disable-dev-shm-usage', f'--user-data-dir={self.folder.name}', '--no-first-run',
                '--no-proxy-server', '--disable-background-networking', f'--window-size={width},{height}',
                'about:blank']
        # By way of 10 and up, for one of ours may be the other's number.
        self.process = subprocess.Popen(
            ['bash', '-c', f'exec 10<&{theirs_in} 11>&{theirs_out} 3<&10 4>&11 10<&- 11>&-; exec "$@"', 'bash',
             *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out), start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self.reader, self.writer = os.fdopen(ours_in, 'rb', 0), os.fdopen(ours_out, 'wb', 0)
        self.watch = threading.Timer(TIMEOUT, self.process.kill)
        self.watch.start()
        self.numbers, self.rest, self.session = itertools.count(1), b'', None
        target = next(t for t in self.call('Target.getTargets')['targetInfos'] if t['type'] == 'page')
        self.session = self.call('Target.attachToTarget', targetId=target['targetId'],
                                 flatten=True)['sessionId']

    def message(self):
        while b'\0' not in self.rest:
            got = self.reader.read(1 << 20)
            if not got:
                raise BrowserError('the browser is gone')
            self.rest += got
        text, self.rest = self.rest.split(b'\0', 1)
        return json.loads(text)

    def call(self, method, **params):
        number = next(self.numbers)
        message = {'id': number, 'method': method, 'params': params}
        if self.session:
            message['sessionId'] = self.session
        self.writer.write(json.dumps(message).encode() + b'\0')
        while True:
            answer = self.message()
            if answer.get('id') == number:
                break
        if 'error' in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer['result']

    def open(self, address):
        self.call('Page.navigate', url=address)

    def run(self, script):
        """The script's value, awaited if it is a promise."""
        answer = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            raise BrowserError(json.dumps(answer['exceptionDetails']))
        return answer['result'].get('value')

    def wait(self, script):
        """Until the script's value is a true one."""
        while not (value := self.run(script)):
            self.frame()
        return value

    def frame(self):
        """The page has drawn once more."""
        self.run('new Promise(done => requestAnimationFrame(() => done(1)))')

    def canvas(self):
        """(width, height, RGB) of the page's first canvas."""
        width, height, text = self.wait(CANVAS)
        rgba = base64.b64decode(text)
        rgb = bytearray(width * height * 3)
        for n in range(3):
            rgb[n::3] = rgba[n::4]
        return width, height, bytes(rgb)

    def key(self, code, key, down, number=0):
        """A key by its place (`KeyA`), and what it stands for (`a`); number: Windows' of it."""
        self.call('Input.dispatchKeyEvent', type='keyDown' if down else 'keyUp', code=code, key=key,
                  windowsVirtualKeyCode=number)

    def mouse(self, kind, x, y, button='none', buttons=0):
        """`mouseMoved`, `mousePressed`, `mouseReleased` at a place of the window."""
        self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button=button, buttons=buttons,
                  clickCount=1)

    def resize(self, width, height):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1,
                  mobile=False)

    def close(self):
        self.watch.cancel()
        self.session = None
        with contextlib.suppress(OSError, BrowserError):
            self.call('Browser.close')
        self.process.wait()
        self.reader.close()
        self.writer.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
