"""The section of a version in CHANGELOG.md, and the text of its tag."""

import re


class Unready(Exception):
    """The release cannot be made. The text says what is to be done first, in one line."""


def section(changelog: str, version: str) -> str:
    """What CHANGELOG.md says of a version, below its heading ``## 1.2.0 (2030-06-01)``."""
    heading = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)\n(.*?)(?=^## |\Z)"
    found = re.search(heading, changelog, re.M | re.S)
    if not found or not found[1].strip():
        raise Unready(f"CHANGELOG.md: needs a section that begins with: ## {version} (YYYY-MM-DD)")
    return found[1].strip()


def tag_text(changelog: str, version: str, sums: dict[str, str]) -> str:
    """The text of the tag. What git does not hold is named with its checksum, so that the signature
    covers it."""
    lines = [f"{sum_}  {name}" for name, sum_ in sorted(sums.items())]
    parts = (f"eventreg {version}", section(changelog, version), "### Checksums", "\n".join(lines))
    return "\n\n".join(parts) + "\n"
