from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.layout import Folder, Foreign, Kind, LogKey, Unknown, classify, format_key

A = "111122223333"
TAIL = f"{A}/CloudTrail/us-east-1/2023/07/10/{A}_CloudTrail_us-east-1_20230710T1230Z_AbCdEfGhIjKlMnOp.json.gz"


def log(key: str) -> LogKey:
    found = classify(key)
    assert isinstance(found, LogKey), (key, found)
    return found


@pytest.mark.parametrize(
    "root",
    [
        "AWSLogs",
        "prefix/AWSLogs",
        "a/b c/ü/AWSLogs",
        "AWSLogs/o-abc123def4",
        "o-abc123def4/AWSLogs/o-abc123def4",
        "o-abc123def4/AWSLogs",
        "",
        "a//AWSLogs",
        "/",
        "cloudtrail/AWSLogs",
        f"AWSLogs/{A}/CloudTrail/us-east-1/AWSLogs",
        "evidence.zip!AWSLogs",
    ],
)
def test_every_root_is_kept(root: str) -> None:
    key = f"{root}/{TAIL}" if root else TAIL
    found = log(key)
    assert found == LogKey(
        root, A, Kind.CLOUDTRAIL, "us-east-1", "2023", "07", "10", "20230710T1230Z", "AbCdEfGhIjKlMnOp"
    )
    assert format_key(found) == key


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.DIGEST])
@pytest.mark.parametrize(
    "region", ["us-gov-west-1", "cn-north-1", "xx-moon-9r", "us_east_1", "global", "中国"]
)
def test_kinds_and_any_region(kind: Kind, region: str) -> None:
    key = (
        f"AWSLogs/{A}/{kind}/{region}/2024/02/29/{A}_{kind}_{region}_20240229T0005Z_abcdefghijklmnop.json.gz"
    )
    found = log(key)
    assert (found.kind, found.region, found.day) == (kind, region, "29")
    assert format_key(found) == key


@pytest.mark.parametrize("trail", ["management", "my_trail_2", "a.b-c", "20230710T123000Z_x"])
def test_digests(trail: str) -> None:
    key = (
        f"AWSLogs/o-abc123def4/{A}/CloudTrail-Digest/eu-west-1/2023/07/10/"
        f"{A}_CloudTrail-Digest_eu-west-1_{trail}_us-east-1_20230710T123456Z.json.gz"
    )
    found = log(key)
    assert (found.kind, found.trail, found.home_region) == (Kind.DIGEST, trail, "us-east-1")
    assert (found.stamp, found.unique) == ("20230710T123456Z", "")
    assert format_key(found) == key


@pytest.mark.parametrize(
    ("name", "stamp", "unique", "suffix"),
    [
        (f"{A}_CloudTrail_us-east-1_20230710T1230Z.json.gz", "20230710T1230Z", "", ".json.gz"),
        (f"{A}_CloudTrail_us-east-1_20230710T1230ZHdkvXyz.json.gz", "20230710T1230Z", "HdkvXyz", ".json.gz"),
        (f"{A}_CloudTrail_us_east_1_20230710T1230Z_Hdkv.json", "20230710T1230Z", "Hdkv", ".json"),
        ("999988887777_CloudTrail_eu-west-1_20230709T2359Z_x.json.gz", "20230709T2359Z", "x", ".json.gz"),
        (f"{A}_CloudTrail_us-east-1_20230710T1230Z_abc (1).json.gz", "20230710T1230Z", "abc (1)", ".json.gz"),
        (f"{A}_CloudTrail_us-east-1_20230710T1230Z_abc.json.gz#2", "20230710T1230Z", "abc", ".json.gz#2"),
        ("events.JSON", "", "events", ".JSON"),
        (".gz", None, None, None),
        ("._x.json.gz", None, None, None),
        ("_x.json.gz", None, None, None),
        ("notes.txt", None, None, None),
    ],
)
def test_file_names_of_copies(name: str, stamp: str | None, unique: str, suffix: str) -> None:
    found = classify(f"AWSLogs/{A}/CloudTrail/us-east-1/2023/07/10/{name}")
    if stamp is None:
        assert found == Unknown()
        return
    assert isinstance(found, LogKey)
    assert (found.stamp, found.unique, found.suffix) == (stamp, unique, suffix)
    assert (found.account, found.region, found.day) == (A, "us-east-1", "10")
    assert classify(format_key(found)) == found


