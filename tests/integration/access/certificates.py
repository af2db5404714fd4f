"""An authority of the test's own, and what it certifies, by openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certified:
    """A certificate with its key, as files."""

    crt: Path
    key: Path


class Authority:
    """What it certifies is in its folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._certified = folder, dict[str, Certified]()
        self.own = self._made("ca", "-addext", "basicConstraints=critical,CA:TRUE")

    def certified(self, name: str, *hosts: str) -> Certified:
        """A certificate for hosts, or for a client when there is none; the same one each time: servers may read it."""
        if name not in self._certified:
            self._certified[name] = self._signed(name, *hosts)
        return self._certified[name]

    def _signed(self, name: str, *hosts: str) -> Certified:
        names = ",".join(f"DNS:{host}" for host in hosts) or "email:drill@example.com"
        signed = ("-CA", str(self.own.crt), "-CAkey", str(self.own.key))
        return self._made(name, *signed, "-addext", f"subjectAltName={names}")

    def _made(self, name: str, *further: str) -> Certified:
        program = shutil.which("openssl")
        assert program, "openssl is not installed: make setup-services"
        made = Certified(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        files = ("-keyout", str(made.key), "-out", str(made.crt), "-subj", f"/CN={name}")
        subprocess.run([program, "req", "-x509", *curve, *files, *further], check=True, capture_output=True)
        return made
