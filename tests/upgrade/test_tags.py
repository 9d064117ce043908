"""Only a tag that an allowed key has signed, and that was not moved, is used."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from script.upgrade.programs import Refused, Surroundings
from script.upgrade.tags import Repository
from tests.upgrade.maintainer import Maintainer, allowed, git


@pytest.fixture
def maintainer(tmp_path: Path) -> Maintainer:
    """A maintainer with one release."""
    made = Maintainer(tmp_path, with_code=False)
    made.release("1.0.0")
    return made


@pytest.fixture
def operator(maintainer: Maintainer, tmp_path: Path) -> Repository:
    """A clone, whose operator allows the maintainer's key."""
    git(tmp_path, "clone", "--quiet", str(maintainer.folder), "here")
    signers = tmp_path / "release-signers"
    signers.write_text(f"# who may sign\n{allowed(maintainer.key)}")
    signers.chmod(0o600)
    return Repository(tmp_path / "here", "origin", signers, Surroundings())


def fetched(operator: Repository, wanted: str = "", present: str = "1.0.0") -> str:
    """Fetch what is offered. Returns its version."""
    chosen = operator.choose(wanted, present)
    assert chosen is not None
    return operator.fetch(*chosen).version


def test_the_newest_version_is_chosen_by_number_and_a_trial_version_is_not(
    maintainer: Maintainer, operator: Repository
) -> None:
    assert operator.choose("", "1.0.0") is None
    assert operator.choose("", "1.0.1") is None, "a checkout may be newer than the last release"
    for version in ("1.9.0", "1.10.0"):
        maintainer.release(version)
    maintainer.tag("2.0.0-rc1", "-s")
    assert fetched(operator) == "1.10.0"
    assert fetched(operator, "1.9.0") == "1.9.0"
    assert git(operator.folder, "tag", "--list", "v1.10.0"), "it is kept, to notice a moved one"
    with pytest.raises(Refused, match=r"v1\.9\.0 is older than 1\.10\.0"):
        operator.choose("1.9.0", "1.10.0")
    for wrong in ("3.0.0", "newest", "1.0", "--upload-pack=x"):
        with pytest.raises(Refused, match=r"no such tag|is no version"):
            operator.choose(wrong, "1.0.0")


@pytest.mark.parametrize("tagging", [("-a", "--no-sign"), ("--no-sign",)])
def test_an_unsigned_tag_is_refused(
    maintainer: Maintainer, operator: Repository, tagging: tuple[str, ...]
) -> None:
    maintainer.release("1.1.0", tagging=tagging)
    with pytest.raises(Refused, match=r"v1\.1\.0 is not signed$"):
        fetched(operator)
    assert not git(operator.folder, "tag", "--list", "v1.1.0")


def test_a_tag_that_a_stranger_signed_is_refused(
    maintainer: Maintainer, operator: Repository
) -> None:
    maintainer.release("1.1.0", tagging=("-s", "-u", str(maintainer.strange_key)))
    with pytest.raises(Refused, match=r"not signed by a key of .*release-signers$"):
        fetched(operator)
    with operator.signers.open("a") as file:
        file.write(allowed(maintainer.strange_key))
    assert fetched(operator) == "1.1.0"


def test_a_checkout_that_says_that_every_signature_is_good_is_not_believed(
    maintainer: Maintainer, operator: Repository
) -> None:
    maintainer.release("1.1.0", tagging=("-s", "-u", str(maintainer.strange_key)))
    every = operator.folder / "every"
    every.write_text(f"* {maintainer.strange_key.with_suffix('.pub').read_text()}")
    git(operator.folder, "config", "gpg.ssh.program", "/bin/true")
    git(operator.folder, "config", "gpg.ssh.allowedSignersFile", str(every))
    with pytest.raises(Refused, match="not signed by a key"):
        fetched(operator)


def test_a_tag_that_was_changed_after_it_was_signed_is_refused(
    maintainer: Maintainer, operator: Repository
) -> None:
    name = maintainer.release("1.1.0")
    text = git(maintainer.folder, "cat-file", "tag", name)
    forged = subprocess.run(
        ["git", "mktag", "--no-strict"],
        cwd=maintainer.folder,
        input=text.replace("eventreg 1.1.0", "eventreg 1.1.0!") + "\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    git(maintainer.folder, "update-ref", "refs/tags/v1.1.0", forged)
    with pytest.raises(Refused, match="not signed by a key"):
        fetched(operator)


def test_a_tag_that_was_moved_is_refused(maintainer: Maintainer, operator: Repository) -> None:
    maintainer.release("1.1.0")
    assert fetched(operator) == "1.1.0"
    maintainer.release("1.1.0", {"more.txt": "more"}, ("-s", "--force"))
    with pytest.raises(Refused, match=r"v1\.1\.0 was moved"):
        fetched(operator)


def test_an_old_signed_tag_under_a_new_name_is_refused(
    maintainer: Maintainer, operator: Repository
) -> None:
    git(maintainer.folder, "update-ref", "refs/tags/v1.1.0", "refs/tags/v1.0.0")
    with pytest.raises(Refused, match=r"v1\.1\.0 is the tag v1\.0\.0 under another name"):
        fetched(operator)


def test_a_tag_whose_code_has_another_version_is_refused(
    maintainer: Maintainer, operator: Repository
) -> None:
    maintainer.tag("1.1.0", "-s")
    with pytest.raises(Refused, match=r"v1\.1\.0 holds the version 1\.0\.0"):
        fetched(operator)


def test_without_allowed_keys_and_with_keys_that_others_may_write_nothing_is_used(
    maintainer: Maintainer, operator: Repository
) -> None:
    maintainer.release("1.1.0")
    operator.signers.chmod(0o666)
    with pytest.raises(Refused, match="others can write to it"):
        fetched(operator)
    operator.signers.unlink()
    with pytest.raises(Refused, match="release-signers: No such file"):
        fetched(operator)


@pytest.fixture
def gnupg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A GnuPG of this test, with one key. Gives its fingerprint."""
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    made = [
        "gpg",
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "m@example.org",
        "ed25519",
    ]
    subprocess.run(made, check=True, capture_output=True)
    listed = subprocess.run(
        ["gpg", "--with-colons", "--list-keys"], check=True, capture_output=True, text=True
    ).stdout
    yield next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    subprocess.run(["gpgconf", "--kill", "all"], check=True)


def test_a_key_of_gnupg_counts_only_if_the_operator_allows_it(
    maintainer: Maintainer, tmp_path: Path, gnupg: str, operator: Repository
) -> None:
    git(maintainer.folder, "config", "gpg.format", "openpgp")
    maintainer.release("1.1.0", tagging=("-s", "-u", gnupg))
    here = Repository(operator.folder, "origin", operator.signers, Surroundings())
    with pytest.raises(Refused, match="not signed by a key"):
        fetched(here)
    with operator.signers.open("a") as file:
        file.write(f"gpg {gnupg[:20]} {gnupg[20:]} # the maintainer\n")
    assert fetched(here) == "1.1.0"
