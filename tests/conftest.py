"""What holds for every level."""

import os

from hypothesis import settings

from kubedrill.plugins import faults  # noqa: F401  a scenario is read by the kinds that are registered, in any test


def pytest_configure() -> None:
    """No connection reads the machine's own authorities: what tests talk to has none, or the one of its kubeconfig.

    Reading them takes 20 ms for each connection that is made: half of the time of the tests of the command line.
    """
    os.environ["SSL_CERT_FILE"] = os.devnull
    # how long an example takes tells how busy the machine is, not whether the rule holds
    settings.register_profile("kubedrill", deadline=None)
    settings.load_profile("kubedrill")
