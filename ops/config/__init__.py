"""What an environment is: its folder, variables and settings, and the lock of one run at a time."""