@pytest.mark.parametrize(
    "day", ["2023/7/10", "2023/07/1", "2023/02/29", "0000/01/01", "2023/13/01", "2023/+7/10"]
)
def test_a_day_folder_is_a_real_padded_date(day: str) -> None:
    assert classify(f"AWSLogs/{A}/CloudTrail/us-east-1/{day}/x_20230710T1230Z_y.json.gz") == Unknown()


def test_an_archive_may_hold_account_folders_directly() -> None:
    found = log(f"in/case.zip!{TAIL}")
    assert (found.root, found.account) == ("in/case.zip!", A)
    assert classify(format_key(found)) == found


@pytest.mark.parametrize(
    ("key", "service"),
    [
        (f"AWSLogs/{A}/Config/us-east-1/2023/7/1/ConfigHistory/{A}_Config_us-east-1_x.json.gz", "Config"),
        (f"AWSLogs/{A}/Config/ConfigWritabilityCheckFile", "Config"),
        (f"AWSLogs/o-abc123def4/{A}/Config/us-east-1/x.json.gz", "Config"),
        (f"o-abc123def4/AWSLogs/{A}/Config/us-east-1/x.json.gz", "Config"),
        (f"{A}/Config/us-east-1/x.json.gz", "Config"),
        (
            f"p/AWSLogs/{A}/vpcflowlogs/us-east-1/2023/07/10/{A}_vpcflowlogs_us-east-1_fl-1.log.gz",
            "vpcflowlogs",
        ),
        (f"{A}_vpcflowlogs_us-east-1_fl-1_20230710T1200Z_1.log.gz", "vpcflowlogs"),
        (f"AWSLogs/{A}/elasticloadbalancing/us-east-1/2023/07/10/x.log", "elasticloadbalancing"),
        (f"AWSLogs/{A}/ELBAccessLogTestFile", "elasticloadbalancing"),
        (f"AWSLogs/{A}/GuardDuty/us-east-1/2023/07/10/x.jsonl.gz", "GuardDuty"),
        (f"AWSLogs/{A}/WAFLogs/us-east-1/acl/2023/07/10/12/30/x.log.gz", "WAFLogs"),
        (
            f"AWSLogs/aws-account-id={A}/aws-service=vpcflowlogs/aws-region=us-east-1/year=2023/x.parquet",
            "vpcflowlogs",
        ),
        (f"cloudtrail-bucket/AWSLogs/{A}/vpcflowlogs/us-east-1/x.log.gz", "vpcflowlogs"),
        (f"AWSLogs/{A}/BrandNewThing/us-east-1/x.log.gz", "BrandNewThing"),
        ("access/2013-11-01-21-32-16-E568B2907131C0C0", "S3 access"),
        ("cdn/E2OXX1234ABCDE.2023-07-10-12.abcd1234.gz", "CloudFront"),
    ],
)
def test_other_services(key: str, service: str) -> None:
    assert classify(key) == Foreign(service)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        "events.json",
        f"{A}_CloudTrail_us-east-1_20230710T1230Z_abc.json.gz",
        f"AWSLogs/{A}/cloudtrail/us-east-1/2023/07/10/x.json.gz",
        f"AWSLogs/{A}/CloudTrail-New/us-east-1/2023/07/10/x.json.gz",
        f"AWSLogs/{A}/us-east-1/2023/07/10/x.json.gz",
        f"AWSLogs/{A}/us-east-1/2023/07/10/x.log",
        f"AWSLogs/{A}/case/x.json.gz",
        f"AWSLogs/{A}/Config/{A}_CloudTrail_us-east-1_20230710T1230Z_abc.json.gz",
        "CloudTrail/us-east-1/2023/07/10/x.json.gz",
        f"AWSLogs/{A}/CloudTrail//2023/07/10/x.json.gz",
        f"AWSLogs/{A[:-1]}/CloudTrail/us-east-1/2023/07/10/x.json.gz",
        "\udcff\x00/\n",
    ],
)
def test_where_a_key_says_nothing_the_content_decides(key: str) -> None:
    assert classify(key) == Unknown()


