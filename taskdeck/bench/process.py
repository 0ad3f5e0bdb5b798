"""What the system tells of a process under load."""

from __future__ import annotations

import os
from pathlib import Path


def resident_mb(pid: int) -> float | None:
    """Megabytes that the process has in memory, where the system tells."""
    lines = _read(f"/proc/{pid}/status").splitlines()
    kibibytes = next((line.split()[1] for line in lines if line.startswith("VmRSS:")), None)
    return None if kibibytes is None else round(int(kibibytes) * 1024 / 1e6, 1)


def cpu_seconds(pid: int) -> float | None:
    """Seconds of processor time that the process has used, all threads together, where the system tells."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if not fields:
        return None
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", errors="replace")
    except OSError:
        return ""
