"""What outlives a stack has names that CloudFormation finds it by."""

from __future__ import annotations

from trailhouse.deploy.kept import Place, is_kept, static

PLACE = Place("aws-cn", "cn-north-1", "111122223333")
NAME = {"Fn::Sub": "trail-output-${AWS::AccountId}-${AWS::Region}"}
BUCKET = {
    "Type": "AWS::S3::Bucket",
    "DeletionPolicy": "Retain",
    "Properties": {"BucketName": NAME, "Tags": []},
}


def test_names_of_what_is_kept_are_written_out() -> None:
    template = {"Description": "d", "Resources": {"Output": BUCKET}}
    found = static(template, PLACE)
    name = "trail-output-111122223333-cn-north-1"
    assert found["Description"] == "d"
    assert found["Resources"]["Output"] == {**BUCKET, "Properties": {"BucketName": name, "Tags": []}}
    assert BUCKET["Properties"]["BucketName"] is NAME  # what is given is not touched


def test_what_goes_with_the_stack_stays_as_it_is() -> None:
    going = {**BUCKET, "DeletionPolicy": "Delete"}
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Output"}}}
    role = {"Type": "AWS::IAM::Role", "DeletionPolicy": "Retain", "Properties": {"RoleName": NAME}}
    template = {"Resources": {"Output": going, "Policy": policy, "Role": role}}
    assert static(template, PLACE) == template
    assert is_kept(BUCKET)
    assert is_kept({"DeletionPolicy": "RetainExceptOnCreate"})
    assert not is_kept(going)
    assert not is_kept({})


def test_a_name_with_other_variables_is_not_known() -> None:
    for name in ({"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}, {"Ref": "Name"}, "mine", None):
        other = {**BUCKET, "Properties": {"BucketName": name}}
        assert static({"Resources": {"Output": other}}, PLACE) == {"Resources": {"Output": other}}
