"""Grafana boards as code, and the JSON made from it that Grafana reads. Needs the development packages; nothing at run time imports it."""
