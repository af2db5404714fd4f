"""What runs first in the single file `kubectl-drill`: it unpacks the file once, and then runs what it unpacked.

Python loads no native modules (pydantic's core, the PromQL parser) from within a zip file, so the file is good for one
Python version on one platform, those that it was built with. Others install the wheel.
"""

import json
import os
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path


def main() -> None:
    """Unpacks where that was not done yet, and calls the command line."""
    file = Path(sys.argv[0]).resolve()
    with zipfile.ZipFile(file) as archive:
        built = json.loads(archive.read("built.json"))
        here = {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", "platform": sysconfig.get_platform()}
        wrong = [f"{name} {built[name]}, and this is {here[name]}" for name in here if here[name] != built[name]]
        if wrong:
            sys.exit(f"{file.name} is for {'; for '.join(wrong)}. Install the wheel: pipx install kubedrill-*.whl")
        packages = cache() / f"{built['digest']}"
        if not packages.exists():
            unpack(archive, packages)
    sys.path.insert(0, str(packages / "packages"))
    from kubedrill.cli.main import main as command_line  # noqa: PLC0415  it was not there before

    command_line()


def cache() -> Path:
    """Where it is unpacked: in a folder of this user's own."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubedrill" / "single-file"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if home.stat().st_uid != os.getuid():
        sys.exit(f"{home} is somebody else's: what is in it would be run as you. Remove it, or set XDG_CACHE_HOME")
    return home


def unpack(archive: zipfile.ZipFile, target: Path) -> None:
    """All at once or not at all: another process may unpack, too, and this one may be interrupted."""
    beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        archive.extractall(beside)
        beside.rename(target)
    except OSError:
        if not target.exists():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


if __name__ == "__main__":
    main()
