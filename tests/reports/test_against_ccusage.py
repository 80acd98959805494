"""`fleet usage` beside ccusage: equal where nothing misleads, right where something does."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ccusage_comparison import (
    Corpus,
    ask_ccusage,
    ask_fleet,
    ccusage,
    in_words,
    true_words,
    with_traps,
    without_traps,
)

PROGRAM = ccusage()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    mask = os.umask(0o022)
    yield tmp_path
    os.umask(mask)


@pytest.mark.parametrize(
    "corpus", [*without_traps(), *with_traps()], ids=lambda corpus: str(corpus.name)
)
def test_every_day_is_true_to_the_token(corpus: Corpus, home: Path) -> None:
    corpus.write(home)
    assert in_words(corpus, ask_fleet(corpus, home)) == "exact"


@pytest.mark.skipif(PROGRAM is None, reason="ccusage is not installed: name it with CCUSAGE")
@pytest.mark.parametrize("corpus", [*without_traps()], ids=lambda corpus: str(corpus.name))
def test_without_traps_ccusage_says_the_same_of_every_day(corpus: Corpus, home: Path) -> None:
    assert PROGRAM is not None
    corpus.write(home)
    ours, theirs = ask_fleet(corpus, home), ask_ccusage(PROGRAM, corpus, home)
    assert ours[0] == theirs[0] == corpus.truth
    assert ours[1] == pytest.approx(theirs[1])


def test_the_documentation_shows_every_corpus_and_its_truth() -> None:
    page = (Path(__file__).parents[2] / "docs" / "usage.md").read_text(encoding="utf-8")
    for corpus in (*without_traps(), *with_traps()):
        assert f"| {corpus.name} | {true_words(corpus)} | exact |" in page
