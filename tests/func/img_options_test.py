# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu-img option by option beside the peer's: the same words in, the same exit status, text and images out.

Every case is a line of words for both programs, which begin with equal images in folders of their own.
"""
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

OURS = os.path.join(os.environ['BINARIES'], 'qemu-img')
PEER = '/usr/bin/qemu-img'
KIB, MIB = 1 << 10, 1 << 20

# What both have from the beginning, made by ours.
FIXTURES = '''
create -q -f qcow2 base.qcow2 4M
create -q -f qcow2 -b base.qcow2 -F qcow2 mid.qcow2
create -q -f qcow2 -b mid.qcow2 -F qcow2 top.qcow2 5M
convert -q -O qcow2 a.raw a.qcow2
convert -q -O qcow2 -o compat=0.10 a.raw v2.qcow2
convert -q -O qcow2 -o extended_l2=on,cluster_size=16k a.raw sub.qcow2
convert -q -c -O qcow2 a.raw packed.qcow2
create -q -f qcow2 -o data_file=ext.raw,data_file_raw=on ext.qcow2 1M
snapshot -c first a.qcow2
convert -q -O qcow2 a.raw marks.qcow2
bitmap --add marks.qcow2 b0
bitmap --add --disable -g 4k marks.qcow2 b1
create -q -f qcow2 -b nowhere.qcow2 -F qcow2 -u orphan.qcow2 1M
create -q -f qcow2 e.qcow2 4M
create -q -f qcow2 small.qcow2 1M
create -q -f raw e.raw 4M
convert -n -O qcow2 e.raw e.qcow2
'''

CASES = {
    'create': '''
        create
        create x.raw
        create x.raw 1M
        create -f raw x.raw 1M
        create -q -f raw x.raw 1M
        create -f raw x.raw 1000
        create -f raw x.raw 0
        create -f raw x.raw -1
        create -f raw x.raw 1X
        create -f raw x.raw 1M extra
        create -f raw x.raw 9E
        create -f nope x.raw 1M
        create -f qcow2 x.qcow2 1M
        create -f qcow2 x.qcow2 1.5M
        create -f qcow2 x.qcow2
        create -f qcow2 x.qcow2 1k
        create -f qcow2 -o cluster_size=4k x.qcow2 1M
        create -f qcow2 -o cluster_size=3k x.qcow2 1M
        create -f qcow2 -o cluster_size=256 x.qcow2 1M
        create -f qcow2 -o cluster_size=4M x.qcow2 1M
        create -f qcow2 -o refcount_bits=3 x.qcow2 1M
        create -f qcow2 -o refcount_bits=64 x.qcow2 1M
        create -f qcow2 -o compat=0.10,refcount_bits=1 x.qcow2 1M
        create -f qcow2 -o compat=0.10,lazy_refcounts=on x.qcow2 1M
        create -f qcow2 -o compat=0.42 x.qcow2 1M
        create -f qcow2 -o compat=v3 x.qcow2 1M
        create -f qcow2 -o extended_l2=on x.qcow2 1M
        create -f qcow2 -o extended_l2=on,cluster_size=4k x.qcow2 1M
        create -f qcow2 -o compression_type=zstd x.qcow2 1M
        create -f qcow2 -o compression_type=lz4 x.qcow2 1M
        create -f qcow2 -o preallocation=metadata x.qcow2 1M
        create -f qcow2 -o preallocation=falloc x.qcow2 1M
        create -f qcow2 -o preallocation=full x.qcow2 1M
        create -f qcow2 -o preallocation=some x.qcow2 1M
        create -f qcow2 -o data_file=d.raw x.qcow2 1M
        create -f qcow2 -o data_file=d.raw,data_file_raw=on x.qcow2 1M
        create -f qcow2 -o data_file_raw=on x.qcow2 1M
        create -f qcow2 -o size=1M x.qcow2
        create -f qcow2 -o size=1M x.qcow2 2M
        create -f qcow2 -o nothing=1 x.qcow2 1M
        create -f raw -o preallocation=full x.raw 1M
        create -f raw -o preallocation=falloc x.raw 1M
        create -f raw -o preallocation=metadata x.raw 1M
        create -f raw -o cluster_size=4k x.raw 1M
        create -f qcow2 -b base.qcow2 -F qcow2 x.qcow2
        create -f qcow2 -b base.qcow2 x.qcow2
        create -f qcow2 -b base.qcow2 -F raw x.qcow2
        create -f qcow2 -b base.qcow2 -F nope x.qcow2
        create -f qcow2 -b nowhere -F qcow2 x.qcow2
        create -f qcow2 -b nowhere -F qcow2 -u x.qcow2
        create -f qcow2 -b nowhere -F qcow2 -u x.qcow2 1M
        create -f qcow2 -b base.qcow2 -F qcow2 x.qcow2 8M
        create -f qcow2 -o backing_file=base.qcow2,backing_fmt=qcow2 x.qcow2
        create -f qcow2 -F qcow2 x.qcow2 1M
        create -f raw -b base.qcow2 -F qcow2 x.raw 1M
        create -f qcow2 -b x.qcow2 -F qcow2 x.qcow2 1M
        create -f qcow2 /none/x.qcow2 1M
        create --nothing x.qcow2
        create -f
        create -f qcow2 x.qcow2 64E
    ''',
    'info': '''
        info
        info a.qcow2 b
        info nowhere
        info a.raw
        info a.qcow2
        info v2.qcow2
        info sub.qcow2
        info top.qcow2
        info ext.qcow2
        info orphan.qcow2
        info packed.qcow2
        info marks.qcow2
        info --output=json marks.qcow2
        info -f raw a.qcow2
        info -f qcow2 a.raw
        info -f nope a.raw
        info --output=json a.qcow2
        info --output=human a.qcow2
        info --output=xml a.qcow2
        info --backing-chain top.qcow2
        info --backing-chain --output=json top.qcow2
        info --backing-chain orphan.qcow2
        info -U a.qcow2
        info --force-share --output json top.qcow2
        info --image-opts driver=qcow2,file.filename=a.qcow2
        info --image-opts driver=qcow2,file.driver=file,file.filename=a.qcow2
        info --image-opts file.filename=a.qcow2
        info --image-opts filename=a.qcow2
        info --image-opts -f qcow2 file.filename=a.qcow2
        info json:{"driver":"qcow2","file":{"driver":"file","filename":"a.qcow2"}}
        info null-co://
    ''',
    'check': '''
        check
        check a.qcow2
        check -q a.qcow2
        check a.raw
        check -f raw a.raw
        check top.qcow2
        check --output=json a.qcow2
        check --output json packed.qcow2
        check -f qcow2 a.raw
        check -r
        check -r some a.qcow2
        check -r leaks a.qcow2
        check -r all a.qcow2
        check marks.qcow2
        check -r all marks.qcow2
        check -T none a.qcow2
        check -T sometimes a.qcow2
        check -U a.qcow2
        check --image-opts driver=qcow2,file.filename=a.qcow2
        check nowhere
        check leak.qcow2
        check --output=json leak.qcow2
        check -q leak.qcow2
        check -r leaks leak.qcow2
        check -r all leak.qcow2
        check -r all --output=json leak.qcow2
        check bad.qcow2
        check --output=json bad.qcow2
    ''',
    'map': '''
        map
        map a.qcow2
        map a.raw
        map top.qcow2
        map packed.qcow2
        map e.raw
        map --output=json e.raw
        map --output=json a.qcow2
        map --output=json top.qcow2
        map --output=json sub.qcow2
        map --output=json v2.qcow2
        map --output=json ext.qcow2
        map --output=json --start-offset=1M a.qcow2
        map --output=json -s 1M -l 64k a.qcow2
        map --output=json --max-length=100k a.qcow2
        map --start-offset=64M --output=json a.qcow2
        map --start-offset=x a.qcow2
        map --max-length=x a.qcow2
        map -U --output=json a.qcow2
        map -f raw --output=json a.raw
        map --image-opts --output=json driver=qcow2,file.filename=a.qcow2
        map nowhere
        map --output=none a.qcow2
    ''',
    'compare': '''
        compare
        compare a.raw
        compare a.raw a.qcow2 v2.qcow2
        compare a.raw a.qcow2
        compare -q a.raw a.qcow2
        compare -p a.raw a.qcow2
        compare -s a.raw a.qcow2
        compare -s e.raw e.qcow2
        compare -f raw -F qcow2 a.raw a.qcow2
        compare -f qcow2 a.raw a.qcow2
        compare -F nope a.raw a.qcow2
        compare a.raw e.raw
        compare e.raw a.raw
        compare -q a.raw e.raw
        compare e.qcow2 e.raw
        compare small.qcow2 e.qcow2
        compare -s small.qcow2 e.qcow2
        compare e.qcow2 small.qcow2
        compare -T none a.raw a.qcow2
        compare -T sometimes a.raw a.qcow2
        compare -U a.raw a.qcow2
        compare a.raw nowhere
        compare nowhere a.raw
        compare top.qcow2 base.qcow2
        compare --image-opts driver=raw,file.filename=a.raw driver=qcow2,file.filename=a.qcow2
        compare packed.qcow2 sub.qcow2
    ''',
    'convert': '''
        convert
        convert a.raw
        convert a.raw x.raw
        convert -O qcow2 a.raw x.qcow2
        convert -p -O qcow2 a.raw x.qcow2
        convert -q -O qcow2 a.raw x.qcow2
        convert -O raw a.qcow2 x.raw
        convert -f qcow2 -O raw a.qcow2 x.raw
        convert -f raw -O raw a.qcow2 x.raw
        convert -f qcow2 a.raw x.raw
        convert -f nope a.raw x.raw
        convert -O nope a.raw x.raw
        convert -c -O qcow2 a.raw x.qcow2
        convert -c -O raw a.raw x.raw
        convert -c -O qcow2 -o compression_type=zstd,cluster_size=4k a.raw x.qcow2
        convert -c -S 4k -O qcow2 a.raw x.qcow2
        convert -C -O raw a.raw x.raw
        convert -C -O qcow2 a.raw x.qcow2
        convert -C -O raw a.qcow2 x.raw
        convert -C -S 4k -O raw a.raw x.raw
        convert -C -c -O qcow2 a.raw x.qcow2
        convert -n a.raw x.raw
        convert -n -O raw a.raw e.raw
        convert -n -O qcow2 a.raw e.qcow2
        convert -n -O qcow2 e.raw small.qcow2
        convert -n -O raw small.qcow2 a.raw
        convert -n --target-is-zero -O qcow2 a.raw e.qcow2
        convert --target-is-zero -O qcow2 a.raw x.qcow2
        convert -n --target-is-zero -O raw a.raw e.raw
        convert -n -o cluster_size=4k -O qcow2 a.raw e.qcow2
        convert -n -B base.qcow2 -O qcow2 a.raw e.qcow2
        convert -m 1 -O qcow2 a.raw x.qcow2
        convert -m 16 -O qcow2 a.raw x.qcow2
        convert -m 0 -O qcow2 a.raw x.qcow2
        convert -m 17 -O qcow2 a.raw x.qcow2
        convert -m x -O qcow2 a.raw x.qcow2
        convert -W -O qcow2 a.raw x.qcow2
        convert -W -m 16 -O raw a.qcow2 x.raw
        convert -S 0 -O raw e.raw x.raw
        convert -S 0 -O qcow2 e.raw x.qcow2
        convert -S 4k -O raw a.raw x.raw
        convert -S 64k -O qcow2 a.raw x.qcow2
        convert -S 1000 -O raw a.raw x.raw
        convert -S 32M -O raw a.raw x.raw
        convert -S x -O raw a.raw x.raw
        convert -r 100M -O raw a.raw x.raw
        convert -r x -O raw a.raw x.raw
        convert -t none -O raw a.raw x.raw
        convert -t directsync -O qcow2 a.raw x.qcow2
        convert -t writethrough -O qcow2 a.raw x.qcow2
        convert -T none -O raw a.raw x.raw
        convert -T sometimes -O raw a.raw x.raw
        convert -U -O raw a.raw x.raw
        convert --salvage -O raw a.raw x.raw
        convert --salvage -C -O raw a.raw x.raw
        convert -B base.qcow2 -F qcow2 -O qcow2 top.qcow2 x.qcow2
        convert -B base.qcow2 -O qcow2 top.qcow2 x.qcow2
        convert -F qcow2 -O qcow2 top.qcow2 x.qcow2
        convert -B base.qcow2 -F qcow2 -O raw top.qcow2 x.raw
        convert -B nowhere -F qcow2 -O qcow2 top.qcow2 x.qcow2
        convert -B base.qcow2 -F qcow2 -O qcow2 top.qcow2 e.raw x.qcow2
        convert -o backing_file=base.qcow2,backing_fmt=qcow2 -O qcow2 top.qcow2 x.qcow2
        convert -l first -O raw a.qcow2 x.raw
        convert -l snapshot.name=first -O raw a.qcow2 x.raw
        convert -l snapshot.id=1 -O raw a.qcow2 x.raw
        convert -l snapshot.id=9 -O raw a.qcow2 x.raw
        convert -l none -O raw a.qcow2 x.raw
        convert -l first -O raw a.raw x.raw
        convert -l first -O raw a.qcow2 e.raw x.raw
        convert -o cluster_size=4k,refcount_bits=1 -O qcow2 a.raw x.qcow2
        convert -o cluster_size=3k -O qcow2 a.raw x.qcow2
        convert -o preallocation=full -O qcow2 a.raw x.qcow2
        convert -o size=8M -O qcow2 a.raw x.qcow2
        convert -o size=1M -O qcow2 a.raw x.qcow2
        convert -o data_file=d.raw -O qcow2 a.raw x.qcow2
        convert -O qcow2 a.raw e.raw x.qcow2
        convert -O raw small.qcow2 a.qcow2 e.raw x.raw
        convert --image-opts -O raw driver=qcow2,file.filename=a.qcow2 x.raw
        convert --image-opts -f qcow2 -O raw driver=qcow2,file.filename=a.qcow2 x.raw
        convert --target-image-opts -n a.raw driver=qcow2,file.filename=e.qcow2
        convert --target-image-opts a.raw driver=qcow2,file.filename=e.qcow2
        convert --target-image-opts -n -O qcow2 a.raw driver=qcow2,file.filename=e.qcow2
        convert --bitmaps -O qcow2 marks.qcow2 x.qcow2
        convert --bitmaps -O qcow2 a.raw x.qcow2
        convert --bitmaps -O qcow2 marks.qcow2 e.raw x.qcow2
        convert --skip-broken-bitmaps -O qcow2 a.qcow2 x.qcow2
        convert nowhere x.raw
        convert a.raw /none/x.raw
        convert -O qcow2 ext.qcow2 x.qcow2
        convert -O qcow2 sub.qcow2 x.qcow2
    ''',
    'resize': '''
        resize
        resize e.raw
        resize e.raw 8M
        resize -f raw e.raw 8M
        resize -q -f raw e.raw 8M
        resize -f raw e.raw +1M
        resize -f raw e.raw -1M
        resize -f raw --shrink e.raw -1M
        resize -f raw --shrink e.raw -8M
        resize -f raw e.raw 1M
        resize -f raw --shrink e.raw 1M
        resize -f raw e.raw 4M
        resize -f raw e.raw x
        resize -f raw e.raw +x
        resize --preallocation=full -f raw e.raw 5M
        resize --preallocation=falloc -f raw e.raw 5M
        resize --preallocation=metadata -f raw e.raw 5M
        resize --preallocation=some -f raw e.raw 5M
        resize --preallocation=full --shrink -f raw e.raw 1M
        resize e.qcow2 8M
        resize e.qcow2 +512
        resize e.qcow2 +1
        resize --shrink e.qcow2 1M
        resize e.qcow2 1M
        resize --preallocation=metadata e.qcow2 8M
        resize --preallocation=falloc e.qcow2 8M
        resize --preallocation=full e.qcow2 8M
        resize a.qcow2 8M
        resize --shrink a.qcow2 1M
        resize v2.qcow2 8M
        resize top.qcow2 8M
        resize --image-opts driver=qcow2,file.filename=e.qcow2 8M
        resize nowhere 1M
        resize -f nope e.raw 1M
    ''',
    'rebase': '''
        rebase
        rebase top.qcow2
        rebase -b base.qcow2 -F qcow2 top.qcow2
        rebase -b base.qcow2 top.qcow2
        rebase -u -b base.qcow2 -F qcow2 top.qcow2
        rebase -u -b base.qcow2 top.qcow2
        rebase -u -b nowhere -F qcow2 top.qcow2
        rebase -u -b nowhere -F nope top.qcow2
        rebase -b nowhere -F qcow2 top.qcow2
        rebase -b '' top.qcow2
        rebase -p -b '' top.qcow2
        rebase -q -p -b '' top.qcow2
        rebase -u -b '' top.qcow2
        rebase -b base.qcow2 -F qcow2 orphan.qcow2
        rebase -u -b base.qcow2 -F qcow2 orphan.qcow2
        rebase -b base.qcow2 -F qcow2 a.raw
        rebase -b top.qcow2 -F qcow2 top.qcow2
        rebase -f qcow2 -b base.qcow2 -F qcow2 top.qcow2
        rebase -f raw -b base.qcow2 -F qcow2 top.qcow2
        rebase -t none -T none -b base.qcow2 -F qcow2 top.qcow2
        rebase -t sometimes -b base.qcow2 -F qcow2 top.qcow2
        rebase -T sometimes -b base.qcow2 -F qcow2 top.qcow2
        rebase -U -u -b base.qcow2 -F qcow2 top.qcow2
        rebase -U -b base.qcow2 -F qcow2 top.qcow2
        rebase --image-opts -b base.qcow2 -F qcow2 driver=qcow2,file.filename=top.qcow2
        rebase -b e.raw -F raw a.qcow2
    ''',
    'commit': '''
        commit
        commit top.qcow2
        commit -p top.qcow2
        commit -q top.qcow2
        commit -q -p top.qcow2
        commit -d top.qcow2
        commit -b base.qcow2 top.qcow2
        commit -b mid.qcow2 top.qcow2
        commit -b nowhere top.qcow2
        commit -b top.qcow2 top.qcow2
        commit -d -b base.qcow2 top.qcow2
        commit -r 100M top.qcow2
        commit -r x top.qcow2
        commit -t none top.qcow2
        commit -t sometimes top.qcow2
        commit -f qcow2 top.qcow2
        commit -f raw top.qcow2
        commit a.qcow2
        commit a.raw
        commit nowhere
        commit --image-opts driver=qcow2,file.filename=top.qcow2
    ''',
    'snapshot': '''
        snapshot
        snapshot a.qcow2
        snapshot -l e.qcow2
        snapshot -l a.raw
        snapshot -c second e.qcow2
        snapshot -c first v2.qcow2
        snapshot -c x a.raw
        snapshot -a none a.qcow2
        snapshot -d first a.qcow2
        snapshot -d 1 a.qcow2
        snapshot -d none a.qcow2
        snapshot -c x -l a.qcow2
        snapshot -c x -d first a.qcow2
        snapshot -q -c x e.qcow2
        snapshot -U -l e.qcow2
        snapshot -U -c x e.qcow2
        snapshot -c x ext.qcow2
        snapshot --image-opts -l driver=qcow2,file.filename=e.qcow2
        snapshot -l nowhere
        snapshot -c '' e.qcow2
    ''',
    'measure': '''
        measure
        measure --size 1G
        measure --size 1G -O qcow2
        measure --size 1G -O raw
        measure --size 1G -O nope
        measure --size x -O qcow2
        measure --size 1G -O qcow2 a.raw
        measure --size=64T -O qcow2 -o cluster_size=2M
        measure -O qcow2 --output=json --size 1M
        measure -O qcow2 a.raw
        measure -O qcow2 a.qcow2
        measure -O qcow2 --output=json a.qcow2
        measure -O raw a.qcow2
        measure -O qcow2 -o cluster_size=4k a.raw
        measure -O qcow2 -o extended_l2=on a.raw
        measure -O qcow2 -o refcount_bits=64 a.raw
        measure -O qcow2 -o preallocation=full a.raw
        measure -O qcow2 -o preallocation=falloc a.raw
        measure -O qcow2 -o preallocation=metadata a.raw
        measure -O qcow2 -o cluster_size=3k a.raw
        measure -O qcow2 -o compat=0.10 a.qcow2
        measure -O qcow2 -l first a.qcow2
        measure -O qcow2 -l none a.qcow2
        measure -O qcow2 -f qcow2 a.raw
        measure -O qcow2 top.qcow2
        measure -O qcow2 e.raw
        measure -U -O qcow2 a.raw
        measure --image-opts -O qcow2 driver=qcow2,file.filename=a.qcow2
        measure --output=xml --size 1G -O qcow2
        measure nowhere
        measure a.raw e.raw
    ''',
    'dd': '''
        dd
        dd if=a.raw
        dd if=a.raw of=x.raw
        dd -f raw -O raw if=a.raw of=x.raw
        dd -O qcow2 if=a.raw of=x.qcow2
        dd bs=1M count=1 if=a.raw of=x.raw
        dd bs=1000 if=a.raw of=x.raw
        dd bs=0 if=a.raw of=x.raw
        dd bs=x if=a.raw of=x.raw
        dd count=0 if=a.raw of=x.raw
        dd skip=1 bs=64M if=a.raw of=x.raw
        dd nope=1 if=a.raw of=x.raw
        dd if=nowhere of=x.raw
        dd -f qcow2 if=a.raw of=x.raw
        dd -O nope if=a.raw of=x.raw
        dd -U if=a.raw of=x.raw
        dd --image-opts if=driver=qcow2,file.filename=a.qcow2 of=x.raw
        dd bs=1M count=1 if=a.raw of=e.raw
        dd bs=7 count=3 if=a.raw of=x.raw
    ''',
    'amend': '''
        amend
        amend a.qcow2
        amend -o compat=0.10 e.qcow2
        amend -o compat=1.1 v2.qcow2
        amend -o compat=0.42 e.qcow2
        amend -o lazy_refcounts=on e.qcow2
        amend -o lazy_refcounts=on v2.qcow2
        amend -o lazy_refcounts=off e.qcow2
        amend -o size=8M e.qcow2
        amend -o size=1M e.qcow2
        amend -o cluster_size=4k e.qcow2
        amend -o backing_file=base.qcow2,backing_fmt=qcow2 e.qcow2
        amend -o preallocation=full e.qcow2
        amend -o nothing=1 e.qcow2
        amend -o compat=0.10 sub.qcow2
        amend -o compat=0.10 a.raw
        amend -p -o compat=0.10 e.qcow2
        amend -q -p -o compat=0.10 e.qcow2
        amend -q -o compat=0.10 e.qcow2
        amend -f qcow2 -o compat=0.10 e.qcow2
        amend -f nope -o compat=0.10 e.qcow2
        amend -t none -o compat=0.10 e.qcow2
        amend -t sometimes -o compat=0.10 e.qcow2
        amend -o refcount_bits=64 a.qcow2
        amend -o refcount_bits=1 e.qcow2
        amend -o refcount_bits=2 a.qcow2
        amend -o refcount_bits=1 marks.qcow2
        amend -o refcount_bits=8 packed.qcow2
        amend -o refcount_bits=32 v2.qcow2
        amend -o refcount_bits=32,compat=1.1 v2.qcow2
        amend -o refcount_bits=8,lazy_refcounts=on,size=8M e.qcow2
        amend -o refcount_bits=16,compat=0.10 e.qcow2
        amend -o refcount_bits=8,compat=0.10 e.qcow2
        amend -o refcount_bits=0 e.qcow2
        amend -o refcount_bits=3 e.qcow2
        amend -o refcount_bits=128 e.qcow2
        amend -o refcount_bits=x e.qcow2
        amend -o data_file=other.raw e.qcow2
        amend -o data_file=a.raw ext.qcow2
        amend -o data_file= ext.qcow2
        amend -o data_file_raw=off ext.qcow2
        amend -o data_file_raw=on ext.qcow2
        amend -o data_file_raw=on e.qcow2
        amend -o data_file_raw=x ext.qcow2
        amend --force -o compat=0.10 e.qcow2
        amend --image-opts -o compat=0.10 driver=qcow2,file.filename=e.qcow2
        amend -o compat=0.10 nowhere
    ''',
    'bench': '''
        bench
        bench -q -c 16 e.qcow2
        bench -q -c 16 -d 4 e.qcow2
        bench -q -c 16 -w e.qcow2
        bench -q -c 16 -w --pattern=7 e.raw
        bench -q -c 16 -w --pattern=300 e.raw
        bench -q -c 16 -w --flush-interval=4 e.qcow2
        bench -q -c 16 -w --flush-interval=4 --no-drain e.qcow2
        bench -q -c 16 --flush-interval=4 e.qcow2
        bench -q -c 16 -w --flush-interval=1 -d 4 e.qcow2
        bench -q -c 16 --no-drain e.qcow2
        bench -q -c 16 -s 512 -S 1k -o 4k e.qcow2
        bench -q -c 16 -i threads e.qcow2
        bench -q -c 16 -i native e.raw
        bench -q -c 16 -i native -t none e.raw
        bench -q -c 16 -n e.raw
        bench -q -c 16 -n -t none e.raw
        bench -q -c 16 -n -t directsync -w e.qcow2
        bench -f raw -q -c 64 -d 8 -w --flush-interval=8 blkdebug:flushes:e.raw
        bench -f raw -q -c 64 -d 8 -w blkdebug:flushes:e.raw
        bench -q -c 16 -i sometimes e.qcow2
        bench -q -c 16 -t sometimes e.raw
        bench -q -c 16 -U e.raw
        bench -c x e.raw
        bench -s x e.raw
        bench -q -c 16 -f qcow2 e.raw
        bench -q nowhere
        bench --image-opts -q -c 16 driver=qcow2,file.filename=e.qcow2
    ''',
    'bitmap': '''
        bitmap
        bitmap e.qcow2 x
        bitmap --add e.qcow2
        bitmap --add e.qcow2 x y
        bitmap --add e.qcow2 x
        bitmap --add marks.qcow2 b0
        bitmap --add -g 4k --disable e.qcow2 x
        bitmap --add -g 1000 e.qcow2 x
        bitmap --add --disable --enable e.qcow2 x
        bitmap --add --merge b0 -b marks.qcow2 -F qcow2 e.qcow2 x
        bitmap --remove marks.qcow2 b0
        bitmap --remove marks.qcow2 none
        bitmap --clear marks.qcow2 b0
        bitmap --clear --disable marks.qcow2 b0
        bitmap --enable marks.qcow2 b1
        bitmap --disable marks.qcow2 b0
        bitmap --merge b1 marks.qcow2 b0
        bitmap --merge b1 --merge none marks.qcow2 b0
        bitmap --merge b0 -b small.qcow2 marks.qcow2 b0
        bitmap -b marks.qcow2 --add e.qcow2 x
        bitmap -F qcow2 --add e.qcow2 x
        bitmap -g 64k --clear marks.qcow2 b0
        bitmap --add v2.qcow2 x
        bitmap --add -f nope e.qcow2 x
        bitmap --add --image-opts driver=qcow2,file.filename=e.qcow2 x
        bitmap --add --image-opts -f qcow2 driver=qcow2,file.filename=e.qcow2 x
        bitmap --add nowhere x
        bitmap --nothing e.qcow2 x
    ''',
    '': '''
        -T
        --trace
        -Z create
        -T nope=1 info a.raw
        -T no_such_event info a.raw
        -T -qcow2_* info a.raw
        --trace= info a.raw
        nothing
        --nothing
    ''',
}


def content(seed, size):
    """Data and zeroes in pieces of 64 KiB, in which some more zeroes are."""
    rand, data = random.Random(seed), bytearray()
    while len(data) < size:
        kind = rand.randrange(3)
        data += (rand.randbytes(64 * KIB) if kind == 0 else bytes(64 * KIB) if kind == 1 else
                 rand.randbytes(8 * KIB) + bytes(48 * KIB) + b'x' * (8 * KIB))
    return bytes(data[:size])


def damage(name, cluster, count):
    """The image says that so many lead to the cluster."""
    with open(name, 'r+b') as file:
        header = file.read(104)
        file.seek(int.from_bytes(header[48:56], 'big'))
        block = int.from_bytes(file.read(8), 'big')
        file.seek(block + 2 * cluster)
        file.write(count.to_bytes(2, 'big'))
        file.truncate(max(os.path.getsize(name), (cluster + 1) * 64 * KIB))


def make_fixtures():
    with open('flushes', 'w', encoding='ascii') as rules:
        rules.write('[inject-error]\nevent = "none"\niotype = "flush"\n')
    with open('a.raw', 'wb') as out:
        out.write(content(1, 2 * MIB))
    for line in FIXTURES.strip().splitlines():
        subprocess.run([OURS, *line.split()], check=True)
    for name, seed in (('base', 2), ('mid', 3), ('top', 4)):
        with open('in.raw', 'wb') as out:
            out.write(content(seed, MIB))
        subprocess.run([OURS, 'convert', '-n', '-O', 'qcow2', 'in.raw', name + '.qcow2'], check=True)
    os.unlink('in.raw')
    for name, cluster, count in (('leak', 20, 1), ('twice', 4, 3), ('bad', 4, 0)):
        shutil.copy('small.qcow2', name + '.qcow2')
        damage(name + '.qcow2', cluster, count)


# What stands behind images.
NEEDED = {'top.qcow2': ('mid.qcow2', 'base.qcow2'), 'mid.qcow2': ('base.qcow2',), 'ext.qcow2': ('ext.raw',)}


def named(line):
    """The fixtures of a line, and what is behind them."""
    names = set()
    for name in re.findall(r'[\w.]+', line):
        names |= {name, *NEEDED.get(name, ())}
    return names


NOISE = (
    (re.compile(r'#block\d+'), '#block'),
    (re.compile(r'disk size: .*'), 'disk size'),  # where data goes is each one's own affair
    (re.compile(r'(Image end offset|Run completed in).*'), r'\1'),
    (re.compile(r'qemu-img: warning: Image format'), 'WARNING: Image format'),
    (re.compile(r'( +\(\d+\.\d\d/100%\)\n)+'), 'progress\n'),  # how often it is told
    (re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d'), 'date'),
    (re.compile(r'\d+/\d+ = [^\n]*'), 'clusters'),
)
LOOSE = ('actual-size', 'image-end-offset', 'fragmented-clusters')


def plain(text):
    """Without what may differ; JSON as what it says."""
    try:
        value = json.loads(text)
    except ValueError:
        for pattern, word in NOISE:
            text = pattern.sub(word, text)
        return text.strip()
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            for name in LOOSE:
                entry.pop(name, None)
    return value


def stored(at, names):
    """What these images show, and say of themselves, in the peer's words."""
    seen = {}
    os.chdir(at)
    for name in names:
        if name.endswith('.raw'):
            with open(name, 'rb') as data:
                seen[name] = hashlib.sha256(data.read()).hexdigest()
            continue
        told = subprocess.run([PEER, 'info', name], capture_output=True, text=True, check=False)
        shown = subprocess.run([PEER, 'dd', '-U', 'bs=1M', 'if=' + name, 'of=../shown'], capture_output=True,
                               check=False)
        digest = None
        if shown.returncode == 0:
            with open('../shown', 'rb') as data:
                digest = hashlib.sha256(data.read()).hexdigest()
        seen[name] = plain(told.stdout), digest
    return seen


