"""`python -m taskdeck.docs` writes what is generated from the code into the documents beside it."""

from __future__ import annotations

import re
from pathlib import Path

from taskdeck.domain.tables import transitions_table
from taskdeck.http.codes import codes_table
from taskdeck.mcp.tools import tools_table
from taskdeck.tui.keys import keys_table

HERE = Path(__file__).parent
MARKED = r"(<!-- generated: {} -->\n).*?(<!-- end -->)"


def main() -> None:
    """Renew the generated parts."""
    _renew("state-machine.md", "transitions", transitions_table())
    _renew("api.md", "codes", codes_table())
    _renew("keys.md", "keys", keys_table())
    _renew("mcp.md", "tools", tools_table())


def _renew(page: str, name: str, table: str) -> None:
    path = HERE / page
    text = re.sub(
        MARKED.format(name),
        lambda found: f"{found[1]}{table}\n{found[2]}",
        path.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
