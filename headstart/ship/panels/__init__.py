"""What the report's page shows, one file a panel: a new panel is a new file."""
