"""Measurements against the reference registrar and raw clients, in ratios: these machines are shared. `python3 run.py bench [NAME …]`."""
