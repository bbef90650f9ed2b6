"""What the page asks the server for, one file a subject; imported only when a studio runs, for they need FastAPI."""
