"""Channels are found by themselves, and a module that is none is found at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kubedrill.api.scenario import Channel
from kubedrill.plugins import channels
from kubedrill.plugins.channels import carriers, discover
from kubedrill.plugins.registry import DefectiveMemberError


@pytest.fixture
def spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of one more module of the package."""
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "kubedrill.plugins.channels.carrier_pigeon", raising=False)
    return tmp_path / "carrier_pigeon.py"


def test_a_file_alone_makes_a_channel(spare: Path):
    spare.write_text("""
from kubedrill.plugins.channels.base import ChannelKind
CHANNEL = ChannelKind("carrierPigeon", "A bird.")
""")
    assert "carrierPigeon" in discover.__wrapped__()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nothing = 1\n", "carrier_pigeon.py has no CHANNEL"),
        (
            "from kubedrill.plugins.channels.kubernetes_events import CHANNEL\n",
            "carrier_pigeon.py is the channel kubernetesEvents: name it after its",
        ),
    ],
)
def test_a_defective_module_stops_the_discovery(spare: Path, source: str, complaint: str):
    spare.write_text(source)
    with pytest.raises(DefectiveMemberError, match=complaint):
        discover.__wrapped__()


@pytest.mark.parametrize("kind", [channel.value for channel in Channel])
def test_whatever_an_inject_may_be_there_is_a_channel_that_carries_it(kind: str):
    assert carriers(kind)
