from pathlib import Path

from trailhouse.config import load
from trailhouse.storage.access import location

CONFIG = """\
profile: everyone
role_arn: arn:aws:iam::111122223333:role/reader
external_id: secret
sources:
  - s3://plain-logs/a
  - uri: s3://other-logs/b
    endpoint_url: http://127.0.0.1:9000
    role_arn: arn:aws:iam::444455556666:role/other
    region: eu-west-1
    expected_bucket_owner: "444455556666"
    requester_pays: true
"""


def test_a_source_has_its_own_access_or_that_of_all(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG)
    settings = load({}, {}, config)
    plain, other = (location(settings, source) for source in settings.log_sources())
    assert plain.uri == "s3://plain-logs/a"
    assert (plain.access.profile, plain.access.external_id) == ("everyone", "secret")
    assert plain.access.role_arn == "arn:aws:iam::111122223333:role/reader"
    assert (plain.access.endpoint_url, plain.access.requester_pays) == (None, False)
    assert other.access.role_arn == "arn:aws:iam::444455556666:role/other"
    assert other.access.external_id is None
    assert other.access.profile == "everyone"
    assert (other.access.endpoint_url, other.access.region) == ("http://127.0.0.1:9000", "eu-west-1")
    assert (other.access.expected_owner, other.access.requester_pays) == ("444455556666", True)
