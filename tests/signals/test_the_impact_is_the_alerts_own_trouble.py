"""Whatever a rule compares: the impact is above 0 where its expression is true, 0 where it is false, and falls as
things get better."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.signals.promql_reference import Vector, evaluated, labelled

from kubedrill.core.evidence.about import About
from kubedrill.plugins.sources.raw_values import raw_form
from kubedrill.plugins.sources.trouble import trouble_of

SHOP = About("shop")
NAMES = ("a", "b", "c")
values = st.integers(-4, 6).map(float) | st.floats(-4, 6, allow_nan=False).map(lambda v: round(v, 3))
bounds = st.sampled_from(["0", "1", "3", "-2", "2 * 1.5", "0.25"])
signs = st.sampled_from([">", ">=", "<", "<=", "==", "!="])
selectors = st.sampled_from([*NAMES, 'a{queue="x"}', 'b{queue!="y"}', 'c{namespace=~"s.*"}'])
vectors = selectors | st.builds("sum by (queue) ({})".format, selectors) | st.builds("max({})".format, selectors)
comparisons = st.one_of(
    st.builds("{} {} {}".format, vectors, signs, bounds),
    st.builds("{} {} {}".format, bounds, signs, vectors),
    st.builds("{} {} {}".format, selectors, signs, selectors),
    st.builds("({} {} bool {}) == 1".format, selectors, signs, bounds),
    st.builds("count({} {} {}) > 1".format, selectors, signs, bounds),
    st.builds("absent({})".format, selectors),
)
expressions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or", "unless"]), inner),
        st.builds("({}) {} on (queue) ({})".format, inner, st.sampled_from(["and", "unless"]), inner),
        st.builds("sum by (queue) ({})".format, inner),
    ),
    max_leaves=4,
)


@st.composite
def series(draw: st.DrawFn) -> Vector:
    """Some of the metrics' series: of the drill's namespace, of another one, and of none."""
    found = []
    for name in NAMES:
        for queue in draw(st.lists(st.sampled_from("xyz"), unique=True, max_size=3)):
            more = {"namespace": "shop"} if draw(st.booleans()) else {}
            found.append((labelled(__name__=name, queue=queue, **more), draw(values)))
    return found


def elsewhere(data: Vector, values: list[float]) -> Vector:
    """The same metrics in another team's namespace."""
    moved = (frozenset({p for p in labels if p[0] != "namespace"} | {("namespace", "bank")}) for labels, _ in data)
    return list(zip(moved, values, strict=False))


def impact(expression: str, data: Vector) -> float | None:
    """The impact at one instant; nothing where it has no data."""
    query = trouble_of(expression, SHOP).query
    assert query, expression
    found = [value for _, value in evaluated(query, data)]
    return sum(found) if found else None


@given(expressions, series(), st.lists(values, min_size=9, max_size=9))
def test_the_alert_is_true_exactly_where_the_impact_is_in_trouble(expression, own, others):
    data = own + elsewhere(own, others)
    found = impact(expression, data)

    assert bool(evaluated(expression, own)) == (found is not None and found > 0)
    assert found is None or found >= 0


@given(st.builds("{} {} {}".format, selectors, signs, bounds), series())
def test_where_what_is_compared_has_data_the_impact_has_too(comparison, data):
    left = comparison.split(" ")[0]

    assert (impact(comparison, data) is None) == (not evaluated(left, data))


@given(st.sampled_from([">", ">=", "<", "<="]), bounds, values, values)
def test_it_is_never_higher_where_things_are_better(sign, bound, one, other):
    better, worse = sorted((one, other), reverse=sign[0] == "<")
    lower, higher = (impact(f"a {sign} {bound}", [(labelled(__name__="a"), value)]) for value in (better, worse))

    assert lower is not None
    assert higher is not None
    assert lower <= higher


