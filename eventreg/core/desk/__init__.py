"""The desk: the attendee list, calls, paper, import and export, the report."""
