"""The whole story on one machine: sample parties, the reference registrar, a gate between them, and the registrar's verdict."""
