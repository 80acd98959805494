"""Questions in SQL: what may be asked, what is answered, and that nothing else can be reached."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline import ledger as fleet_ledger
from fleet_pipeline.errors import ConfigurationError, SourceError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger.columns import USAGE
from fleet_pipeline.ledger.store import by_day_and_host, write_days, write_frame
from fleet_pipeline.reports.answers import Form, in_form
from fleet_pipeline.reports.asking import ask, columns
from fleet_pipeline.reports.views import newest_request

Ledger = Callable[..., pl.DataFrame]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def written(home: Home, ledger: Ledger) -> Callable[..., Home]:
    """A home whose ledger holds the given requests."""

    def write(*rows: dict[str, object]) -> Home:
        parts = by_day_and_host(ledger(*rows))
        write_days(home.lake / "usage", {day for day, _ in parts}, parts, USAGE)
        return home

    return write


def week(home: Home, table: str, opens: str, **values: object) -> None:
    write_frame(home.lake / "weekly" / table / f"{opens}.parquet", pl.DataFrame([values]))


def only(home: Home, question: str) -> object:
    """Return the one value of the answer."""
    return ask(home, question).item()


class TestViews:
    def test_the_ledger_is_there_with_all_its_days_and_hosts(
        self, written: Callable[..., Home]
    ) -> None:
        home = written({"host": "laptop"}, {"host": "server", "ts": "2026-06-11 10:00"})
        assert ask(home, "select host, ts::date as day from usage order by 1").rows() == [
            ("laptop", date(2026, 6, 10)),
            ("server", date(2026, 6, 11)),
        ]

    def test_the_demo_fleet_is_left_out_as_it_is_everywhere(
        self, written: Callable[..., Home]
    ) -> None:
        home = written({"host": "demo"}, {"host": "demo"})
        assert only(home, "select count(*) from usage") == 2
        home = written({"host": "demo"}, {"host": "laptop"})
        assert only(home, "select count(*) from usage") == 1 == fleet_ledger.usage(home).height

    def test_a_home_without_a_ledger_has_empty_views(self, home: Home) -> None:
        for view in ("usage", "quota", "events_claude", "events_codex"):
            assert only(home, f"select count(*) from {view}") == 0
        assert newest_request(home) is None

    def test_evidence_names_its_host(self, home: Home) -> None:
        folder = home.lake / "events" / "host=box" / "client=codex"
        write_frame(folder / "date=2026-06-10.parquet", pl.DataFrame({"model": ["gpt-5"]}))
        question = "select host, model, response_id from events_codex"
        assert ask(home, question).rows() == [("box", "gpt-5", None)]

    def test_a_weekly_table_has_all_its_weeks_by_the_day_on_which_they_close(
        self, home: Home
    ) -> None:
        for opens, requests in (("2026-06-03", 1), ("2026-06-10", 2)):
            week(home, "usage_totals", opens, requests=requests)
        assert ask(home, "from usage_totals order by week").rows() == [
            (date(2026, 6, 10), 1),
            (date(2026, 6, 17), 2),
        ]
        assert ask(home, "from latest.usage_totals").rows() == [(date(2026, 6, 17), 2)]

    def test_a_column_that_older_weeks_lack_is_null_there(self, home: Home) -> None:
        week(home, "prices", "2026-06-03", model="a")
        week(home, "prices", "2026-06-10", model="b", is_free=True)
        assert ask(home, "select is_free from prices order by week").to_series().to_list() == [
            None,
            True,
        ]

    def test_weeks_that_do_not_fit_together_are_named(self, home: Home) -> None:
        week(home, "prices", "2026-06-03", model="a")
        week(home, "prices", "2026-06-10", model=1)
        with pytest.raises(SourceError, match="the weeks of prices cannot be read as one table"):
            ask(home, "select * from prices")
        assert only(home, "select 1") == 1

    def test_all_views_and_columns_can_be_listed(self, written: Callable[..., Home]) -> None:
        home = written({})
        week(home, "usage_totals", "2026-06-10", requests=1)
        listed = columns(home)
        assert {"usage", "quota", "usage_totals", "latest.usage_totals"} <= set(listed["view"])
        types = dict(listed.filter(view="latest.usage_totals").select("column", "type").rows())
        assert types == {"week": "DATE", "requests": "BIGINT"}

    def test_the_newest_request_is_that_of_the_whole_ledger(
        self, written: Callable[..., Home]
    ) -> None:
        home = written({"ts": "2026-06-11 10:00"}, {"ts": "2026-06-10 10:00"})
        newest = newest_request(home)
        assert newest is not None
        assert newest.isoformat() == "2026-06-11T10:00:00+00:00"

    def test_sums_are_whole_numbers(self, written: Callable[..., Home]) -> None:
        home = written({"input_tokens": 10**12}, {"input_tokens": 1})
        assert ask(home, "select sum(input_tokens) as s from usage").schema["s"] == pl.Int64
        assert only(home, "select 10::hugeint ** 20::hugeint") == 10**20


class TestSeals:
    @pytest.mark.parametrize(
        "question",
        [
            "select * from read_text('{file}')",
            "select * from read_csv('{file}')",
            "select * from '{file}'",
            "select * from glob('{folder}/*')",
            "select * from read_parquet('https://example.com/x.parquet')",
            "select * from duckdb_secrets()",
        ],
    )
    def test_no_other_file_can_be_read(self, home: Home, tmp_path: Path, question: str) -> None:
        file = tmp_path / "private.csv"
        file.write_text("secret\n1\n")
        with pytest.raises(ConfigurationError, match=r"Permission Error|Catalog Error"):
            ask(home, question.format(file=file, folder=tmp_path))

    @pytest.mark.parametrize(
        "statement",
        [
            "attach '{folder}/other.db'",
            "copy (select 1) to '{folder}/copied.csv'",
            "copy usage to '{folder}/copied.csv'",
            "export database '{folder}/exported'",
            "install httpfs",
            "load httpfs",
            "pragma database_list",
            "set threads = 1",
            "call pragma_version()",
            "create table mine as select 1",
            "insert into usage select * from usage",
            "delete from usage",
            "drop view usage",
            "update usage set model = 'x'",
            "select 1; select 2",
            "explain select 1",
            "",
            "-- nothing",
        ],
    )
    def test_only_one_select_is_answered(self, home: Home, tmp_path: Path, statement: str) -> None:
        before = sorted(tmp_path.iterdir())
        with pytest.raises(ConfigurationError, match="one SELECT"):
            ask(home, statement.format(folder=tmp_path))
        assert sorted(tmp_path.iterdir()) == before

    def test_the_seals_hold_on_their_own_too(self, home: Home) -> None:
        settings = dict(
            ask(
                home,
                "select name, value from duckdb_settings() where name in"
                " ('enable_external_access', 'lock_configuration', 'temp_directory', 'TimeZone',"
                " 'autoload_known_extensions', 'autoinstall_known_extensions')",
            ).iter_rows()
        )
        assert settings == {
            "enable_external_access": "false",
            "lock_configuration": "true",
            "temp_directory": "",
            "TimeZone": "UTC",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
        }

    @pytest.mark.parametrize(
        ("question", "says"),
        [
            ("selct 1", "Parser Error"),
            ("select nope from usage", "Binder Error"),
            ("select * from nope", "`fleet query --tables` lists what there is"),
            ("select 'x'::int", "Conversion Error"),
            ("select error('two' || chr(10) || 'lines')", "two lines"),
            ("select interval 1 day", "cast it to varchar"),
            ("select 170141183460469231731687303715884105727::hugeint", "more than 38 digits"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(self, home: Home, question: str, says: str) -> None:
        with pytest.raises(ConfigurationError, match=says) as error:
            ask(home, question)
        assert "\n" not in str(error.value)


class TestForms:
    ANSWER = pl.DataFrame(
        {
            "day": [date(2026, 6, 10), None],
            "at": [datetime(2026, 6, 10, 10, 0, 1), None],
            "name": ["=cmd()", "a\x1bb"],
            "count": [1234, None],
            "share": [0.5, float("nan")],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )

    def text(self, form: Form, answer: pl.DataFrame) -> str:
        return in_form(form, answer).decode()

    def test_a_table_is_aligned_and_printable(self) -> None:
        assert self.text("table", self.ANSWER).splitlines() == [
            "day         at                    name    count  share",
            "----------  --------------------  ------  -----  -----",
            "2026-06-10  2026-06-10T10:00:01Z  =cmd()   1234    0.5",
            "                                  a\N{REPLACEMENT CHARACTER}b",
        ]

    def test_a_cell_of_csv_is_never_a_formula(self) -> None:
        first = self.text("csv", self.ANSWER).splitlines()[:2]
        assert first == [
            "day,at,name,count,share",
            "2026-06-10,2026-06-10T10:00:01Z,'=cmd(),1234,0.5",
        ]

    def test_json_is_one_list_with_an_object_on_each_line(self) -> None:
        assert self.text("json", self.ANSWER).splitlines() == [
            "[",
            '{"day": "2026-06-10", "at": "2026-06-10T10:00:01Z", "name": "=cmd()", "count": 1234,'
            ' "share": 0.5},',
            '{"day": null, "at": null, "name": "a\\u001bb", "count": null, "share": null}',
            "]",
        ]

    def test_json_of_no_rows_is_an_empty_list(self) -> None:
        assert self.text("json", self.ANSWER.clear()) == "[\n]\n"

    def test_parquet_holds_the_answer_as_it_is(self) -> None:
        again = pl.read_parquet(in_form("parquet", self.ANSWER))
        assert again.equals(self.ANSWER, null_equal=True)

    def test_csv_refuses_lists_and_says_what_to_do(self, home: Home) -> None:
        answer = ask(home, "select [1, 2] as pair, {'a': timestamp '2026-01-01'} as one")
        with pytest.raises(ConfigurationError, match=r"pair, one.*--format json"):
            in_form("csv", answer)
        assert '"pair": [1, 2], "one": {"a": "2026-01-01T00:00:00"}' in self.text("json", answer)

    def test_other_types_become_text_or_numbers(self, home: Home) -> None:
        answer = ask(
            home,
            "select time '10:00' as t, 1.50::decimal(4, 2) as d, 'a'::blob as b,"
            " 0.000000001::decimal(18, 9) as small",
        )
        assert self.text("json", answer).splitlines()[1] == (
            '{"t": "10:00:00", "d": 1.5, "b": "61", "small": 1e-09}'
        )
        assert self.text("table", answer).split()[-1] == "0.000000001"
