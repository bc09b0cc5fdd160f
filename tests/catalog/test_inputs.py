from __future__ import annotations

import botocore.session

from trailhouse.catalog.inputs import accepted

MODEL = botocore.session.get_session().get_service_model("glue")


def test_what_glue_only_answers_is_left_out_at_any_depth() -> None:
    answer = {
        "Name": "t",
        "VersionId": "3",
        "CreateTime": 1,
        "Description": "kept",
        "Retention": None,
        "Parameters": {"a": "b"},
        "StorageDescriptor": {"Columns": [{"Name": "a", "Comment": "kept", "Odd": 1}], "Odd": 1},
        "ViewDefinition": {"IsProtected": True, "Representations": [{"Dialect": "ATHENA", "IsStale": True}]},
    }
    assert accepted(answer, MODEL.shape_for("TableInput")) == {
        "Name": "t",
        "Description": "kept",
        "Retention": None,
        "Parameters": {"a": "b"},
        "StorageDescriptor": {"Columns": [{"Name": "a", "Comment": "kept"}]},
        "ViewDefinition": {"IsProtected": True, "Representations": [{"Dialect": "ATHENA"}]},
    }
