"""Hours of seeds of the simulator."""
