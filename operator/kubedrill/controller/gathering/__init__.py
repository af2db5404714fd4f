"""Observers: they ask and listen, and pour what the signals read into a drill's inbox."""

from kubedrill.controller.gathering.inbox import FactInbox
from kubedrill.controller.gathering.namespace import ClusterObserver, Scope
from kubedrill.controller.gathering.probe import Monitoring, Probe

__all__ = ["ClusterObserver", "FactInbox", "Monitoring", "Probe", "Scope"]
