"""`python -m taskdeck.docs` writes what is generated from the code into the documents beside it."""

from __future__ import annotations

import re
from pathlib import Path

from taskdeck.domain.tables import transitions_table

HERE = Path(__file__).parent
MARKED = r"(<!-- generated: {} -->\n).*?(<!-- end -->)"


def main() -> None:
    """Renew the generated parts."""
    path = HERE / "state-machine.md"
    text = re.sub(
        MARKED.format("transitions"),
        lambda found: f"{found[1]}{transitions_table()}\n{found[2]}",
        path.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
