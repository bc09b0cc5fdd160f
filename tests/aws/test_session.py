from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError, ProfileNotFound

from trailhouse.aws.access import Access
from trailhouse.aws.session import PARALLEL, make_client, open_session, unknown_profile


def test_clients_are_for_many_threads_and_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    session = open_session(Access(region="eu-west-1"))
    glue, s3 = (make_client(session, name, "eu-west-1") for name in ("glue", "s3"))
    assert glue.meta.config.max_pool_connections == PARALLEL
    assert glue.meta.config.retries == s3.meta.config.retries == {"mode": "standard", "total_max_attempts": 8}
    assert glue.meta.config.user_agent_appid == "trailhouse"


def test_what_the_environment_says_about_retries_is_stronger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    client = make_client(open_session(Access()), "glue", "eu-west-1")
    assert client.meta.config.retries == {"mode": "adaptive", "total_max_attempts": 2}


def test_a_session_needs_its_profile_and_something_to_assume_a_role_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ProfileNotFound):
        open_session(Access(profile="nobody"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(NoCredentialsError):
        open_session(Access(role_arn="arn:aws:iam::111122223333:role/reader"))


def test_who_names_no_profile_is_told_which_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\n[profile logs]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "nobody")  # which asks for it as well
    told = unknown_profile(ProfileNotFound(profile="nobody"))
    assert told.startswith(
        f"there is no profile nobody in {config} or /dev/null, but default, logs: name one"
    )
    config.write_text("".join(f"[profile p{n:02}]\n" for n in range(20)))
    assert "p06, p07 and 12 more: " in unknown_profile(ProfileNotFound(profile="nobody"))
    config.write_text("")
    assert "nor any other: `aws configure sso` makes one" in unknown_profile(
        ProfileNotFound(profile="nobody")
    )
