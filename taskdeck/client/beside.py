"""Calls about what lies beside a task: comments, links, attachments, context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskdeck.client import paths
from taskdeck.client.paths import segment
from taskdeck.client.transport import Json, Transport


class BesideCalls(Transport):
    """What is said about a task, and found again."""

    async def comment(self, ref: str | int, text: str, **fields: Any) -> Json:
        """The new comment. `fields`: `byline`."""
        return await self._post(f"{paths.task(ref)}/comments", {"text": text, **fields})

    async def comments(self, ref: str | int, **filters: Any) -> Json:
        """One page, oldest first: `{"comments", "next_cursor"}`."""
        return await self._get(f"{paths.task(ref)}/comments", **filters)

    async def edit_comment(self, ref: str | int, comment: int, text: str) -> Json:
        """The comment as it is then."""
        return await self._patch(f"{paths.task(ref)}/comments/{comment}", {"text": text})

    async def delete_comment(self, ref: str | int, comment: int) -> Json:
        """`{"deleted"}`."""
        return await self._delete(f"{paths.task(ref)}/comments/{comment}")

    async def link(self, ref: str | int, kind: str, target: str, **fields: Any) -> Json:
        """The link, new or already there."""
        return await self._post(f"{paths.task(ref)}/links", {"kind": kind, "target": target, **fields})

    async def links(self, ref: str | int) -> list[Json]:
        """What the task names, oldest first."""
        return list((await self._get(f"{paths.task(ref)}/links"))["links"])

    async def unlink(self, ref: str | int, link: int) -> Json:
        """`{"deleted"}`."""
        return await self._delete(f"{paths.task(ref)}/links/{link}")

    async def attach(self, ref: str | int, name: str, **fields: Any) -> Json:
        """The attachment; it replaces one of that name."""
        return await self._post(f"{paths.task(ref)}/attachments", {"name": name, **fields})

    async def attachments(self, ref: str | int) -> list[Json]:
        """All, each with its text and value."""
        return list((await self._get(f"{paths.task(ref)}/attachments"))["attachments"])

    async def attachment(self, ref: str | int, name: str) -> Json:
        """One, with its text and value."""
        return await self._get(f"{paths.task(ref)}/attachments/{segment(name)}")

    async def detach(self, ref: str | int, name: str) -> Json:
        """`{"deleted"}`: the attachment is removed."""
        return await self._delete(f"{paths.task(ref)}/attachments/{segment(name)}")

    async def context(self, ref: str | int) -> Json:
        """`{"context", "version", "provenance"}`."""
        return await self._get(f"{paths.task(ref)}/context")

    async def change_context(self, ref: str | int, patch: Mapping[str, Any], **fields: Any) -> Json:
        """Lay `patch` over the context; the whole of it, as `context` gives it."""
        return await self._patch(f"{paths.task(ref)}/context", {"patch": dict(patch), **fields})

    async def retract(self, ref: str | int, key: str, **fields: Any) -> Json:
        """The context; nobody stands behind that key any more. `fields`: `source`."""
        return await self._post(f"{paths.task(ref)}/context/retract", {"key": key, **fields})

    async def context_history(self, ref: str | int, **filters: Any) -> Json:
        """One page, newest first: `{"entries", "next_cursor"}`."""
        return await self._get(f"{paths.task(ref)}/context/history", **filters)

    async def search(self, q: str, **filters: Any) -> list[Json]:
        """Where all the words of `q` stand, best first. A filter that is a list is sent joined by commas."""
        return list((await self._get("/v1/search", q=q, **filters))["finds"])
