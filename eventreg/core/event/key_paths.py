"""Values inside the tables of an event file, by the path of their key: ``agenda.0.text.zh``."""

from typing import Any


def value_at(raw: Any, path: str) -> Any:
    """The value under this path; ``None`` if there is none."""
    for step in path.split("."):
        if isinstance(raw, list | tuple):
            raw = raw[int(step)] if step.isdecimal() and int(step) < len(raw) else None
        else:
            raw = raw.get(step) if isinstance(raw, dict) else None
    return raw


def put(raw: dict[str, Any], path: str, value: Any) -> None:
    """Set the value under this path. ``None`` removes the key. A missing table is made, a missing
    item of a list is an ``IndexError``."""
    *tables, key = path.split(".")
    inside: Any = raw
    for step in tables:
        if isinstance(inside, list | tuple):
            inside = inside[int(step)]
        else:
            inside = inside.setdefault(step, {}) if value is not None else inside.get(step, {})
    if value is None:
        inside.pop(key, None)
    else:
        inside[key] = value
