# Where servers with compute = "container-apps" run. Here and not in stage 2, because Azure chooses the domain of their names
# when it makes the environment, and the gateway's backends shall be known when stage 2 is planned (docs/adr/0034).
module "container_app_environment" {
  source   = "../modules/container-app-environment"
  for_each = local._container_apps

  name                = module.names.container_apps.environment
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
  subnet_id           = local._create_network ? local._subnet_ids.apps : each.value.existing_subnet_id
  virtual_network_id  = local._network_id
  dns_link_name       = module.names.network.dns_link
  zone_redundant      = each.value.zone_redundant
}

# What this deployment has in Azure: stage 1 comes first, and its environment holds the apps that stage 2 takes away later.
data "azurerm_resources" "apps" {
  resource_group_name = var.resource_group_name
  type                = "Microsoft.App/containerApps"
  required_tags       = { deployment = var.name }
}

resource "terraform_data" "container_apps_kept" {
  lifecycle {
    precondition {
      condition     = local.has_container_apps || length(data.azurerm_resources.apps.resources) == 0
      error_message = "The apps ${join(", ", sort(data.azurerm_resources.apps.resources[*].name))} still run in the Container Apps environment, which no server in mcp_servers uses any more: set container_apps.enabled = true for the deployment that takes them away, and take it out again for the next one."
    }
  }
}

# What was chosen when the environment was made: another subnet or zones would replace it, with every app.
resource "terraform_data" "container_apps" {
  for_each = local._container_apps
  input    = jsonencode([each.value.subnet, each.value.existing_subnet_id, each.value.zone_redundant])

  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "same_container_apps" {
  for_each = local._container_apps

  lifecycle {
    precondition {
      condition     = terraform_data.container_apps[each.key].output == jsonencode([each.value.subnet, each.value.existing_subnet_id, each.value.zone_redundant])
      error_message = "container_apps cannot change its subnet or zone_redundant (it is ${terraform_data.container_apps[each.key].output}): the environment would be replaced, with every app in it. Put the old values back, or give its servers compute = \"container-instances\" with container_apps.enabled = true, deploy, take that out, deploy, then choose anew."
    }
  }
}