@pytest.mark.parametrize("key", [f"AWSLogs/{A}/CloudTrail/", f"AWSLogs/{A}/Config/", "/", "AWSLogs_$folder$"])
def test_folder_keys(key: str) -> None:
    assert classify(key) == Folder()


part = st.text(st.characters(exclude_characters="/", exclude_categories=()), max_size=12)
days = st.dates().map(lambda day: (f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"))
digits = st.integers(0, 10**12 - 1).map(lambda number: f"{number:012}")
roots = st.lists(part | st.sampled_from(["AWSLogs", "o-abc123def4"]), max_size=4).map("/".join)


@st.composite
def log_keys(draw: st.DrawFn) -> LogKey:
    kind = draw(st.sampled_from(Kind))
    digest = kind is Kind.DIGEST
    return LogKey(
        draw(roots),
        draw(digits),
        kind,
        draw(part.filter(bool)),
        *draw(days),
        stamp=draw(st.from_regex(r"[0-9]{8}T[0-9]{6}Z" if digest else r"[0-9]{8}T[0-9]{4}Z", fullmatch=True)),
        unique="" if digest else draw(part),
        trail=draw(part) if digest else "",
        home_region=draw(part.filter(lambda text: "_" not in text)) if digest else "",
        suffix=draw(st.sampled_from([".json.gz", ".json"])),
    )


@given(log_keys())
def test_the_parser_reads_what_the_formatter_writes(key: LogKey) -> None:
    assert classify(format_key(key)) == key


pieces = st.sampled_from([
    "AWSLogs", A, "CloudTrail", "CloudTrail-Digest", "us-east-1", "2023", "07", "10", "Config", "!", "_", "",
    "20230710T1230Z", "20230710T123000Z", ".json.gz", ".json", "aws-account-id=", "aws-service=",
])  # fmt: skip
mixed = st.lists(st.lists(pieces | part, max_size=5).map("".join), max_size=9).map("/".join)


@given(
    mixed
    | mixed.map(lambda name: f"AWSLogs/{A}/CloudTrail-Digest/r/2023/07/10/{name.replace('/', '_')}.json")
)
def test_any_string_is_classified_and_stays_so(text: str) -> None:
    found = classify(text)
    assert isinstance(found, LogKey | Folder | Foreign | Unknown)
    if isinstance(found, LogKey):
        assert classify(format_key(found)) == found


@pytest.mark.parametrize(
    "text",
    ["/" * 300_000, "_" * 300_000, "a-" * 200_000, "1" * 300_000, f"AWSLogs/{A}/" * 20_000, f"{A}/" * 20_000],
)
def test_a_long_key_is_classified_too(text: str) -> None:
    # With a pattern that backtracks this would not end within pytest's time limit.
    digest = f"AWSLogs/{A}/CloudTrail-Digest/r/2023/07/10/{text.replace('/', '_')}.json"
    for key in (text, f"{text}x", digest):
        assert isinstance(classify(key), LogKey | Folder | Foreign | Unknown)


@pytest.mark.corpus
def test_real_keys(corpus: Path) -> None:
    names = [path.relative_to(corpus).as_posix() for path in corpus.rglob("AWSLogs/**/*.json.gz")]
    assert len(names) > 200
    assert [format_key(log(name)) for name in names] == names
