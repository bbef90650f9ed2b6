"""Reads a run and states findings with evidence; one file per diagnosis."""
