"""All methods by name, and the method that tells of them."""

from __future__ import annotations

from typing import Any

from taskdeck.dialects.claudebench import assigning, attachments, instances, listing, system, tasks
from taskdeck.dialects.claudebench.methods import Ask, Method, Methods
from taskdeck.dialects.claudebench.params import Discover
from taskdeck.dialects.claudebench.words import Document
from taskdeck.domain.principal import Role

methods = Methods()


@methods.add(
    "system.discover", Discover, role=Role.READER, about="Discover available methods and their schemas", label=100
)
async def discover(_: Ask, asked: Discover) -> Document:
    return {"methods": [described(one) for one in BY_NAME.values() if asked.domain in ("", one.domain)]}


def described(method: Method) -> Document:
    """A method, with JSON Schemas of what it takes and gives."""
    about: dict[str, Any] = {} if method.about is None else {"description": method.about}
    label = {} if method.label is None else {"rateLimit": method.label}
    return {
        "name": method.name,
        **about,
        "inputSchema": method.params.model_json_schema(),
        "outputSchema": {"type": "object"},
        "metadata": {"persist": method.persist, **label},
    }


BY_NAME: dict[str, Method] = {
    name: method
    for table in (
        tasks.methods,
        listing.methods,
        assigning.methods,
        attachments.methods,
        instances.methods,
        system.methods,
        methods,
    )
    for name, method in table.by_name.items()
}
