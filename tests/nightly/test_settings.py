from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.catalog.opening import aim_of
from trailhouse.config.settings import Settings, Source
from trailhouse.errors import ConfigError
from trailhouse.nightly.settings import NightlySettings, NightlySource, from_json
from trailhouse.storage.access import general_access, location

MAYBE = st.none() | st.text(max_size=8)
SOURCES = st.builds(
    NightlySource, st.text(max_size=8), MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, st.booleans()
)
SETTINGS = st.builds(
    NightlySettings,
    st.lists(SOURCES, max_size=3).map(tuple),
    database=st.text(max_size=8),
    partition_days=st.integers(1, 36_500),
    role_arn=MAYBE,
    region=MAYBE,
)
ONE = NightlySettings((NightlySource("s3://logs"),))


@given(SETTINGS)
def test_settings_are_read_as_they_were_written(settings: NightlySettings) -> None:
    assert from_json(settings.to_json(), "config.json") == settings


def test_the_digest_is_of_what_is_set() -> None:
    assert ONE.digest() == from_json(ONE.to_json(), "it").digest()
    assert ONE.digest() != replace(ONE, database="other").digest()
    assert len(ONE.digest()) == 64


def test_sources_are_told_apart_by_where_they_lie() -> None:
    two = NightlySettings((NightlySource("s3://a"), NightlySource("s3://b", role_arn="old")))
    same = NightlySettings(
        (NightlySource("s3://b", role_arn="new"), NightlySource("s3://a")), partition_days=7
    )
    assert two.sources_digest() == same.sources_digest()
    others = [ONE, replace(ONE, sources=two.sources), replace(ONE, endpoint_url="http://127.0.0.1:9000")]
    assert len({one.sources_digest() for one in others}) == 3


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"sources": [{}]}', '{"sources": [], "tabels": "auto"}', b"\xff"]
)
def test_what_is_no_configuration_is_named(text: str) -> None:
    with pytest.raises(
        ConfigError, match=r"config\.json is no configuration of a nightly run \(.*\): deploy again"
    ):
        from_json(text, "config.json")


def test_without_sources_there_is_nothing_to_do() -> None:
    with pytest.raises(ConfigError, match="no source"):
        NightlySettings(()).log_sources()


def test_it_means_what_the_settings_mean() -> None:
    own = {
        "uri": "s3://logs/AWSLogs/",
        "role_arn": "arn:aws:iam::111122223333:role/reader",
        "requester_pays": True,
    }
    settings = Settings(sources=(Source(**own),), database="security", region="eu-west-1", tables="single")  # type: ignore[arg-type]  # a mixed mapping
    nightly = NightlySettings((NightlySource(**own),), "security", region="eu-west-1", tables="single")  # type: ignore[arg-type]  # likewise
    today = date(2026, 3, 2)
    assert aim_of(nightly, today, ["r"]) == aim_of(settings, today, ["r"])
    assert general_access(nightly) == general_access(settings)
    assert location(nightly, nightly.log_sources()[0]) == location(settings, settings.log_sources()[0])
