"""Where something lies in S3, as an operator writes it: text in, a checked value out."""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from fleet_pipeline.web_addresses import parts_of

_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")


@dataclass(frozen=True)
class Address:
    """A bucket and the prefix of the keys that are meant: empty, or ending in a slash.

    ``endpoint_url`` is for stores other than AWS; what is None comes from the AWS configuration.
    """

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None

    @classmethod
    def of(cls, text: str, endpoint_url: str | None = None, region: str | None = None) -> Self:
        """Return what ``s3://bucket/prefix`` means.

        Raises ValueError saying what is wrong with it.
        """
        scheme, _, rest = text.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ValueError("must be an address like s3://bucket/prefix")
        if "@" in bucket:
            raise ValueError("holds credentials; put them into the environment and remove them")
        if not _BUCKET.fullmatch(bucket):
            raise ValueError("does not name a bucket: letters, digits, dots and dashes, 3 to 63")
        names = prefix.strip("/").split("/")
        if any(name in {".", ".."} or not name.isprintable() for name in names):
            raise ValueError("has a prefix with '.', '..' or control signs; remove them")
        if prefix.strip("/") and "" in names:
            raise ValueError("has two slashes in a row; keep one")
        return cls(bucket, f"{prefix.strip('/')}/".lstrip("/"), endpoint_url, region)

    def inside(self, name: str) -> Self:
        """Return the address of the folder ``name`` below this one."""
        return replace(self, prefix=f"{self.prefix}{name}/")

    def __str__(self) -> str:
        """Return the address as an operator writes it."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def checked_endpoint(text: str) -> str:
    """Return the address of a store that is not AWS, if it is one that can be asked.

    Raises ValueError saying what is wrong with it.
    """
    parts = parts_of(text)
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds credentials; put them into the environment and remove them")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address like https://s3.example.org")
    if parts.query or parts.fragment:
        raise ValueError("must end with the host, a port or a path; remove what follows '?' or '#'")
    return text
