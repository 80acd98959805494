"""The site in S3: immutable weeks, pointers last, and a reader who never sees a half.

On real servers: moto's, which heeds conditions, and rclone's, which checks signatures and does not.
"""

import io
import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pytest

from fleet_pipeline.errors import PublicationError
from fleet_pipeline.publishing import site
from fleet_pipeline.publishing.s3_site import generation, publish_to_s3
from fleet_pipeline.s3 import Address
from fleet_pipeline.s3 import bucket as buckets

from ..publishing.reference_page import changed
from .stores import Fault, How, Store

Page = dict[str, object]
PREFIX = "pages/routing"
HOWS: tuple[How, ...] = ("503", "refused", "500")


@pytest.fixture(autouse=True)
def new_client() -> Iterator[None]:
    buckets._client.cache_clear()
    yield
    buckets._client.cache_clear()


def address_of(store: Store) -> Address:
    return Address.of(f"s3://{store.bucket}/{PREFIX}", store.proxy.url)


def files_of(page: Page) -> dict[str, bytes]:
    return site.week_files(page, {"usage_totals": pl.DataFrame({"requests": [107_338]})})


def put(store: Store, page: Page, folder: Path) -> str:
    return publish_to_s3(address_of(store), page, files_of(page), folder)


def read(store: Store, name: str) -> bytes:
    return store.get(f"{PREFIX}/{name}")


def a_site(folder: Path) -> Path:
    for name in ("changelog.jsonl", "changelog.md", "feed.xml"):
        (folder / name).write_bytes(b"" if name.endswith("jsonl") else b"text\n")
    return folder


def whole(store: Store, known: Mapping[str, dict[str, bytes]]) -> str:
    """Follow the pointer, as a reader does, and hold every byte of the week against the sums."""
    weeks = json.loads(read(store, "weeks.json"))
    [newest] = [week for week in weeks["weeks"] if week["as_of"] == weeks["latest"]]
    for name, content in known[newest["path"]].items():
        assert read(store, newest["path"] + name) == content, name
    return str(newest["path"])


def test_a_week_is_published_whole_with_types_and_caching(
    any_store: Store,
    tmp_path: Path,
) -> None:
    page = changed()
    path = put(any_store, page, a_site(tmp_path))
    assert path == f"weeks/2026-06-17/{generation(files_of(page))}/"
    assert whole(any_store, {path: files_of(page)}) == path
    told = {}
    for name in (path + "index.html", path + "tables/usage_totals.parquet", "weeks.json",
                 "index.html", "feed.xml", "latest/index.html"):  # fmt: skip
        head = any_store._client.head_object(Bucket=any_store.bucket, Key=f"{PREFIX}/{name}")
        told[name.removeprefix(path)] = head["ContentType"], head.get("CacheControl")
    forever = "public, max-age=31536000, immutable"
    assert told["tables/usage_totals.parquet"][0] == "application/vnd.apache.parquet"
    assert told["weeks.json"][0] == "application/json"
    assert told["feed.xml"][0] == "application/atom+xml"
    assert told["index.html"][0] == "text/html; charset=utf-8"
    if told["weeks.json"][1] is not None:  # rclone keeps types but no caching
        assert told["tables/usage_totals.parquet"][1] == forever
        assert {told[name][1] for name in ("weeks.json", "index.html", "feed.xml")} == {"no-cache"}
    leads = read(any_store, "latest/index.html").decode()
    assert f"../{path}index.html" in leads


def test_moto_keeps_the_caching_that_it_is_told(store: Store, tmp_path: Path) -> None:
    path = put(store, changed(), a_site(tmp_path))
    client = store._client
    caching = {
        name: client.head_object(Bucket=store.bucket, Key=f"{PREFIX}/{name}")["CacheControl"]
        for name in (path + "page.json", "weeks.json")
    }
    assert set(caching.values()) == {"public, max-age=31536000, immutable", "no-cache"}


@pytest.mark.slow  # publishes several times to a real server
def test_publishing_again_puts_nothing(any_store: Store, tmp_path: Path) -> None:
    put(any_store, changed(), a_site(tmp_path))
    any_store.proxy.anew()
    put(any_store, changed(), a_site(tmp_path))
    assert any_store.proxy.uploads() == []


@pytest.mark.slow  # publishes several times to a real server
def test_an_object_that_was_changed_in_the_store_is_put_right(
    store: Store,
    tmp_path: Path,
) -> None:
    path = put(store, changed(), a_site(tmp_path))
    good = read(store, f"{path}page.json")
    store.put(f"{PREFIX}/{path}page.json", b"x" * len(good))
    put(store, changed(), a_site(tmp_path))
    assert read(store, f"{path}page.json") == good


@pytest.mark.slow  # publishes several times to a real server
def test_latest_follows_the_newest_week_and_the_index_keeps_all(
    store: Store,
    tmp_path: Path,
) -> None:
    newest = put(store, changed(as_of="2026-06-24"), a_site(tmp_path))
    put(store, changed(as_of="2026-06-17"), a_site(tmp_path))
    weeks = json.loads(read(store, "weeks.json"))
    assert weeks["latest"] == "2026-06-24"
    assert [week["as_of"] for week in weeks["weeks"]] == ["2026-06-24", "2026-06-17"]
    assert newest in read(store, "latest/index.html").decode()


