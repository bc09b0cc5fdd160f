import pickle
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from pydantic import ValidationError

from trailhouse.config import Findings, Settings, discover, load, render_config
from trailhouse.config.load import ENVIRONMENT
from trailhouse.config.reference import refreshed
from trailhouse.config.settings import SETTINGS, variables
from trailhouse.errors import ConfigError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def faults(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load({}, environ, written(folder, text))
    return str(caught.value)


def test_defaults(here: Path) -> None:
    settings = load({}, {})
    assert discover({}) is None, here
    assert settings.model_dump() == Settings().model_dump()
    assert settings.partition_days == 90
    assert settings.database == "default"
    assert settings.table_prefix == "cloudtrail"
    assert settings.late == timedelta(days=1)
    assert settings.origin("late").place == "default"


def test_the_predecessors_keys_and_variables(here: Path) -> None:
    path = written(
        here,
        "s3_bucket_containing_logs: my-logs\n"
        "alarm_sns_arn: arn:aws-us-gov:sns:us-gov-west-1:111122223333:alarm\n"
        "cloudtrail_prefix: /some/prefix/\npartition_days: 30\noutput_s3_bucket: default\n"
        "database: default\ntable_prefix: cloudtrail\n",
    )
    settings = load({}, {"PARTITION_DAYS": "10", "TRAILHOUSE_TABLE_PREFIX": "ct", "TABLE_PREFIX": "no"}, path)
    assert settings.partition_days == 10
    assert settings.table_prefix == "ct"
    assert settings.cloudtrail_prefix == "some/prefix"
    assert settings.origin("partition_days").place == "PARTITION_DAYS (environment)"
    assert settings.origin("database").place == f"{path}:6"
    assert [source.uri for source in settings.log_sources()] == ["s3://my-logs/some/prefix/AWSLogs/"]


def test_an_empty_prefix_in_the_environment_counts(here: Path) -> None:
    path = written(here, "cloudtrail_prefix: x\njobs: 3\n")
    settings = load({}, {"CLOUDTRAIL_PREFIX": "", "TRAILHOUSE_JOBS": ""}, path)
    assert settings.cloudtrail_prefix == ""
    assert settings.jobs == 3


def test_flag_over_environment_over_file_over_default(here: Path) -> None:
    path = written(here, "jobs: 1\nlate: 2d\nengine: trino\n")
    environ = {"TRAILHOUSE_JOBS": "2", "TRAILHOUSE_LATE": "36h"}
    settings = load({"jobs": 3, "late": None, "sources": ()}, environ, path)
    found = [settings.jobs, settings.late, settings.engine, settings.tables]
    assert found == [3, timedelta(hours=36), "trino", "auto"]
    kinds = [settings.origin(key).kind for key in ("jobs", "late", "engine", "tables")]
    assert kinds == ["flag", "environment", "file", "default"]
    assert settings.origin("jobs").place == "--jobs"


def test_the_shipped_file_loads_and_its_placeholders_are_refused_when_needed() -> None:
    path = ROOT / "config" / "config.yaml"
    settings = load({}, {}, path)
    assert settings.partition_days == 90
    with pytest.raises(ConfigError, match=r"config\.yaml:5: s3_bucket_containing_logs is still 'MYBUCKET'"):
        settings.log_sources()
    with pytest.raises(ConfigError, match=r"config\.yaml:8: alarm_sns_arn is still .* not edited"):
        settings.require("alarm_sns_arn")


def test_what_the_shipped_file_comments_out_is_right(here: Path) -> None:
    text = (ROOT / "config" / "config.yaml").read_text("utf-8")
    head, _, tail = text.partition("# --- More")
    opened = "\n".join(line[2:] for line in tail.splitlines() if re.match(r"# ( *- |[a-z_ ]+: |\w+:$)", line))
    settings = load({}, {}, written(here, head + opened))
    assert len(settings.sources) == 2
    assert settings.sources[1].expected_bucket_owner == "111122223333"
    assert {key for key in SETTINGS if settings.origin(key).kind == "default"} == {"endpoint_url"}


def test_all_faults_at_once_with_key_line_and_what_would_be_right(here: Path) -> None:
    message = faults(
        here,
        "s3_bucket_containing_logs: My_Bucket\n"
        "partition_dayz: 3\n"
        "jobs: 1\njobs: 2\n"
        "database: my-db\n"
        "sources:\n  - uri: gs://x\n    rolearn: x\n  -\n"
        "tables: singel\nretention_days: 0\n",
        TRAILHOUSE_MAX_SCAN="lots",
    )
    expected = [
        "9 faults in the configuration",
        "config.yaml:1: s3_bucket_containing_logs: 'My_Bucket' is not right",
        "config.yaml:2: partition_dayz: no such key: did you mean partition_days?",
        "config.yaml:4: jobs: given a second time, first in line 3",
        "config.yaml:5: database: 'my-db' is not right (Athena fails",
        "config.yaml:7: sources: uri: 'gs://x' is not right",
        "config.yaml:8: sources: rolearn: no such key: did you mean role_arn?",
        "config.yaml:9: sources: item 2: None is neither an address nor a mapping",
        "config.yaml:10: tables: 'singel' is not right: give auto, per_account or single",
        "config.yaml:11: retention_days: '0' is not right: give a whole number of days",
        "TRAILHOUSE_MAX_SCAN (environment): max_scan: 'lots' is not right: give a size such as 10GB",
    ]
    assert [part for part in expected[1:] if part not in message] == []
    assert len(message.splitlines()) == len(expected)


def test_a_variable_of_another_program_is_not_shown(here: Path) -> None:
    message = faults(here, "", DATABASE="postgres://user:secret@host/x")
    assert message.startswith("DATABASE (environment): database: not right: give lower case letters")
    assert message.endswith("set TRAILHOUSE_DATABASE")
    assert "secret" not in message
    fine = {"DATABASE": "postgres://user:secret@host/x", "TRAILHOUSE_DATABASE": "logs"}
    assert load({}, fine, written(here, "")).database == "logs"


def test_faults_of_flags_name_the_flag(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--jobs: jobs: 'x' is not right: give a whole number"):
        load({"jobs": "x"}, {}, written(here, ""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1\n", r"config\.yaml:2:1: not YAML"),
        ("jobs: 1\n\tlate: 1d\n", r"config\.yaml:2:1: not YAML"),
        ("- a\n", r"config\.yaml:1: the file has to hold"),
        ("jobs: \x07\n", "not YAML: character 7"),
        ("a: 1\n---\nb: 2\n", r"config\.yaml:2:1: not YAML"),
        ("jobs: &a 3\nretention_days: *a\n", "anchors and aliases are not used here"),
        ("sources: &a [*a]\n", "anchors and aliases are not used here"),
        ("jobs: !!python/object/apply:os.system ['true']\n", "tag .* is not used here"),
        ("? [a]\n: 1\n", "a key has to be a word"),
        ("sources: " + "[" * 2_000, "not YAML|nested too deeply"),
        ("external_id: abc\n", r"config\.yaml:1: external_id: .* give role_arn too"),
        ("tables: per_account\npartitions: projected\n", r"config\.yaml:2: partitions: .* tables: single"),
        ("cloudtrail_prefix: x/AWSLogs\n", "leave AWSLogs off"),
        ("jobs: [1]\n", r"config\.yaml:1: jobs: \['1'\] is not right"),
        ("zzz: 1\n", "no such key: see docs/configuration.md"),
        ("sources:\n  - region: eu-west-1\n", "uri is missing: give a folder"),
        ("sources:\n  - uri: x\n    requester_pays: maybe\n", "requester_pays: 'maybe' is not right"),
        ("sources:\n  a: 1\n", "sources: .* is not right: give a list"),
    ],
)  # fmt: skip
def test_files_that_are_wrong(here: Path, text: str, expected: str) -> None:
    assert re.search(expected, faults(here, text))


def test_a_file_that_is_not_utf8(here: Path) -> None:
    (here / "x.yaml").write_bytes(b"jobs: 1\n# \xff\n")
    with pytest.raises(ConfigError, match=r"x\.yaml:2: not UTF-8"):
        load({}, {}, here / "x.yaml")


def test_an_empty_file_is_all_defaults(here: Path) -> None:
    assert load({}, {}, written(here, "# nothing\n")).model_dump() == Settings().model_dump()


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("output_s3_bucket", ["default", "my.bucket-1"], ["a", "A-b", "a..b", "1.2.3.4", "s3://abc"]),
        ("output_s3_bucket", ["x" * 63], ["x" * 64, "-ab", "ab."]),
        ("alarm_sns_arn", ["arn:aws-cn:sns:cn-north-1:111122223333:a.fifo"], ["arn:aws:sqs:x:1:a", "a"]),
        ("database", ["a_1", "default", "2023"], ["a-b", "A", "a b", "é"]),
        ("table_prefix", ["_a", "trail_2"], ["a-b", "1a", "Trail"]),
        ("role_arn", ["arn:aws-us-gov:iam::111122223333:role/path/x"], ["arn:aws:iam::1:role/x", "role/x"]),
        ("region", ["us-gov-west-1", "xx-new-north-12"], ["frankfurt", "EU-WEST-1", "us-east"]),
        ("workgroup", ["primary", "a.b-c_1"], ["a b", "x" * 129]),
        ("lake", ["s3://my-lake/x"], ["my-lake", "s3://My/x", "s3://"]),
        ("endpoint_url", ["http://127.0.0.1:9000"], ["127.0.0.1", "http://", "http://a:b", "ftp://x"]),
        ("late", ["1d", "0s"], ["1", "soon"]),
        ("max_scan", ["10GB", "1"], ["0", "much"]),
        ("jobs", ["1", "1024"], ["0", "1025", "1.5"]),
        ("profile", ["me"], [" ", "a\x1b"]),
    ],
)  # fmt: skip
def test_values_as_aws_would_judge_them(here: Path, key: str, good: list[str], bad: list[str]) -> None:
    path = written(here, "")
    for value in good:
        assert load({key: value}, {}, path).origin(key).kind == "flag"
    for value in bad:
        with pytest.raises(ConfigError, match=key):
            load({key: value}, {}, path)


