"""An address in S3 as an operator writes it: understood, or told what is wrong with it."""

import pytest

from fleet_pipeline.s3 import Address, checked_endpoint


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("s3://fleet-logs", "fleet-logs", ""),
        ("s3://fleet-logs/", "fleet-logs", ""),
        ("s3://fleet-logs/a", "fleet-logs", "a/"),
        ("s3://fleet-logs/a/b c/", "fleet-logs", "a/b c/"),
        ("s3://my.bucket/Zoë", "my.bucket", "Zoë/"),
    ],
)
def test_an_address_names_a_bucket_and_a_folder_in_it(text, bucket, prefix):
    assert Address.of(text) == Address(bucket, prefix)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must be an address like s3://bucket/prefix"),
        ("bucket/prefix", "must be an address like"),
        ("https://bucket/prefix", "must be an address like"),
        ("s3:///prefix", "must be an address like"),
        ("s3://KEY:secret@bucket/prefix", "holds credentials; put them into the environment"),
        ("s3://a", "does not name a bucket"),
        ("s3://my bucket/x", "does not name a bucket"),
        ("s3://bucket/a//b", "two slashes in a row"),
        ("s3://bucket/a/../b", "'.', '..' or control signs"),
        ("s3://bucket/a\nb", "'.', '..' or control signs"),
    ],
)
def test_what_is_no_address_is_told(text, says):
    with pytest.raises(ValueError, match=says) as caught:
        Address.of(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["s3://bucket", "s3://bucket/a/b"])
def test_an_address_is_told_as_it_was_written(text):
    assert str(Address.of(text)) == text
    assert str(Address.of(text).inside("laptop")) == f"{text}/laptop"


@pytest.mark.parametrize("text", ["https://s3.example.org", "http://127.0.0.1:9000/store"])
def test_a_store_of_ones_own_is_an_address_of_the_web(text):
    assert checked_endpoint(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("s3.example.org", "must be an address like https://"),
        ("ftp://s3.example.org", "must be an address like https://"),
        ("https://", "must be an address like https://"),
        ("https://KEY:secret@s3.example.org", "holds credentials"),
        ("https://s3.example.org/?x=1", "remove what follows"),
        ("https://s3.example.org:99999", "a port is a number from 1 to 65535"),
        ("https://s3.example.org:secret", "a port is a number from 1 to 65535"),
        ("https://s3.example.org:0", "a port is a number from 1 to 65535"),
        ("https://[s3.example.org", "a host or a port that is none"),
    ],
)
def test_what_is_no_store_is_told(text, says):
    with pytest.raises(ValueError, match=says) as caught:
        checked_endpoint(text)
    assert "secret" not in str(caught.value)