@pytest.mark.slow  # publishes several times to a real server
def test_a_new_generation_of_a_week_leaves_the_old_one_for_its_readers(
    store: Store,
    tmp_path: Path,
) -> None:
    first = put(store, changed(owner="One"), a_site(tmp_path))
    second = put(store, changed(owner="Two"), a_site(tmp_path))
    assert first != second
    assert b"One" in read(store, f"{first}index.html")
    assert (
        f"{second.split('/')[2]}/index.html" in read(store, "weeks/2026-06-17/index.html").decode()
    )
    assert len(json.loads(read(store, "weeks.json"))["weeks"]) == 1


@pytest.mark.slow  # publishes several times to a real server
@pytest.mark.parametrize("place", ["weeks.json", "page.json", "SHA256SUMS", "latest/index.html"])
def test_a_failed_publish_is_told_and_leaves_the_old_page_whole(
    place: str,
    any_store: Store,
    tmp_path: Path,
) -> None:
    old = changed(owner="Old")
    path = put(any_store, old, a_site(tmp_path))
    new = changed(as_of="2026-06-24", owner="New")

    def refuse(method: str, address: str) -> None:
        if method == "PUT" and address.endswith(place):
            any_store.proxy.break_uploads("503", times=1)

    any_store.proxy.before.append(refuse)
    with pytest.raises(PublicationError, match=r"cannot publish to s3://.*503.*is unchanged"):
        put(any_store, new, tmp_path)
    seen = whole(
        any_store,
        {path: files_of(old), **{f"weeks/2026-06-24/{generation(files_of(new))}/": files_of(new)}},
    )
    assert place == "latest/index.html" or seen == path
    any_store.proxy.anew()
    again = put(any_store, new, tmp_path)
    assert whole(any_store, {again: files_of(new)}) == again


def test_a_store_that_keeps_other_bytes_than_it_was_given_is_found_out(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = buckets.Bucket.put

    def half(bucket: buckets.Bucket, key: str, *_: object, headers: Mapping[str, str]) -> str:
        return real(bucket, key, io.BytesIO(b"half"), 4, {}, headers=headers)

    monkeypatch.setattr(buckets.Bucket, "put", half)
    with pytest.raises(PublicationError, match="reads back differently"):
        put(store, changed(), a_site(tmp_path))
    assert not [name for name in store.names() if name.endswith("weeks.json")]


def test_a_damaged_index_is_told_and_not_written_over(store: Store, tmp_path: Path) -> None:
    store.put(f"{PREFIX}/weeks.json", b"{")
    with pytest.raises(PublicationError, match=r"weeks\.json is damaged: bring it back"):
        put(store, changed(), a_site(tmp_path))
    assert read(store, "weeks.json") == b"{"


@pytest.mark.slow  # two hundred publishes on each server
def test_a_polling_reader_of_200_publishes_with_faults_never_sees_a_torn_week(
    any_store: Store,
    tmp_path: Path,
) -> None:
    """The store goes away at another request of each publish; the reader goes past the proxy."""
    a_site(tmp_path)
    pages = [changed(owner=f"Owner {number}") for number in range(8)]
    small = [
        {
            name: content
            for name, content in files_of(page).items()
            if name in ("page.json", "tables/usage_totals.csv", "SHA256SUMS", "index.html")
        }
        for page in pages
    ]
    known = {f"weeks/2026-06-17/{generation(files)}/": files for files in small}
    publish_to_s3(address_of(any_store), pages[0], small[0], tmp_path)
    stop, views, torn = threading.Event(), list[str](), list[str]()

    def look() -> None:
        while not stop.wait(0.01):
            try:
                views.append(whole(any_store, known))
            except (AssertionError, KeyError, ValueError) as error:
                torn.append(repr(error))

    reader = threading.Thread(target=look)
    reader.start()
    failed = 0
    try:
        for number in range(200):
            turn = number % len(pages)
            any_store.proxy.anew()
            how: How = HOWS[number % 3]
            any_store.proxy.faults.append(fault_at(number % 61, how))
            try:
                publish_to_s3(address_of(any_store), pages[turn], small[turn], tmp_path)
            except PublicationError:
                failed += 1
    finally:
        stop.set()
        reader.join()
    assert torn == []
    assert len(views) >= 50 and len(set(views)) >= 4
    assert 50 <= failed <= 150


def fault_at(request: int, how: How) -> Fault:
    """A store that is away for three requests, from the given one on."""
    seen = itertools.count()
    return Fault(lambda method, path: next(seen) >= request, how, times=3)


@pytest.mark.slow  # publishes several times to a real server
def test_the_reader_of_the_tests_can_see_a_torn_week(store: Store, tmp_path: Path) -> None:
    """A reader that finds nothing wrong with a mixed week would prove nothing."""
    files = files_of(changed())
    path = put(store, changed(), a_site(tmp_path))
    store.put(f"{PREFIX}/{path}page.json", b"{}")
    with pytest.raises(AssertionError, match=r"page\.json"):
        whole(store, {path: files})
