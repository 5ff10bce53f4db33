"""What the twin's runtime is made of.

Planning (applied state → processes, nothing starts):  registry, containers, network, names, databases → plan
Supervision (processes, no Terraform):                 child, part, health, lock, status → supervisor
"""