@given(st.builds("{} {} {}".format, st.sampled_from(["a", "max(a)"]), signs, bounds), values)
def test_raw_samples_tell_the_same_as_prometheus_would(comparison, value):
    form = raw_form(trouble_of(comparison, SHOP).query)
    assert form is not None

    assert form.value(value) == pytest.approx(impact(comparison, [(labelled(__name__="a"), value)]))


@pytest.mark.parametrize(
    ("expression", "query", "better"),
    [
        ("q > 50", "(Q > 50) or (0 * Q)", "as Q falls"),
        ("50 < q", "(Q > 50) or (0 * Q)", "as Q falls"),
        ("q < 3", "(3 - (Q < 3)) or (0 * Q)", "as Q rises"),
        ("3 >= q", "(3 - (Q <= 3) + 1) or (0 * Q)", "as Q rises"),
        ("q == 0", "(0 * (Q == 0) + 1) or (0 * Q)", "as fewer series of Q are 0"),
        ("q != 3", "(abs((Q != 3) - 3)) or (0 * Q)", "as Q comes back to 3"),
        ("absent(q)", "(absent(Q)) or vector(0)", "when Q is there again"),
        ("absent_over_time(q[5m])", "(absent_over_time(Q[5m])) or vector(0)", "when Q is there again"),
        ("q > 5 and on () up == 1", "((Q > 5) and on () (U == 1)) or (0 * (Q and on () U))", "as Q falls"),
        ("q > 5 unless up", "((Q > 5) unless U) or (0 * Q)", "as Q falls"),
        ("sum(q > 5)", "(Q > 5) or (0 * Q)", "as Q falls"),
        ("count(up == 0) > 2", "(count(U == 0) > 2) or (0 * count(U))", "as count(U == 0) falls"),
        (
            "q > on (x) group_left (y) up",
            "((Q - on (x) group_left (y) U) > 0) or (0 * (Q - on (x) group_left (y) U))",
            "as Q - on (x) group_left (y) U falls",
        ),
    ],
)
def test_each_shape_has_its_query_and_its_direction(expression, query, better):
    def told(text: str) -> str:
        return text.replace("Q", 'q{namespace=~"shop|"}').replace("U", 'up{namespace=~"shop|"}')

    found = trouble_of(expression, SHOP)
    assert (found.query, found.better) == (told(query), told(better))


def test_b2_fewer_than_two_available_is_one_or_two_missing():
    rule = 'kube_deployment_status_replicas_available{job="ksm",namespace="fc-b2"} < 2'
    at = {
        n: [v for _, v in evaluated(trouble_of(rule, About("fc-b2")).query, [(AVAILABLE, float(n))])] for n in range(4)
    }

    assert at == {0: [2.0], 1: [1.0], 2: [0.0], 3: [0.0]}


AVAILABLE = labelled(__name__="kube_deployment_status_replicas_available", job="ksm", namespace="fc-b2")


def test_b3_no_heartbeat_is_the_trouble_and_one_is_none():
    query = trouble_of('absent(fc_heartbeat{namespace="fc-b3"})', About("fc-b3")).query
    beat = (labelled(__name__="fc_heartbeat", namespace="fc-b3"), 1.0)

    assert sum(v for _, v in evaluated(query, [])) == 1
    assert sum(v for _, v in evaluated(query, [beat])) == 0


def test_b16_another_teams_trouble_is_not_ours():
    query = trouble_of('unavailable{job="ksm",namespace=~"fc-.+"} > 0', About("fc-b16")).query
    ours, theirs = (labelled(__name__="unavailable", job="ksm", namespace=n) for n in ("fc-b16", "fc-b16n"))

    assert sum(v for _, v in evaluated(query, [(ours, 2), (theirs, 3)])) == 2
    assert sum(v for _, v in evaluated(query, [(ours, 2), (theirs, 0)])) == 2


def test_b4_the_environment_says_which_label_names_the_namespace_and_the_cluster():
    about = About("fc-b4", "exported_namespace", "eu.1", "region")

    assert trouble_of("u > 0", about).query.startswith('(u{exported_namespace=~"fc-b4|",region=~"eu\\\\.1|"} > 0)')


