# The same file in stage1/ and stage2/: both read these and refuse the same mistakes.

variable "gateway_exposure" {
  description = "Who reaches the gateway: the internet (`public`) or the virtual network only (`internal`)."
  type        = string
  default     = "public"
  nullable    = false

  validation {
    condition     = contains(["public", "internal"], var.gateway_exposure)
    error_message = "gateway_exposure must be public or internal."
  }
}

variable "network" {
  description = <<-EOT
    The virtual network: created from `address_space` and `subnets`, or, in a landing zone, `existing`. Zones that a hub
    keeps (`existing_private_dns_zone_ids`: cosmos, vault, registry, servers) are used instead of created.
  EOT
  type = object({
    address_space = optional(set(string), ["10.60.0.0/22"])
    subnets = optional(object({
      apim       = optional(string, "10.60.0.0/27")
      endpoints  = optional(string, "10.60.0.64/26")
      containers = optional(string, "10.60.1.0/24")
    }), {})
    nat_gateway_zone = optional(string)
    existing = optional(object({
      virtual_network_id   = string
      apim_subnet_id       = string
      containers_subnet_id = string
      endpoints_subnet_id  = string
    }))
    existing_private_dns_zone_ids = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.network.existing_private_dns_zone_ids) : contains(["servers", "cosmos", "vault", "registry"], key)])
    error_message = "network.existing_private_dns_zone_ids takes the keys servers, cosmos, vault and registry."
  }
}
