"""Memory quantities are read and written as the API server does."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedrill.api.quantities import canonical_quantity, format_memory, parse_memory, parse_quantity

# What a 1.35 server stores for each writing (kubectl apply, then get).
STORED = {
    "1024Mi": "1Gi",
    "1.5Gi": "1536Mi",
    "512Ki": "512Ki",
    "0.5Ki": "512",
    "0.1Mi": "104857600m",
    "1000": "1k",
    "0.5G": "500M",
    "128M": "128M",
    "1500": "1500",
    "100.5": "100500m",
    "128m": "128m",
    "1e3": "1e3",
    "0": "0",
    "1E": "1E",
    "1Ei": "1Ei",
}


@pytest.mark.parametrize(("written", "stored"), STORED.items())
def test_a_quantity_is_stored_with_the_largest_suffix_of_its_family(written, stored):
    assert canonical_quantity(written) == stored


@pytest.mark.parametrize("written", STORED)
def test_the_stored_writing_means_the_same(written):
    assert parse_quantity(canonical_quantity(written)) == parse_quantity(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("64Mi", 67_108_864),
        ("1G", 1_000_000_000),
        ("128m", 1),
        ("1.5", 2),
        (67_108_864, 67_108_864),
        ("1e3", 1000),
    ],
)
def test_memory_is_whole_bytes_rounded_up(written, size):
    assert parse_memory(written) == size


@given(st.integers(min_value=0, max_value=2**60))
def test_bytes_survive_being_written_and_read(size):
    assert parse_memory(format_memory(size)) == size


@given(st.integers(min_value=1, max_value=2**40))
def test_whole_kibibytes_are_written_as_the_server_stores_them(kibibytes):
    text = format_memory(kibibytes * 1024)
    assert canonical_quantity(text) == text


def test_nothing_is_lost_to_floating_point():
    assert parse_quantity("0.1") == Fraction(1, 10)
    assert parse_quantity("9007199254740993") == 9_007_199_254_740_993


@pytest.mark.parametrize("text", ["", "Mi", "64 Mi", "64mi", "1.2.3", "64MB", "NaN"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="no quantity"):
        parse_quantity(text)
