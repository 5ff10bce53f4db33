"""Container Apps on one machine: replicas as processes behind an ingress with TLS."""