def test_a_selector_that_names_it_already_stays_as_it_is():
    assert trouble_of('u{namespace="shop"} > 0', SHOP).query == '(u{namespace="shop"} > 0) or (0 * u{namespace="shop"})'


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("job:slo_burn:alert", "is compared with nothing"),
        ("vector(1)", "is compared with nothing"),
        ("q > bool 5", "always fires"),
        ("(q > 5) or burning", "burning{namespace=~"),
        ("q < +Inf", "compared with inf"),
        ("default_rollup(q) > 5", "not PromQL that can be read here"),
        ("WITH (x = q) x > 5", "not PromQL that can be read here"),
        ('q{a="1" or b="2"} > 5', "selects with or"),
        ("queue_depth and", "not PromQL"),
        ("(" * 5000, "too long"),
        (f"q > {'r + ' * 400}r", "too long"),
    ],
)
def test_a7_what_can_not_be_derived_says_why(expression, why):
    found = trouble_of(expression, SHOP)

    assert found.query == ""
    assert why in found.why_not


def test_what_is_held_against_the_labels_of_an_aggregation_is_held_against_them_in_the_impact_too():
    found = trouble_of("sum by (queue) (a >= 1) and b", SHOP)
    assert "sum by (queue) (a" in found.query
    with_queue = labelled(__name__="a", queue="x", namespace="shop")
    assert impact("sum by (queue) (a >= 1) and b", [(with_queue, 2.0), (labelled(__name__="b", queue="x"), 1.0)]) == 2
    other = labelled(__name__="b", queue="x", namespace="shop")
    assert not impact("sum by (queue) (a >= 1) and b", [(with_queue, 2.0), (other, 1.0)])


# several windows of one burn rate: `or`

LIMIT = "14.4 * 0.001"
BURNS = f"(m5 > {LIMIT} and h1 > {LIMIT}) or (m30 > 6 * 0.001 and h6 > 6 * 0.001)"


def burning(**ratios: float) -> float:
    """The impact at these error ratios of its windows."""
    found = impact(BURNS, [(labelled(__name__=name, namespace="shop"), value) for name, value in ratios.items()])
    assert found is not None
    return found


def test_of_a_burn_rate_the_impact_falls_as_any_of_its_windows_does():
    """It fell only once the last of them was well: half an hour after the fix, which was held against people."""
    broken = burning(m5=0.5, h1=0.3, m30=0.4, h6=0.1)
    just_fixed = burning(m5=0.4, h1=0.3, m30=0.39, h6=0.1)
    short_window_well = burning(m5=0.0, h1=0.28, m30=0.33, h6=0.1)
    all_but_well = burning(m5=0.0, h1=0.1, m30=0.007, h6=0.05)

    assert broken > just_fixed > short_window_well > all_but_well > 0
    assert burning(m5=0.0, h1=0.1, m30=0.005, h6=0.05) == 0


def test_each_side_counts_against_its_own_limit():
    errors_and_latency = "errors > 0.01 or latency > 2"
    one = impact(errors_and_latency, [(labelled(__name__="errors"), 0.02), (labelled(__name__="latency"), 4.0)])
    assert one == 4
    assert "each against its own limit" in trouble_of(errors_and_latency, SHOP).better


def test_sides_that_nothing_can_be_measured_by_are_counted():
    found = trouble_of("errors > 0 or restarts > 0", SHOP)
    assert found.better.endswith("the number of series in trouble")
    assert impact("errors > 0 or restarts > 0", [(labelled(__name__=n), 7.0) for n in ("errors", "restarts")]) == 1


def test_what_stands_beside_an_or_bears_on_each_of_its_sides():
    expression = "(a > 1 or b > 2) and c == 1"
    data = [(labelled(__name__="a"), 3.0), (labelled(__name__="b"), 4.0)]
    assert impact(expression, [*data, (labelled(__name__="c"), 1.0)]) == 5
    assert impact(expression, [*data, (labelled(__name__="c"), 0.0)]) == 0
