"""What must never be published."""

import polars as pl
import pytest

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing.privacy import assert_publishable, looks_like_a_path

from .reference_page import changed, reference_page

PATHS = (
    "/home/zach/work", "/Users/zach", "see /home/zach/x.txt for more", "/var/lib/fleet",
    "(/root/secret)", "C:\\Users\\zach", "D:/work/fleet", "\\\\server\\share", "/q/repo",
    "file:///home/zach/x", "-home-zach-code-fleet", "path=/tmp/x",
)  # fmt: skip
HARMLESS = (
    "Spark-5.3 / free API", "Low/medium", "z-ai/glm-5.2", "https://openrouter.ai/api/v1/models",
    "https://example.com/home/x", "~/.claude/projects", "auth/session logic", "$1.40/$4.40 per M",
    "and/or", "sql/cost_scenarios.sql", "/month", "ratio 3:1", "a: b", "Opus-gated",
)  # fmt: skip


@pytest.mark.parametrize("text", PATHS)
def test_a_path_is_recognised(text: str) -> None:
    assert looks_like_a_path(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_route_a_price_or_an_address_is_no_path(text: str) -> None:
    assert not looks_like_a_path(text)


def test_the_reference_page_may_be_published(tables: dict[str, pl.DataFrame]) -> None:
    assert_publishable(reference_page(), tables)
    assert not any(set(frame.columns) & {"cwd"} for frame in tables.values())


@pytest.mark.parametrize("text", PATHS)
def test_a_path_on_the_page_is_refused_by_place_and_not_repeated(text: str) -> None:
    with pytest.raises(PublicationError, match=r"page\.json\.principles\.lever") as refused:
        assert_publishable(changed(principles__lever=text), {})
    assert text not in str(refused.value)
    with pytest.raises(PublicationError, match="a key of") as refused:
        assert_publishable(changed(sources__quarantined={text: 1}), {})
    assert text not in str(refused.value)


@pytest.mark.parametrize("column", ["cwd", "request_id", "message_id", "session_id"])
def test_a_private_column_is_refused(column: str) -> None:
    with pytest.raises(PublicationError, match=f"requests.*{column}"):
        assert_publishable({}, {"requests": pl.DataFrame({column: ["x"]})})


@pytest.mark.parametrize(
    "values", [["/home/zach"], [["ok", "/home/zach"]], [{"a": "/home/zach"}]]
)  # fmt: skip
def test_a_path_in_any_cell_is_refused(values: list[object]) -> None:
    with pytest.raises(PublicationError, match="table t, column agent"):
        assert_publishable({}, {"t": pl.DataFrame({"agent": values})})
    as_category = pl.DataFrame({"agent": ["/home/zach"]}, schema={"agent": pl.Categorical})
    with pytest.raises(PublicationError, match="table t, column agent"):
        assert_publishable({}, {"t": as_category})
