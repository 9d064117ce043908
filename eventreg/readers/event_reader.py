"""Read an event file in a child process with limited time and memory (see ``sandbox``).

``python -m eventreg.readers.event_reader`` is that child. It reads a JSON list, the TOML text and
the file name, and writes the definition or the mistakes as JSON.
"""

import json

from eventreg.core.event import definition, event_file
from eventreg.core.event.definition import Definition
from eventreg.core.event.event_file import DefinitionInvalid
from eventreg.readers import sandbox

_TOO_MUCH = {
    "time": "takes too long to read: something in it is nested or repeated far too often",
    "memory": "takes too much memory to read: something in it is nested or repeated far too often",
}


def parse(toml: str, file: str = "event file") -> Definition:
    """The definition that a TOML text holds.

    Raises ``DefinitionInvalid`` with every mistake, or if the text takes too much time or memory to
    read. Raises ``ReadersBusy`` if this server process is already reading two files.
    """
    try:
        told = sandbox.run("eventreg.readers.event_reader", json.dumps([toml, file]).encode())
    except sandbox.Exceeded as exceeded:
        raise DefinitionInvalid([f"{file}: {_TOO_MUCH[exceeded.what]}"]) from exceeded
    if "mistakes" in told:
        raise DefinitionInvalid(told["mistakes"])
    return definition.load(told["definition"])


def _answer(content: bytes) -> dict[str, object]:
    toml, file = json.loads(content)
    try:
        return {"definition": definition.dump(event_file.parse(toml, file))}
    except DefinitionInvalid as invalid:
        return {"mistakes": invalid.mistakes}


if __name__ == "__main__":
    sandbox.answer(_answer)
