"""HTTP as it arrives: proxy headers, the browser, sent fields, the request log."""
