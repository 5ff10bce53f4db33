"""The platform on this machine: its ports, and starting it."""
