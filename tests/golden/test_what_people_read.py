"""What people read stands in one file, so that a review sees every sentence that is new or has changed."""

from __future__ import annotations

from tests.golden.sentences import GOLDEN, sentences


def test_every_sentence_is_in_the_file_for_review():
    assert sentences() == GOLDEN.read_text(encoding="utf-8"), "make generate"


def test_the_oddest_ones_of_the_reviews_are_gone():
    said = sentences()
    for odd in ("Well played", "the players are at it", "in vain", "is so already", "comes and goes", "is no PromQL"):
        assert odd not in said
