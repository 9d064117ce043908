"""Make a PDF of a page, with WeasyPrint in a process of its own and with a time limit.

If that process hangs or dies, the server goes on. ``python -m eventreg.pdf`` reads HTML and writes
the PDF; it loads nothing from elsewhere.
"""

import subprocess
import sys
from threading import BoundedSemaphore

from eventreg import memory
from eventreg.core.errors import PdfUnavailable, ReadersBusy
from eventreg.settings.table import ROOT

_SECONDS = 60
_WAIT = 10
_turn = BoundedSemaphore(1)
"""One at a time in each server process: a list of 600 people takes more than 100 MB."""
_NO_LIBRARY = 3
_PROGRAM = ("-m", "eventreg.pdf")


def of(html: str) -> bytes:
    """The PDF of an HTML page that contains its style. Raises ``PdfUnavailable`` if it cannot be
    made here, and ``ReadersBusy`` if another one takes too long."""
    if not _turn.acquire(timeout=_WAIT):
        raise ReadersBusy
    try:
        made = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, *_PROGRAM],
            input=html.encode(),
            capture_output=True,
            timeout=_SECONDS,
            cwd=ROOT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PdfUnavailable from error
    finally:
        _turn.release()
    if made.returncode != 0:
        raise PdfUnavailable
    return made.stdout


def main() -> None:
    """HTML in, PDF out. Exit code 3 if Pango is missing."""
    memory.end_this_process_first()
    try:
        import weasyprint  # noqa: PLC0415 - needs libraries of the system, which may be missing
        from weasyprint.urls import URLFetcher  # noqa: PLC0415 - as above
    except OSError:
        sys.exit(_NO_LIBRARY)
    page = weasyprint.HTML(
        string=sys.stdin.buffer.read().decode(), url_fetcher=URLFetcher(allowed_protocols=())
    )
    page.write_pdf(sys.stdout.buffer)


if __name__ == "__main__":
    main()
