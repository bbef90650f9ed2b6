"""The house keeps its shape by being measured."""
