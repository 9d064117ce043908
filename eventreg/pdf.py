"""Make a PDF of a page, with WeasyPrint in a process of its own and with a time limit.

If that process hangs or dies, the server goes on. ``python -m eventreg.pdf`` reads HTML and writes
the PDF; it loads nothing from elsewhere.
"""

import subprocess
import sys

from eventreg.core.errors import PdfUnavailable
from eventreg.settings import ROOT

_SECONDS = 60
_NO_LIBRARY = 3
_PROGRAM = ("-m", "eventreg.pdf")


def of(html: str) -> bytes:
    """The PDF of an HTML page that contains its style. Raises ``PdfUnavailable`` if it cannot be
    made here."""
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
    if made.returncode != 0:
        raise PdfUnavailable
    return made.stdout


def main() -> None:
    """HTML in, PDF out. Exit code 3 if Pango is missing."""
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
