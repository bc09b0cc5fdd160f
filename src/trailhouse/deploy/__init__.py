"""The nightly run on AWS: what it is made of, and how it gets there and away again."""
