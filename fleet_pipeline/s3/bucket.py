"""A part of a bucket: what is there, its bytes from any offset, and putting something there.

The one place that loads boto3. Every fault becomes a SourceError that says what to do and names no
key: keys hold the names of projects.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from urllib3.exceptions import HTTPError

from fleet_pipeline.errors import SourceError, StoreError
from fleet_pipeline.s3.address import Address

_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60

_PAGE: Final = 1000

_BREAKS_IN_A_ROW: Final = 4
_PROGRESS: Final = 2**20
"""Bytes after which a stream that broke counts as sound again."""

_PAUSE: Final = 0.1
"""Seconds before a stream is taken up again, twice as long each time."""

_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
)
_SAYS: Final = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "access denied: these credentials may not do this",
    "403": "access denied: these credentials may not do this",
    "InvalidAccessKeyId": "the store does not know this access key",
    "SignatureDoesNotMatch": "the secret does not fit the access key",
    "ExpiredToken": "the session has expired: sign in again",
    "PreconditionFailed": "changed while it was read",
    "412": "changed while it was read",
    "InvalidRange": "changed while it was read",
    "416": "changed while it was read",
    "NoSuchKey": "vanished",
    "404": "vanished",
    "InvalidObjectState": "archived: restore it to have it read",
    "KeyTooLongError": "its name is too long for the store",
    "AuthorizationHeaderMalformed": "the bucket is in another region: name that",
    "PermanentRedirect": "the bucket is in another region: name that",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
}
_CODE: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_NO_STORE: Final = "what answers there is no S3: look at the endpoint's address"
_UNTOLD: Final = datetime(2200, 1, 1, tzinfo=UTC)
_NO_HEADERS: Final[Mapping[str, str]] = {}
_OF_ONE_OBJECT: Final = {
    "PreconditionFailed", "412", "InvalidRange", "416", "NoSuchKey", "404", "InvalidObjectState",
    "KeyTooLongError",
}  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """An object as a listing tells of it; ``key`` without the prefix, ``etag`` without quotes."""

    key: str
    size: int
    etag: str
    modified: datetime


class Seekable(Protocol):
    """Bytes to send, from any place again if the first attempt fails."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, at most ``size``."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""

    def tell(self) -> int:
        """Say which place this is."""


