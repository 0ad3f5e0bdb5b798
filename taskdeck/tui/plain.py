"""The screen in ASCII, for terminals and fonts that have nothing else: one character for each cell."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len

_SIGNS = {
    "□": "_", "◇": "b", "◔": "s", "○": ".", "●": "*", "◎": "?", "✓": "+", "✗": "x", "⊘": "-",
    "▲": "!", "‼": "!", "◐": "c", "⇣": "v", "⚑": "F", "↕": "%", "◌": "o", "✎": "e", "▷": ">", "❚": "#", "♥": "h",
    "━": "=", "╸": "-", "┄": ".", "◆": ">", "╌": "~", "∞": "~", "▌": "|", "▏": "|", "▐": "#", "┃": "|", "─": "-",
    "│": "|", "▶": ">", "◀": "<", "▼": "v", "▚": "#", "↵": "<", "↑": "^", "↓": "v", "→": ">", "←": "<", "↻": "r",
    "↺": "r", "⇒": ">", "•": "*", "▸": ">", "▾": "v", "·": "-", "…": "~", "⋯": "~", "▴": "^", "⇄": "%",
    "↩": "<", "⤷": "\\", "⇥": ">", "≡": "=", "⊢": "|", "△": "^", "◷": "t", "⚙": "*",
    "╱": "/", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-",
    "▁": "_", "▂": ".", "▃": "-", "▄": "~", "▅": "=", "▆": "+", "▇": "*", "█": "#",
}  # fmt: skip


@lru_cache(8192)
def plain(text: str) -> str:
    """`text` in ASCII and as wide as it was: signs by a likeness, all else by question marks."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() else _SIGNS.get(char) or "?" * cell_len(char) for char in text)