def test_sources_from_each_place(here: Path) -> None:
    path = written(here, "sources: [./a b, {uri: s3://my-logs/x, expected_bucket_owner: 011122223333}]\n")
    from_file = load({}, {}, path)
    assert [source.uri for source in from_file.sources] == ["./a b", "s3://my-logs/x"]
    assert from_file.sources[1].expected_bucket_owner == "011122223333"
    from_environment = load({}, {"TRAILHOUSE_SOURCE": "a b; c\nd"}, path)
    assert [source.uri for source in from_environment.sources] == ["a b", "c", "d"]
    from_flag = load({"sources": ["-", Path("x")]}, {"TRAILHOUSE_SOURCE": "a"}, path)
    assert [source.uri for source in from_flag.log_sources()] == ["-", "x"]


def test_no_source_says_how_to_give_one(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"--source, TRAILHOUSE_SOURCE"):
        load({}, {}, written(here, "")).log_sources()


def test_discovery(here: Path) -> None:
    written(here, "jobs: 2\n", "trailhouse.yaml")
    assert load({}, {}).jobs == 2
    (here / "config").mkdir()
    written(here, "jobs: 3\n", "config/config.yaml")
    assert load({}, {}).jobs == 3
    named = written(here, "jobs: 4\n", "named.yaml")
    assert load({}, {"TRAILHOUSE_CONFIG": str(named)}).jobs == 4
    other = written(here, "jobs: 5\n", "other.yaml")
    assert load({}, {"TRAILHOUSE_CONFIG": str(named)}, other).jobs == 5


