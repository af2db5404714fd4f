"""Observers: they ask and listen, and pour what the signals read into a drill's inbox."""

from kubedrill.shell.observers.cluster import ClusterObserver, Scope
from kubedrill.shell.observers.inbox import FactInbox
from kubedrill.shell.observers.monitoring import Monitoring, Probe

__all__ = ["ClusterObserver", "FactInbox", "Monitoring", "Probe", "Scope"]
