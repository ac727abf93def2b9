"""Tests of the ledger: one suite for every engine; `conftest.py` names the engines."""
