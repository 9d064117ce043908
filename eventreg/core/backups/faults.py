"""Why a backup was not made, copied or restored: a line for the operator, and a code that a page
and an alarm make a sentence of."""

import errno
from enum import StrEnum


class BackupRefused(Exception):
    """A backup was not made, is damaged, or was not restored. The text says why, in one line, and
    the code in one word."""

    def __init__(self, text: str, code: str = "refused") -> None:
        super().__init__(text)
        self.code = code


class DiskFault(StrEnum):
    """What is wrong with the place of a file."""

    FULL = "disk-full"
    READ_ONLY = "read-only"
    NOT_ALLOWED = "not-allowed"
    """Our user may not write there."""
    GONE = "gone"
    """There is no such folder, or the disk was unplugged."""
    HANGS = "hangs"
    """It does not answer."""
    BROKEN = "disk-error"
    """Anything else."""


_CODES = {
    errno.ENOSPC: DiskFault.FULL,
    errno.EDQUOT: DiskFault.FULL,
    errno.EFBIG: DiskFault.FULL,
    errno.EROFS: DiskFault.READ_ONLY,
    errno.EACCES: DiskFault.NOT_ALLOWED,
    errno.EPERM: DiskFault.NOT_ALLOWED,
    errno.ENOENT: DiskFault.GONE,
    errno.ENOTDIR: DiskFault.GONE,
    errno.ENODEV: DiskFault.GONE,
    errno.ENXIO: DiskFault.GONE,
    errno.ENOTCONN: DiskFault.GONE,
    errno.ESTALE: DiskFault.GONE,
    errno.EHOSTDOWN: DiskFault.GONE,
    errno.ETIMEDOUT: DiskFault.HANGS,
}


def of(error: OSError) -> DiskFault:
    """The fault behind an error of the operating system."""
    return _CODES.get(error.errno or 0, DiskFault.BROKEN)


def code_of(error: Exception, otherwise: str) -> str:
    """The code of why a backup failed; ``otherwise`` for an error that has none."""
    if isinstance(error, BackupRefused):
        return error.code
    return of(error) if isinstance(error, OSError) else otherwise
