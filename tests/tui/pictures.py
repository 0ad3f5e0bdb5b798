"""SVG and PNG pictures of the running app, for the README and for eyes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from quantise import quantise
from textual.app import App

FONT = "DejaVu Sans Mono"
CELL = 9.2
_TOOL = "rsvg-convert"


def svg(app: App[int], title: str) -> str:
    """The screen as SVG, without web fonts, so that it looks the same wherever it is shown."""
    drawn = app.export_screenshot(title=title, simplify=True)
    drawn = re.sub(r"@font-face\s*\{[^}]*\}", "", drawn)
    drawn = drawn.replace("Fira Code", FONT).replace("&#160;", " ")
    return drawn.replace("<text ", '<text xml:space="preserve" ')


def save(app: App[int], folder: Path, name: str, columns: int) -> list[Path]:
    """Write NAME.svg, and NAME.png where the tool for it is at hand."""
    folder.mkdir(parents=True, exist_ok=True)
    drawing = folder / f"{name}.svg"
    folder.chmod(0o755)
    drawing.write_text(svg(app, f"taskdeck — {name}"), encoding="utf-8")
    try:
        picture = folder / f"{name}.png"
        width = round(columns * CELL + 20)
        subprocess.run([_TOOL, "-w", str(width), "-o", str(picture), str(drawing)], check=True, timeout=60)
    except FileNotFoundError:
        return [drawing]
    quantise(picture)
    for path in (drawing, picture):
        path.chmod(0o644)  # a deck in this process has made new files private
    return [drawing, picture]
