"""Unpacks Qt resource files (.rcc, formats 1 to 3), such as those of Debian's gcompris-qt-data, into a folder.

    python unpack_rcc.py OUT FILE.rcc…
"""

import struct
import sys
import zlib
from pathlib import Path

DIRECTORY, COMPRESSED = 2, 1


def unpack(path, out):
    data = Path(path).read_bytes()
    assert data[:4] == b"qres", f"{path} is no Qt resource file"
    version, tree, blobs, names = struct.unpack_from(">4I", data, 4)
    size = 22 if version >= 2 else 14       # of a tree entry; later versions append the time of change

    def name(offset):
        (length,) = struct.unpack_from(">H", data, names + offset)
        start = names + offset + 6          # after the length and a hash
        return data[start : start + 2 * length].decode("utf-16-be")

    def walk(index, folder):
        at = tree + index * size
        offset, flags = struct.unpack_from(">IH", data, at)
        here = folder / name(offset) if index else folder
        if flags & DIRECTORY:
            count, first = struct.unpack_from(">2I", data, at + 6)
            for child in range(first, first + count):
                walk(child, here)
            return
        (start,) = struct.unpack_from(">I", data, at + 10)
        (length,) = struct.unpack_from(">I", data, blobs + start)
        blob = data[blobs + start + 4 : blobs + start + 4 + length]
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes(zlib.decompress(blob[4:]) if flags & COMPRESSED else blob)

    walk(0, Path(out))


if __name__ == "__main__":
    for file in sys.argv[2:]:
        unpack(file, sys.argv[1])