@pytest.mark.parametrize("by", ["--config", "TRAILHOUSE_CONFIG"])
def test_a_named_file_has_to_exist(here: Path, by: str) -> None:
    missing = here / "no.yaml"
    with pytest.raises(ConfigError, match=rf"no\.yaml: no such file \({by}\)"):
        load({}, {"TRAILHOUSE_CONFIG": str(missing)}, missing if by == "--config" else None)


def test_unknown_variables_are_noted_with_the_nearest(here: Path) -> None:
    settings = load({}, {"TRAILHOUSE_JOSB": "3", "TRAILHOUSE_SINCE": "7d", "OTHER": "x"}, written(here, ""))
    assert settings.notes == ("TRAILHOUSE_JOSB (environment) means nothing: did you mean TRAILHOUSE_JOBS?",)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().jobs = 3


def test_settings_can_be_handed_to_other_processes(here: Path) -> None:
    settings = load({"jobs": 3}, {}, written(here, "late: 2d\n"))
    again = pickle.loads(pickle.dumps(settings))  # noqa: S301 - our own bytes
    assert again == settings
    assert again.origin("late").place.endswith(":1")


def test_unknown_flags_are_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="no such setting: job"):
        load({"job": 3}, {}, written(here, ""))


def test_the_variables_are_distinct() -> None:
    names = [name for key in SETTINGS for name in variables(key)]
    assert len(set(ENVIRONMENT)) == len(ENVIRONMENT)
    assert set(names) <= set(ENVIRONMENT)


