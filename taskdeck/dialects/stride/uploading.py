"""The files that work changed, as clients upload them: plainly, or packed into base64, compressed or not."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.stride.asking import LIST, acked, board_in, do, may_write, params, shown_in, slim, task_in
from taskdeck.dialects.stride.errors import Refused, explained, failures
from taskdeck.dialects.stride.view import Data, with_version
from taskdeck.domain.changes import MAX_BYTES, MAX_FILES, MAX_LINES, FileChange, odd_path
from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.service.changes import tell_changes
from taskdeck.store.unit import Unit

routes = RouteTable()

MAX_ENCODED = 10_000_000
_GZIP = 31
"""The window of zlib that means gzip."""
_PAGE = "api/put_tasks_id_changed_files.md"


@routes.add("PUT", "/api/tasks/{id}/changed_files", Role.READER)
async def put_changed_files(call: Call) -> web.StreamResponse:
    """Say which files the work on a task changed, in place of what was said before."""
    asked, who, name = params(call), call.who, call.path("id")

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = task_in(unit, who, board, name)
        if not may_write(who):
            raise explained(403, "You can only upload changed files for tasks you are assigned to", _PAGE)
        try:
            tell_changes(unit, who, task.id, _files(asked))
        except Invalid as error:
            raise _wrong([("changed_files", error.detail)]) from None
        document = {"data": acked(shown_in(unit, board, task), asked)}
        return document if slim(asked) else with_version(document)

    return await do(call, work)


def _wrong(wrong: list[tuple[str, str]]) -> Refused:
    return failures("changed_files validation failed", "changed_files", wrong[:20], _PAGE)


def _files(asked: Data) -> list[FileChange]:
    """The files of a request.

    Raises:
        Refused: there are none, or one is wrong.
    """
    sent = asked.get(LIST, asked.get("changed_files"))
    if sent is None:
        raise _wrong([("changed_files", "must be present (send [] to clear)")])
    if isinstance(sent, dict):
        sent = _unpacked(sent)
    if not isinstance(sent, list):
        raise _wrong([("changed_files", "must be a list")])
    if len(sent) > MAX_FILES:
        raise _wrong([("changed_files", f"has {len(sent)} entries; {MAX_FILES} is the most")])
    wrong = [found for at, entry in enumerate(sent) for found in _faults(at, entry)]
    if wrong:
        raise _wrong(wrong)
    return [FileChange(entry["path"], entry.get("diff")) for entry in sent]


def _faults(at: int, entry: Any) -> list[tuple[str, str]]:
    if not isinstance(entry, dict):
        return [("changed_file_entry", f"entry {at} must be an object with path and diff")]
    path, diff = entry.get("path"), entry.get("diff")
    found = "must be text" if not isinstance(path, str) else odd_path(path)
    wrong = [("changed_file_path", f"path of entry {at} {found}")] if found else []
    if diff is not None and (not isinstance(diff, str) or "\0" in diff):
        wrong.append(("changed_file_diff", f"diff of entry {at} must be text"))
    elif diff is not None and len(diff.splitlines()) > MAX_LINES:
        wrong.append(("changed_file_diff", f"diff of entry {at} has more than {MAX_LINES} lines"))
    return wrong


def _unpacked(envelope: Data) -> Any:
    """What an envelope holds.

    Raises:
        Refused: it is packed in another way, is no JSON, or holds too much.
    """
    encoding, data = envelope.get("encoding"), envelope.get("data")
    if encoding not in ("base64", "gzip+base64") or not isinstance(data, str):
        raise _wrong([("changed_files", "an envelope has an encoding (base64, gzip+base64) and data")])
    if len(data) > MAX_ENCODED:
        raise _wrong([("changed_files", f"takes more than {MAX_ENCODED} bytes")])
    try:
        packed = base64.b64decode("".join(data.split()), validate=True)
        plain = packed if encoding == "base64" else _inflated(packed)
        return orjson.loads(plain)
    except (binascii.Error, zlib.error, ValueError):
        raise _wrong([("changed_files", f"cannot be read as {encoding} of JSON")]) from None


def _inflated(packed: bytes) -> bytes:
    """`packed` unpacked, no further than may be."""
    unpacking = zlib.decompressobj(_GZIP)
    plain = unpacking.decompress(packed, 2 * MAX_BYTES)
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ValueError("it holds too much, or was cut short")
    return plain
