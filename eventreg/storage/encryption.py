"""Encrypt backups for the owner of an age key, and decrypt them with that key's file.

The files are those of the program ``age`` (https://age-encryption.org/v1): it opens them too.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pyrage import DecryptError, IdentityError, decrypt_io, encrypt_io, x25519

from eventreg.core.backups.faults import BackupRefused

_FIRST_LINE = b"age-encryption.org/v1\n"


def is_encrypted(path: Path) -> bool:
    """Whether this is an encrypted file, whatever its name. ``OSError`` if it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_FIRST_LINE)) == _FIRST_LINE


def encrypt(plain: Path, sealed: Path, recipient: str) -> None:
    """Encrypt a file for the owner of a public key, and read it back.

    We do not have the owner's key. So the file is also encrypted for a key that is made here, used
    to read the file back, and then forgotten. Raises ``BackupRefused`` if it holds anything else,
    or ``OSError`` if the disk is full.
    """
    ours = x25519.Identity.generate()
    recipients = [x25519.Recipient.from_str(recipient), ours.to_public()]
    with plain.open("rb") as source, sealed.open("wb") as target:
        encrypt_io(source, target, recipients)
    back = sealed.with_name("read-back")
    try:
        _decrypt(sealed, back, [ours])
        if _sha256(back) != _sha256(plain):
            raise BackupRefused(f"{sealed}: what was read back is something else")
    finally:
        back.unlink(missing_ok=True)


def decrypt(sealed: Path, plain: Path, identity: Path) -> None:
    """Decrypt a file with the private key in the file ``identity``, as ``age-keygen`` writes it.
    Raises ``BackupRefused``, or ``OSError`` if a file cannot be read or written."""
    lines = identity.read_text(encoding="utf-8", errors="replace").split("\n")
    keys = [line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-1")]
    if not keys:
        raise BackupRefused(f"{identity}: holds no line that begins with AGE-SECRET-KEY-1")
    try:
        owners = [x25519.Identity.from_str(key) for key in keys]
    except IdentityError as error:
        raise BackupRefused(f"{identity}: the key is damaged") from error
    _decrypt(sealed, plain, owners)


def _decrypt(sealed: Path, plain: Path, owners: Sequence[x25519.Identity]) -> None:
    try:
        with sealed.open("rb") as source, plain.open("wb") as target:
            decrypt_io(source, target, owners)
    except DecryptError as error:
        raise BackupRefused(f"{sealed}: is not for this key") from error
    except OSError as error:
        if error.errno is None:  # the library says so of content that was changed or cut
            raise BackupRefused(f"{sealed}: is damaged") from error
        raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
