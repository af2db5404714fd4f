"""Writes the CRDs with every fault kind in them: `python -m kubedrill.plugins.crds OUTDIR`."""

from __future__ import annotations

import sys
from pathlib import Path

from kubedrill.api.crd import write
from kubedrill.plugins import faults  # noqa: F401  importing it registers the fault kinds

if __name__ == "__main__":
    write(Path(sys.argv[1]))
