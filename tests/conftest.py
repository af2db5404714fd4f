"""What holds for every level."""

import gc
import os
import sys
from pathlib import Path

from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.database import DirectoryBasedExampleDatabase
from tests.examples import share_of

from kubedrill.plugins import faults  # noqa: F401  a scenario is read by the kinds that are registered, in any test


def pytest_configure() -> None:
    """No connection reads the machine's own authorities: what tests talk to has none, or the one of its kubeconfig.

    Reading them takes 20 ms for each connection that is made: half of the time of the tests of the command line.
    """
    os.environ["SSL_CERT_FILE"] = os.devnull
    # tables of Unicode, which take a second to make, lie with the environment, and what was found with the tests
    set_hypothesis_home_dir(Path(sys.prefix) / "hypothesis")
    found = DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".hypothesis" / "examples")
    # how long an example takes tells how busy the machine is, not whether the rule holds
    settings.register_profile("kubedrill", deadline=None, database=found, max_examples=share_of())
    settings.load_profile("kubedrill")


def pytest_collection_finish() -> None:
    """What is collected, some million objects, stays until the end: no look for garbage goes through it again.

    They would cost more than many a test.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