class Bucket:
    """The objects under one address."""

    def __init__(self, address: Address) -> None:
        """Ask nothing yet."""
        self.address = address

    def listed(self) -> Iterator[Listed]:
        """Give every object, by key. Raises SourceError where the store refuses or is away."""
        with _told():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.address.bucket,
                Prefix=self.address.prefix,
                PaginationConfig={"PageSize": _PAGE},
            )
            for page in pages:
                # A page to sign in on is no listing, and above all not one of an empty bucket.
                if page.keys().isdisjoint(("Name", "IsTruncated", "Contents")):
                    raise StoreError(_NO_STORE)
                for entry in page.get("Contents", ()):
                    if entry["Size"] < 0:
                        raise StoreError(_NO_STORE)
                    yield Listed(
                        entry["Key"].removeprefix(self.address.prefix),
                        entry["Size"],
                        _bare(entry["ETag"]),
                        _believed(entry["LastModified"]),
                    )

    def stream(self, listed: Listed, start: int) -> "Stream":
        """Return the bytes of an object from ``start`` on, as they are asked for."""
        return Stream(self, listed, start, listed.size)

    def piece(self, listed: Listed, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` up to ``end``; raises as ``Stream.readinto`` does."""
        data = bytearray(end - start)
        with closing(Stream(self, listed, start, end)) as stream:
            filled = 0
            while filled < len(data) and (count := stream.readinto(memoryview(data)[filled:])):
                filled += count
        return bytes(data)

    def get(self, listed: Listed, start: int, end: int) -> Mapping[str, Any]:
        """Return the store's answer with the bytes from ``start`` up to ``end``, just this version.

        Raises SourceError.
        """
        with _told():
            answer: Mapping[str, Any] = self._client.get_object(
                Bucket=self.address.bucket,
                Key=self.address.prefix + listed.key,
                Range=f"bytes={start}-{end - 1}",
                IfMatch=f'"{listed.etag}"',
            )
            is_whole = answer["ContentLength"] == end - start
            is_same = _bare(answer["ETag"]) == listed.etag
        if not (is_whole and is_same):
            answer["Body"].close()  # a store that does not heed conditions
            raise SourceError(_SAYS["PreconditionFailed"])
        return answer

    def find(self, key: str) -> Listed | None:
        """Return one object as a listing tells of it; None where it is not. Raises SourceError."""
        beginning = Bucket(replace(self.address, prefix=self.address.prefix + key))
        for listed in beginning.listed():
            if not listed.key:
                return replace(listed, key=key)
        return None

    def put(
        self,
        key: str,
        body: Seekable,
        size: int,
        metadata: Mapping[str, str],
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> str:
        """Put ``size`` bytes under ``key``, at once; return the ETag. Raises SourceError.

        ``headers`` are those that readers get, by boto3's names: ContentType, CacheControl.
        """
        with _told():
            answer = self._client.put_object(
                Bucket=self.address.bucket,
                Key=self.address.prefix + key,
                Body=body,
                ContentLength=size,
                Metadata=metadata,
                **headers,
            )
        return _bare(answer["ETag"])

    @contextmanager
    def upload(self, key: str, metadata: Mapping[str, str]) -> Iterator["Upload"]:
        """Give an upload in parts, seen by nobody until it is done, and gone if it is not."""
        where = {"Bucket": self.address.bucket, "Key": self.address.prefix + key}
        with _told():
            begun = self._client.create_multipart_upload(**where, Metadata=metadata)
        upload = Upload(self._client, {**where, "UploadId": begun["UploadId"]})
        try:
            yield upload
        finally:
            if not upload.is_done:
                with suppress(SourceError), _told():
                    upload.abort()

    @property
    def _client(self) -> Any:
        return _client(self.address.endpoint_url, self.address.region, os.getpid())


class Upload:
    """Parts of an object on their way."""

    def __init__(self, client: Any, where: Mapping[str, str]) -> None:
        """Begin with no part."""
        self._client, self._where = client, where
        self._parts: list[dict[str, object]] = []
        self.is_done = False

    def copy(self, etag: str, length: int) -> bool:
        """Take the first ``length`` bytes of what lies there already; say whether that worked.

        Not every store can: one that cannot may say so, or pretend.
        """
        source = {"Bucket": self._where["Bucket"], "Key": self._where["Key"]}
        try:
            with _told():
                answer = self._client.upload_part_copy(
                    **self._where,
                    PartNumber=len(self._parts) + 1,
                    CopySource=source,
                    CopySourceIfMatch=f'"{etag}"',
                    CopySourceRange=f"bytes=0-{length - 1}",
                )
        except SourceError:
            return False
        return self._add(answer.get("CopyPartResult", {}).get("ETag"))

    def send(self, body: Seekable, size: int) -> None:
        """Send ``size`` bytes as the next part. Raises SourceError."""
        with _told():
            answer = self._client.upload_part(
                **self._where, PartNumber=len(self._parts) + 1, Body=body, ContentLength=size
            )
        self._add(answer["ETag"])

    def done(self, size: int) -> str | None:
        """Put all parts in place; return the ETag, None if they are not ``size`` bytes long.

        Raises SourceError.
        """
        with _told():
            self._client.complete_multipart_upload(
                **self._where, MultipartUpload={"Parts": self._parts}
            )
            self.is_done = True
            answer = self._client.head_object(Bucket=self._where["Bucket"], Key=self._where["Key"])
        return _bare(answer["ETag"]) if answer["ContentLength"] == size else None

    def abort(self) -> None:
        """Throw the parts away."""
        self._client.abort_multipart_upload(**self._where)

    def _add(self, etag: str | None) -> bool:
        if etag:
            self._parts.append({"PartNumber": len(self._parts) + 1, "ETag": etag})
        return bool(etag)


class Stream:
    """The bytes of one version of an object; a connection that breaks is taken up where it was.

    ``metadata`` is what was put there with it, by lower-case name, once anything was read.
    """

    def __init__(self, bucket: Bucket, listed: Listed, start: int, end: int) -> None:
        """Ask for nothing yet; later for the bytes from ``start`` up to ``end``."""
        self._bucket, self._listed = bucket, listed
        self._position, self._end = start, end
        self._sound_at, self._breaks = start, 0
        self._body: Any = None
        self.metadata: dict[str, str] = {}

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill ``buffer`` from the next bytes; 0 at the end.

        Raises StoreError where the store keeps failing, SourceError where the object changed.
        """
        while self._position < self._end:
            if self._body is None:
                self._open()
            try:
                count: int = self._body.readinto(buffer[: self._end - self._position])
            except (BotoCoreError, HTTPError, OSError) as error:
                self._broke(type(error).__name__)
                continue
            if count:
                self._position += count
                return count
            self._broke("the answer was too short")
        return 0

    def close(self) -> None:
        """Let go of the connection."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def _open(self) -> None:
        answer = self._bucket.get(self._listed, self._position, self._end)
        self._body = answer["Body"]
        self.metadata = {name.lower(): value for name, value in answer["Metadata"].items()}

    def _broke(self, how: str) -> None:
        self.close()
        if self._position - self._sound_at >= _PROGRESS:
            self._breaks = 0
        self._sound_at = self._position
        self._breaks += 1
        if self._breaks >= _BREAKS_IN_A_ROW:
            raise StoreError(f"the store keeps breaking off ({how})") from None
        time.sleep(_PAUSE * 2**self._breaks)


@cache
def _client(endpoint_url: str | None, region: str | None, process: int) -> Any:
    """Return the client for one store; each process has its own connections.

    How often a request is retried, and all else, is the AWS configuration's to say. Checksums that
    stores other than AWS stumble over are left out where they may be.
    """
    with _told():
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@contextmanager
def _told() -> Iterator[None]:
    """Turn what boto3 raises into an error of ours, without the addresses that it quotes."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "?"))
        kind = SourceError if code in _OF_ONE_OBJECT else StoreError
        word = code if _CODE.fullmatch(code) else "with an error that has no name"
        raise kind(_SAYS.get(code, f"the store answered {word}")) from None
    except _CREDENTIALS as error:
        raise StoreError(
            f"no usable credentials ({type(error).__name__}): set AWS_PROFILE, or"
            " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from None
    except (BotoCoreError, HTTPError, OSError, ValueError) as error:
        raise StoreError(f"cannot be reached ({type(error).__name__})") from None
    except (KeyError, RecursionError):  # what S3 always tells is missing, or it is always elsewhere
        raise StoreError(_NO_STORE) from None


def _believed(modified: datetime) -> datetime:
    """Return when an object was put; of a time that no store can mean, one that nothing is after.

    Some know no time, and tell the year 1.
    """
    return modified if 2006 <= modified.year < _UNTOLD.year else _UNTOLD


def _bare(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')
