output "tags" {
  description = "Tags of every resource."
  value       = merge(var.tags, { deployment = var.name, environment = var.environment })
}

output "identities" {
  description = "Names of the user-assigned identities that belong to no server: `gateway`, `encryption`, `database` (who makes users of DocumentDB)."
  value = {
    gateway    = "id-${var.name}-gateway"
    encryption = "id-${var.name}-encryption"
    database   = "id-${var.name}-database"
  }
}

output "network" {
  description = "Names of the network, its subnets and their security groups by key, its NAT gateway and that one's address, and the links of DNS zones."
  value = {
    virtual_network = local._virtual_network
    nat_gateway     = "ng-${local._virtual_network}"
    nat_address     = "pip-${local._virtual_network}-nat"
    dns_link        = "link-${var.name}"
    subnets = {
      for key in ["apim", "containers", "endpoints"] : key => {
        name           = "snet-${key}"
        security_group = "nsg-${local._virtual_network}-${key}"
      }
    }
  }
}

output "agents" {
  description = "Names of the agents' subnet and its security group, and of dev center, project and pool."
  value = {
    subnet         = "snet-agents"
    security_group = "nsg-${local._virtual_network}-agents"
    # A dev center's name has 26 characters at most.
    dev_center = trimsuffix(substr("dc-${var.name}", 0, 26), "-")
    project    = "agents-${var.name}"
    pool       = "mdp-${var.name}"
  }
}

output "container_apps" {
  description = "Names of the environment that runs apps, of its subnet and of that one's security group."
  value = {
    environment    = "cae-${var.name}"
    subnet         = "snet-apps"
    security_group = "nsg-${local._virtual_network}-apps"
  }
}

output "private_endpoints" {
  description = "Names of the private endpoints by what they lead to: `vault`, `registry`, `state`, `cosmos`, `documentdb`."
  value       = { for key in ["vault", "registry", "state", "cosmos", "documentdb"] : key => "pe-${var.name}-${key}" }
}

output "private_dns_zones" {
  description = "Names of the zones that the platform makes, by key, without those that a hub keeps."
  value       = { for key, zone in local._zones : key => zone if !contains(keys(var.private_dns.existing_zone_ids), key) }
}

output "gateway" {
  description = "The gateway: its name, the address that clients know, the host in it, and the private zone and record of an internal one."
  value = {
    name            = local._gateway
    public_base_url = local._public_base_url
    host            = local._gateway_host
    zone            = local._gateway_zone
    record          = local._gateway_host == local._gateway_zone ? "@" : trimsuffix(local._gateway_host, ".${local._gateway_zone}")
  }
}

output "tiers" {
  description = "Tiers by <server>-<tier>, each with the name of its identity."
  value       = local._tiers
}

output "slots" {
  description = "Slots by <server>-<tier>-<slot>, the name of a container group, of its DNS record and of its backend; each with its `fqdn` and the `url` that the gateway calls; an app's are null here, and end with its environment's domain."
  value       = local._slots
}
