"""Who the players of a drill are: names of a roster, or people whom the drill describes itself."""

from tests.environments.builders import drill_spec, person, refused, roster, settled

from kubedrill.core.plan.drill_plan import Participant

ALICE = person("alice", "L1", identities={"kubernetes": "alice@example.com", "fieldManager": "alice-cli"})
ROBOT = person("robo", "L2", kind="Script")


def test_a_name_is_enough_for_somebody_of_the_only_roster():
    found = settled(drill_spec({"name": "alice"}, {"name": "robo"}), roster("on-call", ALICE, ROBOT))

    assert found.players == (
        Participant("alice", "L1", "Human", "alice@example.com", "alice-cli"),
        Participant("robo", "L2", "Script"),
    )
    assert (found.roster, found.said) == ("on-call", ("players of roster on-call: alice (L1), robo (L2)",))


def test_what_the_drill_says_of_a_player_wins_one_by_one():
    said = {"name": "alice", "role": "IncidentCommander"}
    found = settled(drill_spec(said), roster("on-call", ALICE))

    assert found.players == (Participant("alice", "IncidentCommander", "Human", "alice@example.com", "alice-cli"),)
    assert found.said == ("players of roster on-call: alice (IncidentCommander)",)
    with_names = said | {"identities": {"kubernetes": "root"}, "kind": "Agent"}
    assert settled(drill_spec(with_names), roster("on-call", ALICE)).players == (
        Participant("alice", "IncidentCommander", "Agent", "root", ""),
    )


def test_of_somebody_whom_the_drill_describes_in_full_nothing_is_taken_from_the_roster():
    whole = {"name": "alice", "role": "L2", "kind": "Agent", "identities": {"fieldManager": "a"}}
    found = settled(drill_spec(whole), roster("on-call", ALICE))

    assert found.players == (Participant("alice", "L2", "Agent", "", "a"),)
    assert found.said == ()


def test_somebody_whom_the_drill_describes_needs_no_roster():
    for beside in ((), (roster("on-call", ROBOT),)):
        assert settled(drill_spec(person("alice")), *beside).players == (Participant("alice", "L1", "Human"),)


def test_of_several_rosters_the_one_that_the_drill_names_is_read():
    days, nights = roster("days", ALICE), roster("nights", person("alice", "L2"))
    found = settled(drill_spec({"name": "alice"}, roster="nights"), days, nights)

    assert (found.roster, found.players) == ("nights", (Participant("alice", "L2", "Human"),))


def test_of_several_that_it_does_not_name_none_is_read_and_a_mere_name_is_refused():
    beside = (roster("days", ALICE), roster("nights", ROBOT))

    assert settled(drill_spec(person("alice")), *beside).players == (Participant("alice", "L1", "Human"),)
    assert refused(drill_spec({"name": "alice"}), *beside) == (
        "RosterAmbiguous",
        "no role is given for alice, and there are several DrillRosters (days, nights): name one in roster",
    )


def test_a_name_that_nobody_has_is_refused():
    assert refused(drill_spec({"name": "tom"}, {"name": "emma"}), roster("on-call", ALICE)) == (
        "PlayerUnknown",
        (
            "no role is given for emma, tom, and DrillRoster on-call does not list them: add them to it, or give a role"
            " in players"
        ),
    )
    assert refused(drill_spec({"name": "tom"})) == (
        "PlayerUnknown",
        (
            "no role is given for tom, and there is no DrillRoster in the drill's namespace: give a role in players,"
            " or create a roster"
        ),
    )


def test_a_roster_that_is_not_there_is_refused_by_name():
    assert refused(drill_spec(person("alice"), roster="nights"), roster("days", ALICE)) == (
        "RosterNotFound",
        "there is no DrillRoster nights in the drill's namespace (days): name another in roster, or create it",
    )


def test_the_line_that_tells_of_them_fits_the_status():
    people = [person(f"somebody-{n}", "IncidentCommander") for n in range(50)]
    found = settled(drill_spec(*({"name": p["name"]} for p in people)), roster("all", *people))

    assert len(found.players) == 50
    assert all(len(line) <= 256 for line in found.said)
    assert found.said[-1].endswith(" …")
