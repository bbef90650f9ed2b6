"""Tests, one folder a room; ``house`` tests the shape of the whole."""
