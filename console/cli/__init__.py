"""The command line: one file per command group, registered in `app.py`."""
