"""The list of parts (SBOM) of a release, in the CycloneDX format."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def libraries(code: Path, *, is_checked: bool) -> dict[str, Any]:
    """The libraries of requirements.txt with their checksums, as cyclonedx-bom lists them."""
    check = "--validate" if is_checked else "--no-validate"
    tool = Path(sys.executable).with_name("cyclonedx-py")
    listing = ["requirements", "requirements.txt", "--output-reproducible", "--of", "JSON", check]
    done = subprocess.run([tool, *listing], cwd=code, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def scanner(code: Path) -> dict[str, Any]:
    """The library in the door's scripts, from npm's lock."""
    lock = json.loads((code / "package-lock.json").read_text(encoding="utf-8"))
    qr = lock["packages"]["node_modules/qr"]
    digest = base64.b64decode(qr["integrity"].removeprefix("sha512-")).hex()
    return {
        "bom-ref": "npm-qr",
        "type": "library",
        "name": "qr",
        "version": qr["version"],
        "purl": f"pkg:npm/qr@{qr['version']}",
        "licenses": [{"expression": qr["license"].strip("()")}],
        "hashes": [{"alg": "SHA-512", "content": digest}],
    }


def sbom(code: Path, version: str, *, is_checked: bool = True) -> str:
    """The list of all parts of the code in that folder. The same code gives the same text.
    ``is_checked`` compares it with the schema of CycloneDX, which takes seconds."""
    found = libraries(code, is_checked=is_checked)
    for one in found["components"]:  # it quotes the line and guesses the host of an index
        one.pop("description", None)
        for reference in one.get("externalReferences", ()):
            if reference.get("comment") == "implicit dist url":
                one["hashes"] = reference.get("hashes", [])
        one.pop("externalReferences", None)
    found["components"].append(scanner(code))
    found["dependencies"].append({"ref": "npm-qr"})
    found["metadata"]["component"] = {
        "bom-ref": "eventreg",
        "type": "application",
        "name": "eventreg",
        "version": version,
        "licenses": [{"license": {"id": "MIT"}}],
    }
    return json.dumps(found, indent=1, sort_keys=True) + "\n"
