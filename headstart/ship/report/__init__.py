"""The report: one page of plain HTML that shows a run to people, without a network and without a server."""
