"""The pages, one file per audience. This ring knows HTTP and knows no SQL: it asks ``core``, and
``site`` turns what core refuses into a page."""
