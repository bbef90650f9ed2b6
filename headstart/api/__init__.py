"""The workflows, composed from the rooms: what users and the command line call."""
