"""The offline bundle: one tar file with the code, the wheels, the door's scripts and the signed
history. The same content gives the same bytes."""

import hashlib
import tarfile
from pathlib import Path


def checksum(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def pack(folder: Path, target: Path, *, at: int) -> None:
    """Pack a folder: sorted by name, without owners, all files from that moment (a Unix time)."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = at
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as packed:
        for path in sorted(folder.rglob("*")):
            name = str(Path(folder.name, path.relative_to(folder)))
            packed.add(path, name, recursive=False, filter=plain)
