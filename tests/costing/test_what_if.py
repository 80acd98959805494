"""Another policy beside today's, and the policy that the organisation's files mean."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.costing import Policy, compared, context_fit, policy_of
from fleet_pipeline.costing.what_if import COMPARED
from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import Org, load

Make = Callable[..., pl.DataFrame]

START, END = date(2026, 5, 18), date(2026, 6, 17)
M = 1_000_000
GLM, HAIKU = "z-ai/glm-5.2", "anthropic/claude-haiku-4.5"


@pytest.fixture(scope="module")
def org() -> Org:
    return load(Path(__file__).parents[2] / "orgs" / "riles-fleet")


@pytest.fixture(scope="module")
def policy(org: Org) -> Policy:
    made = policy_of(org)
    assert made is not None
    return made


def test_the_change_is_what_the_other_policy_adds_to_todays_row(
    requests: Make, policy: Policy
) -> None:
    rows = requests(*({"session_id": str(n), "input_tokens": 100_000} for n in range(10)))
    today = policy.narrowed(model=GLM, share=0.2)
    table = compared(rows, today, policy.narrowed(share=0.7), window_start=START, window_end=END)
    pairs = table.filter(model=GLM, name="expected").sort("policy", descending=True)
    before, after = pairs.to_dicts()
    assert (before["policy"], before["moved_requests"]) == ("today", 2)
    assert (after["policy"], after["moved_requests"]) == ("instead", 7)
    for name in COMPARED:
        assert before[f"change_{name}"] is None
        assert after[f"change_{name}"] == after[name] - before[name]
    # Where today's policy has no such target there is nothing to compare with.
    alone = table.filter(model=HAIKU)
    assert set(alone["policy"]) == {"instead"}
    assert set(alone["change_saving_usd_micros"]) == {None}


def test_a_target_that_is_no_candidate_is_refused_with_those_there_are(policy: Policy) -> None:
    assert [target.model for target in policy.narrowed(model=GLM).targets] == [GLM]
    assert policy.narrowed(share=0).share == 0
    assert policy.narrowed().share == policy.share
    with pytest.raises(ConfigurationError, match=f"(?s)glm-6.*{GLM}"):
        policy.narrowed(model="glm-6")


def test_an_organisation_that_assumes_nothing_has_no_policy(org: Org) -> None:
    assert policy_of(org.model_copy(update={"replay": None})) is None


def test_private_agents_stay_and_limits_are_those_of_the_files(policy: Policy, org: Org) -> None:
    assert policy.private_agents == {"hippocrates"}
    [glm] = policy.narrowed(model=GLM).targets
    assert glm.prompt_limit(policy.room) == int(0.95 * (1_048_576 - 32_768))
    capped = replace(glm, max_input_tokens=1_000)
    assert capped.prompt_limit(policy.room) == 1_000
    assert replace(glm, context_tokens=None).prompt_limit(1) is None


def test_without_a_replay_a_prompt_may_fill_all_that_the_longest_output_leaves(
    requests: Make, org: Org
) -> None:
    rows = requests({"input_tokens": 200_000 - 64_000})
    for replay, fits in ((org.replay, 0), (None, 1)):
        table = context_fit(rows, org.model_copy(update={"replay": replay}))
        assert table.filter(model=HAIKU)["requests_fit"].item() == fits