def test_the_reference_is_current() -> None:
    """Refresh it with `python -m trailhouse.config.reference docs/configuration.md`."""
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert refreshed(page) == page
    assert all(f"| `{key}` |" in page for key in SETTINGS)


def test_what_init_writes_for_a_bucket_loads(here: Path) -> None:
    findings = Findings(
        bucket="my-logs", prefix="a/b", accounts=["111122223333"], regions=["eu-central-1"],
        kinds=["CloudTrail"], first_day="2023-07-10", last_day="2023-07-11", region="eu-central-1",
    )  # fmt: skip
    text = render_config(findings)
    settings = load({}, {}, written(here, text))
    assert settings.log_sources()[0].uri == "s3://my-logs/a/b/AWSLogs/"
    assert settings.region == "eu-central-1"
    assert "# Found 1 accounts: 111122223333" in text
    assert [key for key in SETTINGS if f"{key}:" not in text] == []


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1), st.lists(st.text()))
@limits(deadline=None)
def test_what_init_writes_is_always_read_back(uris: list[str], accounts: list[str]) -> None:
    text = render_config(Findings(sources=uris, accounts=accounts))
    assert yaml.safe_load(text)["sources"] == uris


WORDS = st.sampled_from([*SETTINGS, "uri", "x"]) | st.text()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def settings_or_all_faults(path: Path, environ: dict[str, str]) -> None:
    with suppress(ConfigError):
        assert load({}, environ, path).origins.keys() == SETTINGS.keys()


@given(st.dictionaries(WORDS, VALUES, max_size=5))
@limits(deadline=None)
def test_any_values_are_settings_or_faults(values: dict[str, object]) -> None:
    with TemporaryDirectory() as folder:
        settings_or_all_faults(written(Path(folder), yaml.safe_dump(values)), {})


@given(st.text(), st.dictionaries(st.sampled_from(ENVIRONMENT), st.text(), max_size=4))
@limits(deadline=None)
def test_any_text_and_environment_are_settings_or_faults(text: str, environ: dict[str, str]) -> None:
    environ.pop("TRAILHOUSE_CONFIG", None)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        settings_or_all_faults(path, environ)
