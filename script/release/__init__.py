"""`make release`: the text of the tag, the list of parts (SBOM), and the offline bundle."""
