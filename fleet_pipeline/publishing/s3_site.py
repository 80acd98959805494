"""The site in S3: immutable objects first, each read back, and what points to them last.

A week lies under ``weeks/<date>/<generation>/``, the generation being the sum of its sums, so that
no object of a week ever changes. Readers begin at an object that is put in one step:
``index.html``, ``weeks.json``, ``weeks/<date>/index.html`` or ``latest/index.html``. Whatever
fails, each of them leads to a week that is whole. No store is asked for a condition on a put: not
every one heeds it.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleet_pipeline.errors import PublicationError, SourceError
from fleet_pipeline.publishing.changelog import ATOM_FILE, JSONL_FILE, MARKDOWN_FILE
from fleet_pipeline.publishing.figures import Record, records, text
from fleet_pipeline.publishing.index import WEEKS_FILE, entry, index_files
from fleet_pipeline.s3 import Address

if TYPE_CHECKING:
    from fleet_pipeline.s3.bucket import Bucket

SUMS_FILE: Final = "SHA256SUMS"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown; charset=utf-8",
    ".yaml": "application/yaml",
    ".csv": "text/csv; charset=utf-8",
    ".sql": "text/plain; charset=utf-8",
    ".xml": "application/atom+xml",
    ".parquet": "application/vnd.apache.parquet",
    "": "text/plain; charset=utf-8",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_EACH_TIME: Final = "no-cache"


def publish_to_s3(
    address: Address, page: Mapping[str, object], files: Mapping[str, bytes], site: Path
) -> str:
    """Publish a week's ``files``, and return the path of its generation below ``address``.

    The changelog and the feed are copied from ``site``. The same week again puts no object that is
    there already. Raises PublicationError, naming the address, when the store refuses or gives back
    other bytes than it was given; what was published before is then as it was.
    """
    from fleet_pipeline.s3.bucket import Bucket

    as_of = text(page, "as_of")
    path = f"weeks/{as_of}/{generation(files)}/"
    bucket = Bucket(address)
    try:
        before = _weeks(bucket)
        there = {each.key: each.size for each in Bucket(_below(address, path)).listed()}
        for name, content in files.items():
            if there.get(name) != len(content) or _content(bucket, path + name) != content:
                _put(bucket, path + name, content, _FOREVER)
        weeks = [week for week in before if text(week, "as_of") != as_of]
        weeks = [*weeks, entry(page, path)]
        newest = max(weeks, key=lambda week: text(week, "as_of"))
        pointers = {
            f"weeks/{as_of}/index.html": _leading_to(f"{generation(files)}/index.html"),
            **{
                name: (site / name).read_bytes()
                for name in (JSONL_FILE, MARKDOWN_FILE, ATOM_FILE)
                if (site / name).exists()
            },
            **index_files(weeks),
            "latest/index.html": _leading_to(f"../{text(newest, 'path')}index.html"),
        }
        for name, content in pointers.items():
            if _content(bucket, name) != content:
                _put(bucket, name, content, _ASK_EACH_TIME)
    except (SourceError, OSError) as error:
        raise PublicationError(
            f"cannot publish to {address}: {error}; what was published there before is unchanged"
        ) from None
    return path


def generation(files: Mapping[str, bytes]) -> str:
    """Return the name of a week's bytes: the same for the same, another for any other."""
    return hashlib.sha256(files[SUMS_FILE]).hexdigest()[:16]


def _weeks(bucket: "Bucket") -> list[Record]:
    """Return the weeks that the bucket's index lists."""
    content = _content(bucket, WEEKS_FILE)
    if content is None:
        return []
    try:
        return records(json.loads(content), "weeks")
    except (ValueError, AttributeError):
        raise SourceError(f"its {WEEKS_FILE} is damaged: bring it back, or delete it") from None


def _put(bucket: "Bucket", key: str, content: bytes, caching: str) -> None:
    """Put an object and read it back: what a store says of a put is not what it kept."""
    headers = {"ContentType": _TYPES[Path(key).suffix], "CacheControl": caching}
    bucket.put(key, io.BytesIO(content), len(content), {}, headers=headers)
    if _content(bucket, key) != content:
        raise SourceError("an object that was put there reads back differently")


def _content(bucket: "Bucket", key: str) -> bytes | None:
    """Return an object's bytes; None where it is not there."""
    listed = bucket.find(key)
    if listed is None:
        return None
    return bucket.piece(listed, 0, listed.size) if listed.size else b""


def _leading_to(target: str) -> bytes:
    """Return a page that leads to another at once, also without a script."""
    to = escape(target)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="0; url={to}">\n<title>This week</title>\n</head>\n'
        f'<body><p><a href="{to}">To the page</a></p></body>\n</html>\n'
    ).encode()


def _below(address: Address, path: str) -> Address:
    for name in path.strip("/").split("/"):
        address = address.inside(name)
    return address
