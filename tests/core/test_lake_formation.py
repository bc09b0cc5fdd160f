"""Grants are as Lake Formation takes them."""

from __future__ import annotations

import botocore.session
from botocore.validate import validate_parameters

from core.test_policy import NAMES, READER
from trailhouse.core.lake_formation import PERMISSIONS, grants
from trailhouse.core.policy import Role


def test_lake_formation_takes_the_grants() -> None:
    shape = (
        botocore.session.Session()
        .get_service_model("lakeformation")
        .operation_model("BatchGrantPermissions")
        .input_shape
    )
    assert not grants(Role.DEPLOYER, NAMES, [READER])["Entries"]
    for role in PERMISSIONS:
        found = grants(role, NAMES, [READER, "999900001111"])
        validate_parameters(found, shape)
        ids = [entry["Id"] for entry in found["Entries"]]
        assert len(set(ids)) == len(ids) == (4 if role is Role.ANALYST else 8)
    analyst = grants(Role.ANALYST, NAMES, [READER])["Entries"]
    assert [entry["Permissions"] for entry in analyst] == [["DESCRIBE"], ["DESCRIBE", "SELECT"]]
