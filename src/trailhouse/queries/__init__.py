"""Questions as files: one `.sql` file each, in Athena's dialect."""
