"""Tests: they mirror the tree, read as sentences, use real servers, and wait on signals."""
