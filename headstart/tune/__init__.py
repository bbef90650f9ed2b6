"""Which parameters move and how; one file per strategy."""
