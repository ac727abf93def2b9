"""Values, states, windows, events, errors, clocks and ports: what every room speaks of, and nothing that does I/O."""
