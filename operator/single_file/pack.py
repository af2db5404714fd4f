"""Packs installed packages into one file that a Python runs: `python operator/single_file/pack.py PACKAGES FILE`."""

import hashlib
import json
import sys
import sysconfig
import zipfile
from pathlib import Path

FIRST = Path(__file__).with_name("__main__.py")
LEFT_OUT = {"__pycache__", "bin"}
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every file in it: the same packages make the same file."""


def pack(packages: Path, file: Path) -> None:
    """Writes the file: a line that finds Python, then a zip with what runs first and the packages."""
    held = sorted(path for path in packages.rglob("*") if path.is_file() and not LEFT_OUT & set(path.parts))
    contents = {f"packages/{path.relative_to(packages).as_posix()}": path.read_bytes() for path in held}
    contents["__main__.py"] = FIRST.read_bytes()
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    built = {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "platform": sysconfig.get_platform(),
        "digest": digest.hexdigest()[:20],
    }
    contents["built.json"] = json.dumps(built).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        out.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in sorted(contents.items()):
                archive.writestr(zipfile.ZipInfo(name, EARLIEST), content, zipfile.ZIP_DEFLATED)
    file.chmod(0o755)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
