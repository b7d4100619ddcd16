#!/usr/bin/env python3
"""demo.py BINARY: starts a machine without a board and talks to it over QMP and qtest, shown as it
goes over the wire. Ends with status 1 at the first answer that is not right.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import socket
import subprocess
import sys
import tempfile

TIMEOUT_S = 60
RAM_AT = 0x1000
PATTERN = '0x54616e64656d2121'


def show(text):
    print(text, flush=True)


class Listener:
    """A socket the emulator connects to, read by lines."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.settimeout(0.5)
        self.listener.bind(self.path)
        self.listener.listen()
        self.file = None

    def accept(self, process):
        """Waits for the emulator as long as it lives."""
        while True:
            try:
                connection, _ = self.listener.accept()
                break
            except TimeoutError:
                if process.poll() is not None:
                    sys.exit(f'demo: the emulator ended with status {process.returncode}')
        connection.settimeout(TIMEOUT_S)
        self.file = connection.makefile('rw', encoding='utf-8', newline='\n')

    def send(self, text):
        show(f'-> {text}')
        self.file.write(text + '\n')
        self.file.flush()

    def line(self):
        text = self.file.readline()
        if not text:
            sys.exit('demo: the emulator closed the connection')
        return text.rstrip('\r\n')


class Qmp(Listener):
    def message(self):
        text = self.line()
        show(f'<- {text if len(text) < 400 else text[:400] + "..."}')
        return json.loads(text)

    def reply(self):
        """The next message that is no event."""
        while True:
            message = self.message()
            if 'error' in message:
                sys.exit(f"demo: refused: {message['error']['desc']}")
            if 'return' in message:
                return message['return']

    def execute(self, command, **arguments):
        request = {'execute': command}
        if arguments:
            request['arguments'] = {name.replace('_', '-'): value
                                    for name, value in arguments.items()}
        self.send(json.dumps(request))
        return self.reply()

    def monitor(self, line):
        """A line of the text monitor; its answer is printed as it is."""
        request = {'execute': 'human-monitor-command', 'arguments': {'command-line': line}}
        self.file.write(json.dumps(request) + '\n')
        self.file.flush()
        show(f'(qemu) {line}')
        answer = json.loads(self.line())
        if 'error' in answer:
            sys.exit(f"demo: refused: {answer['error']['desc']}")
        show(answer['return'].replace('\r', ''))
        return answer['return']


class Qtest(Listener):
    def command(self, text):
        self.send(text)
        answer = self.line()
        show(f'<- {answer}')
        if answer.split()[0] != 'OK':
            sys.exit(f'demo: refused: {answer}')
        return answer.split()[1:]


def expect(what, is_true):
    if not is_true:
        sys.exit(f'demo: {what}')


def talk(qmp, qtest):
    show('\n# QMP: who is there')
    expect('no QMP greeting', 'QMP' in qmp.message())
    qmp.execute('qmp_capabilities')
    qmp.execute('query-version')
    expect('the machine does not run', qmp.execute('query-status')['running'])
    qmp.execute('query-target')

    show('\n# QMP: make an object, read one of its properties, delete it')
    qmp.execute('object-add', qom_type='memory-backend-ram', id='extra', size=1 << 20)
    size = qmp.execute('qom-get', path='/objects/extra', property='size')
    expect('the object has another size', size == 1 << 20)
    qmp.execute('object-del', id='extra')

    show('\n# qtest: guest memory, written and read back')
    qtest.command(f'write {RAM_AT:#x} 8 {PATTERN}')
    expect('memory reads back as something else',
           qtest.command(f'read {RAM_AT:#x} 8') == [PATTERN])
    value = int(qtest.command(f'readl {RAM_AT:#x}')[0], 16)
    expect('a word reads back as something else', value == 0x646e6154)

    show('\n# the text monitor: the memory map')
    expect('no RAM in the memory map', 'ram' in qmp.monitor('info mtree -f'))

    show('# the text monitor: the tree of objects')
    expect('the tree does not begin at the machine',
           qmp.monitor('info qom-tree').startswith('/machine (none-machine)'))

    show('# QMP: good bye')
    qmp.execute('quit')


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        qmp, qtest = Qmp(folder, 'qmp'), Qtest(folder, 'qtest')
        command = [binary, '-machine', 'none,accel=qtest', '-m', '64M',
                   '-nodefaults', '-display', 'none', '-qmp', f'unix:{qmp.path}',
                   '-qtest', f'unix:{qtest.path}', '-qtest-log', '/dev/null']
        show('$ ' + ' '.join(command).replace(folder, '.'))
        with subprocess.Popen(command) as process:
            try:
                qtest.accept(process)
                qmp.accept(process)
                talk(qmp, qtest)
                status = process.wait(TIMEOUT_S)
            finally:
                if process.poll() is None:
                    process.kill()
        expect(f'the emulator ended with status {status}', status == 0)
    show('\nThe emulator ended by itself, with status 0.')


if __name__ == '__main__':
    main()
