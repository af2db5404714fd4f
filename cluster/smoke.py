"""Proof that a new self-built cluster works where all-Ready says nothing: names, and Services with two endpoints."""

from cluster.commands import ClusterError
from cluster.kind import Kind
from cluster.settings import SOURCES

NAMESPACE = "cluster-smoke"
# With two healthy endpoints, one of them is missed by all requests once in 2^23 times.
REQUESTS = 24
# nslookup and nc, because what asks the C library for names crashes in a static busybox.
ASK = f"""\
address=$(busybox nslookup hostname.{NAMESPACE}.svc.cluster.local | busybox sed -n 's/^Address: //p')
for n in $(busybox seq {REQUESTS}); do
  printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 5 $address 80 | busybox tail -n 1
done
"""


def check_service(kind: Kind) -> None:
    """Ask a Service of two pods by its name until both have answered; what was made is removed.

    Raises:
        ClusterError: not both pods answered.
    """
    try:
        kind.kubectl("apply", "--filename=-", text_input=(SOURCES / "smoke.yaml").read_text())
        kind.kubectl(
            "rollout", "status", "deployment/hostname", f"--namespace={NAMESPACE}", "--timeout=60s"
        )
        answer = kind.kubectl("exec", "deployment/hostname", f"--namespace={NAMESPACE}", "--", "sh", "-c", ASK)
        if len(set(answer.split())) != 2:
            raise ClusterError(f"a Service with two pods was answered by: {sorted(set(answer.split()))}")
    finally:
        kind.kubectl("delete", "namespace", NAMESPACE, "--wait=false", "--ignore-not-found")
