"""The lake: objects to rows (`reader`), rows to tables (`ingest`), and the ledger of what was taken in."""
