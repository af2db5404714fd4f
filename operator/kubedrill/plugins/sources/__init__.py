"""Signals: one module a source, each reading what that source says into facts. Pure: no clock, no network."""
