"""The exporter's text, as Prometheus reads it."""

from __future__ import annotations

from staging.backlog import Counts
from staging.exporter import exposition


def test_every_figure_carries_the_namespace():
    counts = Counts(95, 5, 300, 200, 4, 3, {"worker-a": 1, "worker-b": 7})
    samples = [line for line in exposition(counts, "shop").splitlines() if not line.startswith("#")]
    assert samples == [
        'queue_depth{namespace="shop",queue="jobs"} 95',
        'jobs_in_flight{namespace="shop",queue="jobs"} 5',
        'jobs_produced_total{namespace="shop"} 300',
        'jobs_processed_total{namespace="shop"} 200',
        'workers_alive{namespace="shop"} 4',
        'workers_busy{namespace="shop"} 3',
        'worker_starts_total{namespace="shop",pod="worker-a"} 1',
        'worker_starts_total{namespace="shop",pod="worker-b"} 7',
    ]
