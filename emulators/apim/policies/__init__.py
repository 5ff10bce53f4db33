"""The policy elements, grouped as Microsoft's policy reference groups them. Importing this registers all of them."""

from emulators.apim.policies import (
    authentication,
    caching,
    control_flow,
    cross_domain,
    integration,
    language_models,
    monitoring,
    rate_limits,
    routing,
    token_validation,
    transformation,
)

__all__ = [
    "authentication",
    "caching",
    "control_flow",
    "cross_domain",
    "integration",
    "language_models",
    "monitoring",
    "rate_limits",
    "routing",
    "token_validation",
    "transformation",
]
