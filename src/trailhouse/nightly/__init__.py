"""The nightly run as it is deployed: its settings, its pieces, its records, and the door that Lambda calls."""
