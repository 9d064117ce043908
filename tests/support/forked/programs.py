"""Commands, and starts of the server that end by themselves, each in a process of its own. They are
forked from a process that has imported everything, which saves a second of processor time for each.
tests/commands/test_commands.py and tests/server/test_server.py start new programs."""

import atexit
import multiprocessing
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

from flask import cli

from eventreg import serve
from tests.support.factories import ROOT, bare_environment

FORKS = multiprocessing.get_context("forkserver")
"""Forks processes quickly from one that has imported everything."""
FORKS.set_forkserver_preload(
    ["tests.support.servers", "tests.proofs.crowd", "tests.support.forked.warm"]
)


def become_a_program(environment: dict[str, str], out: str, err: str) -> None:
    """In a forked process: have this environment and write into these files, as if newly started
    with ``bare_environment``."""
    for stream, path in ((1, out), (2, err)):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, stream)
        os.close(opened)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)


class Program:
    """A program that was started. It has the methods of ``Popen`` that are used here."""

    def __init__(self, words: Sequence[str], environment: dict[str, str]) -> None:
        self._words = words
        self._said = tempfile.TemporaryDirectory()
        self._files = [Path(self._said.name, name) for name in ("out", "err")]
        for file in self._files:
            file.touch()
        given = (list(words), environment, *map(str, self._files))
        self._process: BaseProcess = FORKS.Process(target=_run, args=given, daemon=True)
        self._process.start()

    def kill(self) -> None:
        """Kill it, at whatever it does."""
        self._process.kill()

    def wait(self) -> "CompletedProcess[str]":
        """Wait for its end. Returns what it said and its exit code."""
        self._process.join(60)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
        out, err = (file.read_text() for file in self._files)
        self._said.cleanup()
        assert code is not None, f"{self._words} does not end: {out}{err}"
        return CompletedProcess(self._words, code, out, err)


def flask(folder: Path, *words: str, **environment: str) -> "CompletedProcess[str]":
    """Run ``flask --app wsgi ...`` on that instance folder. Returns what it said and its exit
    code."""
    given = {"EVENTREG_INSTANCE": str(folder), **environment}
    return Program(words, bare_environment(**given)).wait()


def _run(words: list[str], environment: dict[str, str], out: str, err: str) -> None:
    """In the forked process: a command, or the server if there are no words."""
    become_a_program(environment, out, err)
    os.umask(0o022)
    atexit._clear()
    sys.argv = ["flask", "--app", "wsgi", *words]
    try:
        cli.main() if words else serve.main()
    finally:
        atexit._run_exitfuncs()
