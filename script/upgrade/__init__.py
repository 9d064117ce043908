"""`make upgrade`: bring an installation to a newer signed version, or leave it at the old one.

It uses only Python's own library, because it runs while the libraries are exchanged.

- ``tags``: which tag is wanted, and whether an allowed key has signed it.
- ``releases``: a folder with the code and the libraries of one version.
- ``places``: a checkout, or an installation by `make install-service`; each switches in its way.
- ``progress``: what is done, on the disk, so that the next call goes on after a kill.
- ``steps``: migrate, check, switch, start. ``rollback``: the way back.
"""
