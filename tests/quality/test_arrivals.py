"""What arrived beside what used to: each check seen to pass, and to fail on a planted fault."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl
import pytest

from fleet_pipeline import quality

CLOSE = date(2026, 6, 17)


def daily(**agents: Sequence[int]) -> pl.DataFrame:
    """Return a row for each day on which an agent worked, in days before the close."""
    rows = [
        {"agent": agent, "date": CLOSE - timedelta(days=day)}
        for agent, days in agents.items()
        for day in days
    ]
    return pl.DataFrame(rows, schema={"agent": pl.String, "date": pl.Date})


def volumes(*claude: int | None, codex: Sequence[int | None] = ()) -> pl.DataFrame:
    """Return the volumes of so many weeks, the one that closes last."""
    told = {"claude": claude, "codex": codex or [None if each is None else 0 for each in claude]}
    rows = [
        {
            "client": client,
            "week_start": CLOSE - timedelta(weeks=len(weeks) - place),
            "full_input_tokens": tokens,
        }
        for client, weeks in told.items()
        for place, tokens in enumerate(weeks)
    ]
    return pl.DataFrame(rows, schema_overrides={"full_input_tokens": pl.Int64})


def coverage(last_day: date | None) -> pl.DataFrame:
    return pl.DataFrame({"days": [30], "window_end": [CLOSE], "last_day": [last_day]})


def test_an_agent_that_worked_most_days_and_stopped_is_named() -> None:
    worked = range(8, 20)
    found = quality.agents_are_heard_of(daily(forge=worked, sage=range(1, 20)), CLOSE)
    assert not found.passed and not found.refuses
    assert found.says == "no request for 7 days from forge"
    assert found.counts == {"silent_agents": 1}


@pytest.mark.parametrize(
    "agents",
    [
        {"forge": range(7, 20)},  # heard of within seven days
        {"forge": range(8, 15)},  # never one that works most days
        {"unattributed": range(8, 30)},
    ],
)
def test_an_agent_that_was_heard_of_or_was_never_regular_is_no_news(
    agents: dict[str, Sequence[int]],
) -> None:
    assert quality.agents_are_heard_of(daily(**agents), CLOSE).passed


@pytest.mark.parametrize("now", [49, 151])
def test_a_week_beyond_the_band_of_the_weeks_before_is_a_warning(now: int) -> None:
    found = quality.volumes_are_usual(volumes(100, 100, 100, 100, now))
    assert not found.passed and not found.refuses
    assert found.says == f"claude: {now} tokens of input in the week, 50 to 150 are usual"


def test_a_band_is_as_wide_as_the_weeks_before_were_apart() -> None:
    restless = (40, 80, 120, 160)
    assert quality.volumes_are_usual(volumes(*restless, 300)).passed
    assert not quality.volumes_are_usual(volumes(*restless, 400)).passed


@pytest.mark.parametrize(
    "weeks", [(100, 100, 100, 1), (None, 100, 100, 100, 1), (1, 1, 1, 1, None)]
)
def test_too_few_weeks_before_are_nothing_to_compare_with(weeks: tuple[int | None, ...]) -> None:
    found = quality.volumes_are_usual(volumes(*weeks))
    assert found.passed and "nothing to compare with" in found.says


def test_a_week_that_falls_by_more_than_sixty_percent_refuses_and_says_how_far() -> None:
    assert quality.volume_has_not_collapsed(volumes(1000, 400)).passed
    found = quality.volume_has_not_collapsed(volumes(1000, 399))
    assert found.refuses
    assert found.says == (
        "399 tokens of input in the week, 60% less than usual (1,000, the median of 1 before)"
    )
    assert "accept it" in found.told


def test_one_week_of_rest_does_not_make_the_next_look_full() -> None:
    assert quality.volume_has_not_collapsed(volumes(1000, 1000, 10, 900)).passed
    assert quality.volume_has_not_collapsed(volumes(1000, 1000, 10, 300)).refuses


def test_the_fall_is_that_of_both_clients_together() -> None:
    assert quality.volume_has_not_collapsed(volumes(900, 900, codex=(100, 0))).passed
    assert quality.volume_has_not_collapsed(volumes(900, 0, codex=(100, 100))).refuses


@pytest.mark.parametrize("weeks", [(None, 0), (None, None), (0, 0), (0, 5)])
def test_a_first_week_has_nothing_to_fall_from(weeks: tuple[int | None, ...]) -> None:
    assert quality.volume_has_not_collapsed(volumes(*weeks)).passed


def test_silence_without_a_transcript_is_a_lost_folder_and_refuses() -> None:
    since = CLOSE - timedelta(days=4)
    found = quality.silence_is_explained(coverage(since), lying_there=0)
    assert found.refuses and "the last 3 days hold no request" in found.says
    assert "mounted" in found.told
    assert quality.silence_is_explained(coverage(None), lying_there=0).refuses


def test_silence_beside_transcripts_is_a_fleet_at_rest() -> None:
    assert quality.silence_is_explained(coverage(CLOSE - timedelta(days=9)), lying_there=1).passed
    assert quality.silence_is_explained(coverage(CLOSE - timedelta(days=3)), lying_there=0).passed


def test_hosts_and_entries_that_may_not_be_read_are_a_warning_by_name_and_number() -> None:
    assert quality.hosts_are_read([], 0).passed
    found = quality.hosts_are_read(["build-box"], 3)
    assert not found.passed and not found.refuses
    assert found.says == "not read: build-box; 3 entries may not be read"
    assert found.counts == {"hosts_not_read": 1, "entries_not_readable": 3}


def contexts(largest: int, window: int | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"model": ["opus"], "largest_tokens": [largest], "context_tokens": [window]},
        schema_overrides={"context_tokens": pl.Int64},
    )


def test_a_request_beyond_its_models_window_is_a_warning_with_both_sizes() -> None:
    assert quality.requests_fit_their_window(contexts(200_000, 200_000)).passed
    assert quality.requests_fit_their_window(contexts(900_000, None)).passed
    found = quality.requests_fit_their_window(contexts(200_001, 200_000))
    assert not found.passed and not found.refuses
    assert "opus (200,001 tokens in a window of 200,000)" in found.says


def test_a_candidate_that_is_not_ranked_or_was_not_asked_for_refuses() -> None:
    ranking = pl.DataFrame({"model": ["glm", "qwen"]})
    assert quality.ranking_is_complete(ranking, ["qwen", "glm"]).passed
    found = quality.ranking_is_complete(ranking, ["glm", "kimi"])
    assert found.refuses
    assert found.says == "missing: kimi; not asked for: qwen"


@pytest.mark.parametrize(
    "there",
    [{"page.json": "other"}, {}, {"page.json": "sum", "beside.txt": "sum"}],
    ids=["changed", "gone", "beside"],
)
def test_published_files_that_are_not_as_listed_are_named(there: dict[str, str]) -> None:
    listed = {"page.json": "sum"}
    assert quality.published_bytes_are_listed(listed, listed).passed
    found = quality.published_bytes_are_listed(there, listed)
    assert not found.passed and found.counts["files_off"] == 1
    assert ("beside.txt" if "beside.txt" in there else "page.json") in found.says
