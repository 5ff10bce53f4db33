"""The twin: a local copy of the deployment, made of live processes, driven by the applied Terraform state."""
