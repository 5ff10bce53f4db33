"""What the emulators share: errors, files, processes, serving, applied state, the stand-in cloud, policy XML."""
