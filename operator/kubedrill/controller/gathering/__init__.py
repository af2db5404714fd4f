"""Observers: they ask and listen, and pour what the signals read into a drill's inbox."""

from kubedrill.controller.gathering.inbox import FactInbox
from kubedrill.controller.gathering.namespace import NamespaceWatches, Scope
from kubedrill.controller.gathering.probe import MonitoringProbe, Probe

__all__ = ["FactInbox", "MonitoringProbe", "NamespaceWatches", "Probe", "Scope"]
