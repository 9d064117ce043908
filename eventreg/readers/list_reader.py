"""Read an uploaded list of people in a child process with limited time and memory (see
``sandbox``).

``python -m eventreg.readers.list_reader`` is that child. It reads the file and writes its rows, or
why they cannot be read, as JSON.
"""

from typing import Any

from eventreg.core.errors import ImportUnreadable
from eventreg.core.importing import import_file
from eventreg.core.importing.import_file import FileRow, Table
from eventreg.readers import sandbox

_REASONS = {"time": "import_slow", "memory": "import_large"}


def read(content: bytes) -> Table:
    """The table in a CSV or XLSX file, as ``import_file.read`` returns it: at most ``MOST_ROWS``,
    with long cells cut. ``count`` is the number of all rows.

    Raises ``ImportUnreadable`` if it is not a list of people, or takes too much time or memory to
    read. Raises ``ReadersBusy`` if this server process is already reading two files.
    """
    try:
        told = sandbox.run("eventreg.readers.list_reader", content)
    except sandbox.Exceeded as exceeded:
        raise ImportUnreadable(_REASONS[exceeded.what]) from exceeded
    if "refused" in told:
        raise ImportUnreadable(told["refused"], **told["values"])
    rows = [FileRow(number, cells) for number, cells in told["rows"]]
    return Table(told["heads"], told["head_number"], told["count"], rows, told["unread"])


def _answer(content: bytes) -> dict[str, Any]:
    try:
        table = import_file.read(content)
    except ImportUnreadable as refusal:
        return {"refused": refusal.reason, "values": refusal.values}
    return {
        "heads": table.heads,
        "head_number": table.head_number,
        "count": table.count,
        "rows": [(row.number, row.cells) for row in table.rows],
        "unread": table.unread,
    }


if __name__ == "__main__":
    sandbox.answer(_answer)
