"""What the documentation says of recorded clients is what they left and what they were billed."""

from pathlib import Path

import pytest

from .recorded_comparison import CORPORA, corpora, row, truth

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
RECORDED = list(corpora()) if CORPORA.is_dir() else []

pytestmark = pytest.mark.skipif(
    not RECORDED, reason="the recorded clients lie beside the checkout of those who have them"
)


@pytest.mark.slow
@pytest.mark.parametrize("corpus", RECORDED, ids=lambda corpus: str(corpus.name))
def test_the_documentation_tells_what_the_ledger_makes_of_a_recording(corpus):
    assert row(corpus) in PAGE.read_text(encoding="utf-8")


def test_the_documentation_tells_of_every_recording_and_its_truth():
    page = PAGE.read_text(encoding="utf-8")
    for corpus in RECORDED:
        billed, logged = truth(corpus)
        assert f"| {corpus.name} | {billed.requests:,} | {logged.requests:,} |" in page
        assert f"| {sum(logged.tokens):,} |" in page
