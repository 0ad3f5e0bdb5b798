"""Small PNGs: a picture of few colours with a palette in place of four bytes a dot. Standard library alone."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from pathlib import Path

COLOURS = 200
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def quantise(path: Path) -> None:
    """Rewrite an 8-bit RGB(A) PNG with its `COLOURS` most used colours; every other dot takes the nearest."""
    width, height, channels, rows = _read(path.read_bytes())
    dots = [bytes(row[at : at + 3]) for row in rows for at in range(0, width * channels, channels)]
    palette = [colour for colour, _ in Counter(dots).most_common(COLOURS)]
    index = {colour: at for at, colour in enumerate(palette)}
    for colour in set(dots).difference(index):
        index[colour] = min(range(len(palette)), key=lambda at: _distance(palette[at], colour))
    lines = bytearray()
    for start in range(0, width * height, width):
        lines.append(0)
        lines += bytes(index[dot] for dot in dots[start : start + width])
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(bytes(lines), 9)),
        (b"IEND", b""),
    ]
    path.write_bytes(_SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks))


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _read(png: bytes) -> tuple[int, int, int, list[bytearray]]:
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    if depth != 8 or kind not in (2, 6):
        raise ValueError("only 8-bit RGB and RGBA pictures can be read")
    channels = 3 if kind == 2 else 4
    packed, at = bytearray(), 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(packed), width * channels
    rows: list[bytearray] = []
    above = bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        _unfilter(raw[start], row, above, channels)
        rows.append(row)
        above = row
    return width, height, channels, rows


def _unfilter(method: int, row: bytearray, above: bytearray, step: int) -> None:
    if method == 0:
        return
    for at in range(len(row)):
        left = row[at - step] if at >= step else 0
        up = above[at]
        corner = above[at - step] if at >= step else 0
        guess = (0, left, up, (left + up) // 2, 0)[method]
        if method == 4:
            p = left + up - corner
            near = (abs(p - left), abs(p - up), abs(p - corner))
            guess = left if near[0] <= near[1] and near[0] <= near[2] else up if near[1] <= near[2] else corner
        row[at] = (row[at] + guess) & 0xFF
