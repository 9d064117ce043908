"""The folder of everything that is written, and the secret key that is kept in it."""

import os
import secrets
from pathlib import Path


def make_instance(folder: Path) -> None:
    """Make the instance folder if it is missing, and close it to everyone but its owner."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def kept_secret(folder: Path) -> str:
    """The secret key of this instance, made at the first call. Processes that start together get
    the same one."""
    path = folder / "secret-key"
    if not path.exists():
        draft = folder / f".secret-key.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