@unittest.skipUnless(os.path.exists(PEER), 'the package qemu-utils is not installed')
class Options(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='options-')
        cls.addClassCleanup(cls.folder.cleanup)
        cls.addClassCleanup(os.chdir, os.getcwd())
        os.makedirs(os.path.join(cls.folder.name, 'fixtures'))
        os.chdir(os.path.join(cls.folder.name, 'fixtures'))
        make_fixtures()

    def times(self):
        """When the fixtures were written, which copies of them keep."""
        with os.scandir(os.path.join(self.folder.name, 'fixtures')) as entries:
            return {entry.name: entry.stat().st_mtime_ns for entry in entries}

    def act(self, img, words):
        """Where it was done, status, text, errors, and which images have changed."""
        at, fixtures = (os.path.join(self.folder.name, name) for name in ('ours' if img == OURS else 'peers', 'fixtures'))
        shutil.rmtree(at, ignore_errors=True)
        os.makedirs(at)
        needed = [os.path.join(fixtures, name) for name in named(' '.join(words)) & set(os.listdir(fixtures))]
        if needed:
            subprocess.run(['cp', '-a', '--sparse=always', *needed, at], check=True)
        os.chdir(at)
        done = subprocess.run([img, *words], capture_output=True, text=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL)
        times = self.times()
        changed = {name for name in os.listdir() if os.stat(name).st_mtime_ns != times.get(name)}
        return at, done.returncode, plain(done.stdout), plain(done.stderr), changed

    def both(self, line):
        words = shlex.split(line) if '{' not in line else line.split()
        done = [self.act(img, words) for img in (OURS, PEER)]
        changed = done[0][-1] | done[1][-1]
        return [(*rest, stored(at, changed)) for at, *rest, _ in done]

    def command(self, name):
        for line in CASES[name].strip().splitlines():
            with self.subTest(line=line.strip()):
                self.assertEqual(*self.both(line))

    def test_trace(self):
        """Events have names of their own: on standard error, when they are wanted."""
        os.chdir(self.folder.name)
        words = 'bench', '-w', '-c', '4', '-f', 'qcow2', 'traced.qcow2'
        subprocess.run([OURS, 'create', '-q', '-f', 'qcow2', 'traced.qcow2', '1M'], check=True)
        for trace, seen, unseen in (('qcow2_*', 'clusters 1', 'block_open'), ('-block_*', '', '_'),
                                    ('block_open', 'block_open #block000: file', 'qcow2_sync')):
            done = subprocess.run([OURS, '-T', trace, *words], capture_output=True, text=True, check=True)
            self.assertIn(seen, done.stderr)
            self.assertNotIn(unseen, done.stderr)
        names = subprocess.run([OURS, '--trace=help'], capture_output=True, text=True, check=True).stdout.split()
        self.assertLessEqual({'block_io', 'block_submit', 'qcow2_sync'}, set(names))


def add_tests():
    for name in CASES:
        setattr(Options, f'test_{name or "program"}', lambda self, name=name: self.command(name))


add_tests()

if __name__ == '__main__':
    unittest.main(argv=sys.argv)
