"""S3."""

from collections.abc import Sequence

from trailhouse.errors import SourceError
from trailhouse.storage.objects import Storage


def open_s3(texts: Sequence[str], access: object) -> list[Storage]:
    """Sources in S3."""
    raise SourceError(f"source {texts[0]}: S3 is not read yet ({access})")
