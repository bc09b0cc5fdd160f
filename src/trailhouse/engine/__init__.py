"""What answers a translated statement."""
