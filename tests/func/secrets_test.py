# SPDX-License-Identifier: GPL-2.0-or-later
"""Secrets as objects: what is accepted, what is refused, in the peer's words; and that the bytes are the right ones,
which a VNC client's password shows."""
import base64
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import house  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402
from vnc import Refused, Vnc  # noqa: E402

HAS_GNUTLS = os.environ.get('GNUTLS') == '1'
KEY = b'an example of a key, 32 bytes lo'
IV = base64.b64encode(bytes(range(16))).decode()
# printf pass8chr | openssl enc -aes-256-cbc -a -K $(printf 'an example...' | xxd -p -c 64) -iv 000102...0f
ENCRYPTED = 'gTFn6WLx9n1nxAJCugNR/g=='


class Secrets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, data):
        path = os.path.join(self.folder, 'file')
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def enters(self, password, *objects):
        """A client with a password at a server that has the secret `s` for it."""
        path = os.path.join(self.folder, 'vnc')
        with Vm(house.binary(), '-M', 'none', *(word for text in objects for word in ('-object', text)),
                '-vnc', f'unix:{path},password-secret=s') as vm:
            self.assertEqual(vm.qmp('query-vnc')['auth'], 'vnc')
            try:
                Vnc.unix(path, password=password).close()
                return True
            except Refused:
                return False

    def test_ways(self):
        words = base64.b64encode(b'pass8chr').decode()
        path = self.file(b'pass8chr')
        for text in ('data=pass8chr', f'data={words},format=base64', f'file={path}',
                     'file=' + path + ',format=raw'):
            self.assertTrue(self.enters('pass8chr', 'secret,id=s,' + text), text)
            self.assertFalse(self.enters('pass8chs', 'secret,id=s,' + text), text)
        self.file(words.encode() + b'\n')
        self.assertTrue(self.enters('pass8chr', f'secret,id=s,file={path},format=base64'))

    def test_encrypted(self):
        key = 'secret,id=key,format=base64,data=' + base64.b64encode(KEY).decode()
        secret = f'secret,id=s,keyid=key,iv={IV},format=base64,data={ENCRYPTED}'
        if not HAS_GNUTLS:
            self.assertIn('built without GnuTLS',
                          refusal(house.binary(), '-M', 'none', '-object', key, '-object', secret))
            self.skipTest('built without GnuTLS, nothing can be decrypted')
        self.assertTrue(self.enters('pass8chr', key, secret))
        self.assertFalse(self.enters('pass8chs', key, secret))
        raw = self.file(base64.b64decode(ENCRYPTED))
        self.assertTrue(self.enters('pass8chr', key, f'secret,id=s,keyid=key,iv={IV},file={raw}'))

    def script(self, binary):
        """What objects are made of, and what is said of others."""
        rows = [
            {}, {'data': 'x', 'file': '/x'}, {'file': '/nonexistent'}, {'file': self.file(b'a\0b')},
            {'data': '!!!', 'format': 'base64'}, {'data': 'YWJj', 'format': 'hex'}, {'data': ''},
            {'data': '', 'format': 'base64'}, {'data': 'YW\nJj', 'format': 'base64'},
            {'data': 'YWJj', 'keyid': 'none'}, {'data': 'YWJj', 'keyid': 'key'},
            {'data': 'YWJj', 'keyid': 'key', 'iv': 'AAAA'}, {'data': 'YWJj', 'keyid': 'key', 'iv': '!'},
            {'data': 'YWJj', 'keyid': 'key', 'iv': IV}, {'data': 'YWJj', 'keyid': 'short', 'iv': IV},
            {'data': 'abc', 'iv': 'not looked at'}, {'data': 'x', 'loaded': True}]
        if HAS_GNUTLS:
            rows.append({'data': base64.b64encode(bytes(16)).decode(), 'format': 'base64', 'keyid': 'key',
                         'iv': IV})
        got = []
        with Vm(binary, '-M', 'none', '-object', f'secret,id=key,data={KEY.decode().replace(",", ",,")}',
                '-object', 'secret,id=short,data=abc') as vm:
            for n, row in enumerate(rows + [{'qom-type': 'secret_keyring', 'serial': 0x7ffffffe},
                                            {'qom-type': 'secret_keyring'}]):
                try:
                    got.append(vm.qmp.run('object-add', {'qom-type': 'secret', 'id': f's{n}', **row}))
                except QmpError as error:
                    got.append(error.desc)
            got += [vm.qmp('qom-get', path='/objects/key', property=name)
                    for name in ('data', 'format', 'keyid', 'loaded', 'iv', 'file')]
            vm.qmp('object-del', id='key')
        return got

    def test_words(self):
        ours = self.script(house.binary())
        self.assertIn("Either 'file' or 'data' must be provided", ours)
        self.assertIn("No secret with id 'none'", ours)
        if house.peer():
            self.assertEqual(ours, self.script(house.peer()))

    def test_vnc(self):
        for arguments, words in (
                (('-object', 'secret,id=s,data=x', '-vnc', 'none,password-secret=s,password=on'),
                 "'password' flag is redundant with 'password-secret'"),
                (('-object', f'secret,id=s,file={self.file(bytes([0xff]))}', '-vnc',
                  'none,password-secret=s'), 'Data from secret s is not valid UTF-8'),
                (('-object', 'rng-builtin,id=s', '-vnc', 'none,password-secret=s'), "No secret with id 's'")):
            self.assertIn(words, refusal(house.binary(), '-M', 'none', *arguments))
        path = os.path.join(self.folder, 'vnc')
        with Vm(house.binary(), '-M', 'none', '-object', 'secret,id=s,data=first', '-vnc',
                f'unix:{path},password-secret=s') as vm:
            vm.qmp('object-del', id='s')  # it was read
            Vnc.unix(path, password='first').close()
            vm.qmp('set_password', protocol='vnc', password='second')
            with self.assertRaises(Refused):
                Vnc.unix(path, password='first')
            Vnc.unix(path, password='second').close()


if __name__ == '__main__':
    house.main()
