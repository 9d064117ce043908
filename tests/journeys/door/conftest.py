"""What the pages of the door need besides a browser."""

import subprocess

import pytest

from tests.support.factories import ROOT


@pytest.fixture(scope="package", autouse=True)
def library() -> None:
    """The reader of codes, as `make test` fetches it."""
    subprocess.run([ROOT / "script" / "scanner"], check=True)
