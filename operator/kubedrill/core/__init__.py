"""Decisions only: pure functions on frozen data. No clock, network, random, asyncio, kopf or kubernetes."""
