"""CloudTrail Lake's SQL to Athena's over our tables: `moving` is the door, the others are its nouns."""
