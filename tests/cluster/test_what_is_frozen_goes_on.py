"""A node that is removed goes, whatever in it is frozen; what is frozen elsewhere is nobody's business here."""

from pathlib import Path

from cluster.frozen import thaw


def test_what_is_frozen_in_its_nodes_goes_on_and_nothing_else(tmp_path: Path):
    ours, others = tmp_path / "node/pod/freezer.state", tmp_path / "paused/freezer.state"
    for state in (ours, others):
        state.parent.mkdir(parents=True)
        state.write_text("FROZEN\n", encoding="ascii")
    thaw(["node", "gone"], tmp_path)
    assert ours.read_text(encoding="ascii") == "THAWED"
    assert others.read_text(encoding="ascii") == "FROZEN\n"
