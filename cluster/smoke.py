"""Proof of what all-Ready does not show: names resolve, and Services with two endpoints answer."""

import time

from cluster.commands import ClusterError
from cluster.kind import Kind
from cluster.settings import SOURCES

NAMESPACE = "cluster-smoke"
ENDPOINTS = 2
REQUESTS = 8
SECONDS = 60.0
# nslookup and nc, because what asks the C library for names crashes in a static busybox.
ASK = f"""\
address=$(busybox nslookup hostname.{NAMESPACE}.svc.cluster.local | busybox sed -n 's/^Address: //p')
for n in $(busybox seq {REQUESTS}); do
  printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 1 $address 80 | busybox tail -n 1
done
"""


def check_service(kind: Kind) -> None:
    """Ask a Service of two pods by its name until both have answered; what was made is removed.

    Raises:
        ClusterError: not both pods answered in time.
    """
    space = f"--namespace={NAMESPACE}"
    try:
        kind.kubectl("apply", "--filename=-", text_input=(SOURCES / "smoke.yaml").read_text())
        kind.kubectl("rollout", "status", "deployment/hostname", space, "--timeout=60s")
        answered: set[str] = set()
        # an endpoint that is Ready reaches the nodes' rules up to a second or two later
        deadline = time.monotonic() + SECONDS
        while len(answered) < ENDPOINTS and time.monotonic() < deadline:
            answered |= set(kind.kubectl("exec", "deployment/hostname", space, "--", "sh", "-c", ASK).split())
        if len(answered) < ENDPOINTS:
            raise ClusterError(f"a Service with two pods was answered by: {sorted(answered) or 'none'}")
    finally:
        kind.kubectl("delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found")
