"""trailhouse: all your CloudTrail, queryable and provable."""

__version__ = "0.1.0"
