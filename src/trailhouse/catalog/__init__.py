"""Catalogs of tables: reading what there is, carrying changes out."""
