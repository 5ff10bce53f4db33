locals {
  # Two kinds of service: how each is in its subnet, and what it has of its own, differs too.
  gateway_generation = strcontains(var.apim.sku_name, "V2_") ? "v2" : "classic"
}

# What was chosen when this environment was made, for what Azure does not change in place: such a change would destroy what
# people use, or stop half-way. Both stages look before they change anything. To forget what was chosen, once it was changed
# in Azure in another way: `terraform apply -replace=terraform_data.as_made`, in both stages.
resource "terraform_data" "as_made" {
  input = {
    name                       = var.name
    location                   = var.location
    resource_group_name        = var.resource_group_name
    gateway_exposure           = var.gateway_exposure
    gateway_generation         = local.gateway_generation
    throughput_mode            = local.has_cosmos ? var.cosmos.throughput_mode : null
    continuous_backup          = coalesce(var.cosmos.backup.type, "Continuous") == "Continuous"
    subnets                    = var.network.subnets
    soft_delete_retention_days = var.key_vault.soft_delete_retention_days
    acr_name                   = var.acr_name
    key_vault_name             = var.key_vault_name
    cosmos_account_name        = var.cosmos_account_name
    free_tier_enabled          = var.cosmos.free_tier_enabled
    registry_zones             = var.registry.zone_redundancy_enabled
    encryption_key             = try(var.customer_managed_key.key_id, "")
  }

  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "unchanged" {
  lifecycle {
    precondition {
      condition     = terraform_data.as_made.output.name == var.name
      error_message = "name cannot change from ${try(coalesce(terraform_data.as_made.output.name, "none"), "none")} to ${coalesce(var.name, "none")}: every resource would be replaced, and the network is in use. Put ${try(coalesce(terraform_data.as_made.output.name, "none"), "none")} back, or make a second environment beside this one, move callers to it, then `invoke destroy` this one."
    }

    precondition {
      condition     = terraform_data.as_made.output.resource_group_name == var.resource_group_name
      error_message = "resource_group_name cannot change from ${try(coalesce(terraform_data.as_made.output.resource_group_name, "none"), "none")} to ${coalesce(var.resource_group_name, "none")}: every resource would be replaced, and the network is in use. Put ${try(coalesce(terraform_data.as_made.output.resource_group_name, "none"), "none")} back, or make a second environment beside this one, move callers to it, then `invoke destroy` this one."
    }

    precondition {
      condition     = terraform_data.as_made.output.location == var.location
      error_message = "location cannot change from ${try(coalesce(terraform_data.as_made.output.location, "none"), "none")} to ${coalesce(var.location, "none")}: gateway, database, vault, registry and network would be replaced, with all that they hold. Put ${try(coalesce(terraform_data.as_made.output.location, "none"), "none")} back, or make a second environment in that region, copy the data, then `invoke destroy` this one."
    }

    precondition {
      # Environments of version 0.2.0 did not write these down.
      condition     = try(terraform_data.as_made.output.acr_name, var.acr_name) == var.acr_name
      error_message = "acr_name cannot change from ${try(coalesce(terraform_data.as_made.output.acr_name, "none"), "none")} to ${coalesce(var.acr_name, "none")}: the registry would be replaced, with its images. Put ${try(coalesce(terraform_data.as_made.output.acr_name, "none"), "none")} back, or make a second environment beside this one, push the images there, then `invoke destroy` this one."
    }

    precondition {
      condition     = try(terraform_data.as_made.output.key_vault_name, var.key_vault_name) == var.key_vault_name
      error_message = "key_vault_name cannot change from ${try(coalesce(terraform_data.as_made.output.key_vault_name, "none"), "none")} to ${coalesce(var.key_vault_name, "none")}: the vault would be replaced, with its secrets. Put ${try(coalesce(terraform_data.as_made.output.key_vault_name, "none"), "none")} back, or make a second environment beside this one, set the secrets there, then `invoke destroy` this one."
    }

    precondition {
      condition     = !local._account_binds || try(terraform_data.as_made.output.cosmos_account_name, var.cosmos_account_name) == var.cosmos_account_name
      error_message = "cosmos_account_name cannot change from ${try(coalesce(terraform_data.as_made.output.cosmos_account_name, "none"), "none")} to ${coalesce(var.cosmos_account_name, "none")}: the database account would be replaced, with every document. Put ${try(coalesce(terraform_data.as_made.output.cosmos_account_name, "none"), "none")} back, or make a second environment, copy the documents, then `invoke destroy` this one."
    }

    precondition {
      condition     = !local._account_binds || try(terraform_data.as_made.output.free_tier_enabled, var.cosmos.free_tier_enabled) == var.cosmos.free_tier_enabled
      error_message = "cosmos.free_tier_enabled cannot change from ${try(coalesce(terraform_data.as_made.output.free_tier_enabled, "none"), "none")} to ${coalesce(var.cosmos.free_tier_enabled, "none")}: the database account would be replaced, with every document. Put ${try(coalesce(terraform_data.as_made.output.free_tier_enabled, "none"), "none")} back, or make a second environment, copy the documents, then `invoke destroy` this one."
    }

    precondition {
      condition     = try(terraform_data.as_made.output.registry_zones, var.registry.zone_redundancy_enabled) == var.registry.zone_redundancy_enabled
      error_message = "registry.zone_redundancy_enabled cannot change from ${try(coalesce(terraform_data.as_made.output.registry_zones, "none"), "none")} to ${coalesce(var.registry.zone_redundancy_enabled, "none")}: the registry would be replaced, with its images. Put ${try(coalesce(terraform_data.as_made.output.registry_zones, "none"), "none")} back, or make a second environment with the other value, push the images there, then `invoke destroy` this one."
    }

    precondition {
      # "Configure customer-managed keys": both services take the key when they are made; the account is replaced for another one.
      condition     = try(terraform_data.as_made.output.encryption_key, try(var.customer_managed_key.key_id, "")) == try(var.customer_managed_key.key_id, "")
      error_message = "customer_managed_key cannot change: the database account would be replaced, with every document, and the registry takes a key only when it is made. Put ${try(coalesce(terraform_data.as_made.output.encryption_key, "null"), "null")} back, or make a second environment with the key, copy documents and images, then `invoke destroy` this one."
    }

    precondition {
      condition     = terraform_data.as_made.output.gateway_exposure == var.gateway_exposure
      error_message = "gateway_exposure cannot change from ${try(coalesce(terraform_data.as_made.output.gateway_exposure, "none"), "none")} to ${coalesce(var.gateway_exposure, "none")}: azurerm replaces the gateway (30 to 45 minutes without answers, and half-way it stops). Put ${try(coalesce(terraform_data.as_made.output.gateway_exposure, "none"), "none")} back, or make a second environment with the other exposure, move callers to it, then `invoke destroy` this one."
    }

    precondition {
      # "Azure API Management v2 tiers", questions, 2024-09-12: an instance of a classic tier cannot be migrated to a v2 tier. What
      # did not write this down was made when there were classic tiers only.
      condition     = try(terraform_data.as_made.output.gateway_generation, "classic") == local.gateway_generation
      error_message = "apim.sku_name cannot change between the classic and the v2 tiers, here from ${try(terraform_data.as_made.output.gateway_generation, "classic")} to ${coalesce(var.apim.sku_name, "none")}: Azure migrates no service from one to the other, azurerm would replace it, and its subnet cannot be delegated otherwise while the gateway is in it. Put a ${try(terraform_data.as_made.output.gateway_generation, "classic")} tier back, or make a second environment with the other one beside this, move callers to it, then `invoke destroy` this one."
    }

    precondition {
      # "Add, change, or delete a virtual network subnet": a range changes only while nothing is in the subnet.
      condition     = var.network.existing != null || jsonencode(terraform_data.as_made.output.subnets) == jsonencode(var.network.subnets)
      error_message = "network.subnets cannot change (${try(join(", ", [for name, range in terraform_data.as_made.output.subnets : "${name} from ${jsonencode(range)} to ${jsonencode(try(var.network.subnets[name], null))}" if jsonencode(range) != jsonencode(try(var.network.subnets[name], null))]), "")}): Azure refuses another range for a subnet that is in use. Put the old ranges back. A wider network.address_space can be had; for other ranges make a second environment beside this one."
    }

    precondition {
      condition     = !local._account_binds || (terraform_data.as_made.output.throughput_mode == "serverless") == (var.cosmos.throughput_mode == "serverless")
      error_message = "cosmos.throughput_mode cannot change from or to serverless, here from ${try(coalesce(terraform_data.as_made.output.throughput_mode, "none"), "none")} to ${coalesce(var.cosmos.throughput_mode, "none")}: the database account would be replaced, with every document. Put ${try(coalesce(terraform_data.as_made.output.throughput_mode, "none"), "none")} back, or make a second environment, copy the documents, then `invoke destroy` this one."
    }

    precondition {
      condition     = !local._account_binds || terraform_data.as_made.output.throughput_mode == var.cosmos.throughput_mode || contains([terraform_data.as_made.output.throughput_mode, var.cosmos.throughput_mode], "serverless")
      error_message = "cosmos.throughput_mode cannot change between autoscale and fixed here: azurerm refuses it. Put ${try(coalesce(terraform_data.as_made.output.throughput_mode, "none"), "none")} back, or migrate each database and collection with `az cosmosdb mongodb database throughput migrate` (collections: `az cosmosdb mongodb collection throughput migrate`), then apply with -replace=terraform_data.as_made."
    }

    precondition {
      condition     = !local._account_binds || !(terraform_data.as_made.output.continuous_backup && coalesce(var.cosmos.backup.type, "Continuous") == "Periodic")
      error_message = "cosmos.backup.type cannot change from Continuous to Periodic: the database account would be replaced, with every document. Put Continuous back, or make a second environment, copy the documents, then `invoke destroy` this one."
    }

    precondition {
      condition     = terraform_data.as_made.output.soft_delete_retention_days == var.key_vault.soft_delete_retention_days
      error_message = "key_vault.soft_delete_retention_days cannot change: Key Vault takes it once. Set it back to ${terraform_data.as_made.output.soft_delete_retention_days}, or use another key_vault_name."
    }
  }
}

# One port per server, as it was when the server was added.
resource "terraform_data" "server_port" {
  for_each = { for name, server in var.mcp_servers : name => server if server.remote == null }
  input    = each.value.port

  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "same_ports" {
  for_each = { for name, server in var.mcp_servers : name => server if server.remote == null }

  lifecycle {
    precondition {
      # With one slot every new image interrupts the server anyway.
      condition     = length(each.value.slots) == 1 || terraform_data.server_port[each.key].output == each.value.port
      error_message = "mcp_servers.${each.key}.port cannot change while its slots take turns: the network admits the ports of servers only and changes first, so callers would be answered 502 until the last slot is replaced. Add the server under another name with the new port, move callers to it, then remove this one; or give it one slot for the change, and accept the pause."
    }
  }
}
